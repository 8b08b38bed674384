"""How good answers are, against those that people liked: measures that need nobody to look at them."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headrace.training.quality_rules.phrases import refuses
from headrace.words import words

_Z = statistics.NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model made of a question.

    Attributes:
        seconds: until the answer was whole.
        refused: the model or its service did not answer.
        cut: the answer is longer than was allowed.
        error: why there is none; None where there is one.
        input_tokens, output_tokens: None where the service does not count them.
    """

    text: str = ""
    seconds: float = 0.0
    refused: bool = False
    cut: bool = False
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """An answer beside its reference.

    Attributes:
        overlap: F1 of the words, as SQuAD measures it; 0 for an error or a refusal.
        exact: the same words in the same order.
        refused: not answered, or with a refusal where the reference is none.
    """

    overlap: float
    exact: bool
    refused: bool
    error: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two models on the same questions.

    Attributes:
        mean: of the first less the second.
        low, high: 95 in 100 such intervals hold the true mean; None with fewer than two questions.
        better, worse: how many questions the first answers so.
    """

    mean: float
    low: float | None
    high: float | None
    better: int
    worse: int


def scored(answer: Answered, reference: str) -> Scored:
    """The answer's marks."""
    said, wanted = words(answer.text), words(reference)
    failed = answer.error is not None
    refused = not failed and (answer.refused or (refuses(answer.text) and not refuses(reference)))
    if failed or answer.refused:
        return Scored(0.0, False, refused, failed, answer.cut)
    return Scored(overlap(said, wanted), said == wanted, refused, failed, answer.cut)


def overlap(said: Sequence[str], wanted: Sequence[str]) -> float:
    """F1 of two bags of words: 1 for the same words, 0 for none in common."""
    if not said or not wanted:
        return float(said == wanted)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted))


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Paired: question by question, so that what is hard for both weighs nothing. Both are as long, and not empty."""
    by_question = [one - other for one, other in zip(first, second, strict=True)]
    mean = statistics.fmean(by_question)
    better, worse = sum(one > 0 for one in by_question), sum(one < 0 for one in by_question)
    if len(by_question) < 2:
        return Difference(mean, None, None, better, worse)
    half = _Z * statistics.stdev(by_question) / math.sqrt(len(by_question))
    return Difference(mean, mean - half, mean + half, better, worse)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share is not above; None for no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
