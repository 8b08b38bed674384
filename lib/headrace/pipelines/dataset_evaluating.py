"""Asks two models every question of a dataset's test split, and compares what they answer."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from headrace.conversations.rates import Rate, rate
from headrace.errors import DatasetRefused, Retryable
from headrace.pipelines.dataset_versions import Known
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd, ChatModel, ChatRequest
from headrace.stores.dataset_places import DatasetPlaces
from headrace.training.asked_lines import Question, question_of
from headrace.training.lines import lines
from headrace.training.measured_answers import Answered, Difference, Scored, difference, quantile, scored

ATTEMPTS = 3
_PAUSE = 1.0
_LONGEST = 1_000_000
"""Tokens of an answer: the models' own settings are below."""
RATES = ("exact", "refused", "error", "cut")
Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Side:
    """What one model did.

    Attributes:
        rates: of `RATES`. overlap: the mean F1 of the words.
        p50, p95: seconds of answers; None where there was none.
        input_tokens, output_tokens: in all; None where the service did not count every one.
    """

    model: str
    rates: dict[str, Rate]
    overlap: float
    p50: float | None
    p95: float | None
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Both, and how far they are apart.

    Attributes:
        questions: asked of both.
        by_overlap: the tuned one's F1 less the base's.
        by_rate: for each of `RATES`, how many questions it is true of for the tuned one alone, and for the base alone.
    """

    questions: int
    tuned: Side
    base: Side
    by_overlap: Difference
    by_rate: dict[str, tuple[int, int]]


def questions(version: Known, limit: int | None = None) -> list[Question]:
    """The test split: all of it, or so many from its beginning. It lies in an order by chance.

    Raises:
        DatasetRefused: the version was revoked, or has no test split, or no questions in it.
        NotThere: its folder is gone.
    """
    version.usable()
    lie, format = DatasetPlaces(version.folder), version.formats[0]
    about = lie.manifest(version.dataset, version.version, format)["splits"].get("test")
    with tempfile.TemporaryDirectory(prefix="headrace-evaluate-") as folder:
        if about:
            lie.split(version.dataset, version.version, format, "test", Path(folder))
        files = [Path(folder, one["name"]) for one in about["files"]] if about else []
        found = list(islice(_questions(files), limit))
    if not found:
        todo = "Set splits.test above 0 and build the dataset anew; a dataset of plain texts asks nothing."
        where = f"{version.dataset} {version.version}"
        raise DatasetRefused(where=where, expected="a test split with questions", found="none", todo=todo)
    return found


def compared(
    asked: Sequence[Question], tuned: ChatModel, base: ChatModel, parallel: int, pause: Pause = time.sleep
) -> Compared:
    """Ask both everything. Raises Fatal where no call of a model will work.

    Args:
        parallel: questions at a time.
    """
    with ThreadPoolExecutor(parallel) as threads:
        answers = [list(threads.map(lambda one, to=model: ask(to, one, pause), asked)) for model in (tuned, base)]
    marks = [[scored(one, question.reference) for one, question in zip(some, asked, strict=True)] for some in answers]
    first, second = marks
    apart = difference([one.overlap for one in first], [one.overlap for one in second])
    alone = {name: _alone(name, first, second) for name in RATES}
    return Compared(len(asked), _side(tuned, answers[0], first), _side(base, answers[1], second), apart, alone)


def ask(model: ChatModel, question: Question, pause: Pause = time.sleep) -> Answered:
    """One answer, tried again where the service asks for that. What goes wrong with this question is in the answer."""
    why = ""
    for attempt in range(ATTEMPTS):
        began = time.monotonic()
        try:
            return _answer(model, question, began)
        except Unacceptable as error:
            return Answered(error=type(error).__name__ + f": {error.found}")
        except Retryable as error:
            why = f"{type(error).__name__}: {error.found}"
            wait = error.retry_after if isinstance(error, Throttled) else None
            if attempt + 1 < ATTEMPTS:
                pause(_PAUSE * 2**attempt if wait is None else wait)
    return Answered(error=why)


def _answer(model: ChatModel, question: Question, began: float) -> Answered:
    pieces, end = list[str](), ChatEnd("done")
    for one in model.stream(ChatRequest(question.system, question.messages, max_tokens=_LONGEST)):
        if isinstance(one, ChatEnd):
            end = one
        else:
            pieces.append(one)
    seconds, text = time.monotonic() - began, "".join(pieces).strip()
    refused, cut = end.reason == "refused", end.reason == "length"
    return Answered(text, seconds, refused, cut, None, end.input_tokens, end.output_tokens)


def _questions(files: Sequence[Path]) -> Iterator[Question]:
    for file in files:
        for line in lines(file):
            found = question_of(line.value) if line.readable and isinstance(line.value, dict) else None
            if found is not None:
                yield found


def _side(model: ChatModel, answers: Sequence[Answered], marks: Sequence[Scored]) -> Side:
    rates = {name: rate(sum(getattr(one, name) for one in marks), len(marks)) for name in RATES}
    there = [one for one in answers if one.error is None]
    seconds = [one.seconds for one in there]
    overlap = sum(one.overlap for one in marks) / len(marks)
    told = _sum([one.input_tokens for one in there]), _sum([one.output_tokens for one in there])
    return Side(model.name, rates, overlap, quantile(seconds, 0.5), quantile(seconds, 0.95), *told)


def _sum(some: Sequence[int | None]) -> int | None:
    known = [one for one in some if one is not None]
    return sum(known) if known and len(known) == len(some) else None


def _alone(name: str, first: Sequence[Scored], second: Sequence[Scored]) -> tuple[int, int]:
    pairs = [(getattr(one, name), getattr(other, name)) for one, other in zip(first, second, strict=True)]
    return sum(one and not other for one, other in pairs), sum(other and not one for one, other in pairs)
