"""Examples that hold what a model will be measured with, so that no measure is of what was learned by heart.

| reason | what meets it |
|---|---|
| `same_words` | twelve words in a row of an evaluation's question or answer, anywhere in the example |
| `same_text` | a message or answer that is a whole text of an evaluation, of fewer than twelve words |
| `like_question` | a message of at most 40 words that is nearly an evaluation's question, in other order or forms |

Words are compared in small letters without accents or punctuation. Evaluation texts must have gone through the same
`privacy.replaced`, under the same key, as the examples: else a placeholder hides what is the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from headrace.training.example import Example
from headrace.training.quality_rules.parts import said
from headrace.training.refused import Refused
from headrace.words import telling, words

RUN = 12
GRAM = 5
MOST_WORDS = 40
FEWEST_GRAMS = 12
"""Of a question: what is shorter is like too many others, and counts only where it is the same."""
LIKE = 0.6
"""Jaccard similarity from which on a question is nearly another; how often it errs is in docs/training-privacy.md."""


class Evaluation(NamedTuple):
    """What a model is measured with."""

    question: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """What must not be learned. `index_of` makes it; it can be pickled.

    Attributes:
        runs: of twelve words.
        texts: of fewer words.
        questions: each as its grams.
        by_gram: which questions have a gram.
        like: similarity from which on a question is nearly another.
    """

    runs: frozenset[str]
    texts: frozenset[str]
    questions: tuple[frozenset[str], ...]
    by_gram: dict[str, tuple[int, ...]] = field(repr=False)
    like: float = LIKE


def index_of(evaluations: Iterable[Evaluation], like: float = LIKE) -> Index:
    """What must not be learned, of evaluation sets."""
    runs: set[str] = set()
    texts: set[str] = set()
    questions: set[frozenset[str]] = set()
    for one in evaluations:
        for text in (one.question, one.answer):
            told = words(text or "")
            runs.update(_runs(told))
            if 0 < len(told) < RUN and (text is one.question or len(told) > 2):
                texts.add(" ".join(told))
        grams = question_grams(one.question)
        if len(grams) >= FEWEST_GRAMS:
            questions.add(grams)
    ordered = tuple(sorted(questions, key=sorted))
    by_gram: dict[str, list[int]] = defaultdict(list)
    for place, grams in enumerate(ordered):
        for gram in grams:
            by_gram[gram].append(place)
    return Index(frozenset(runs), frozenset(texts), ordered, {one: tuple(some) for one, some in by_gram.items()}, like)


def contaminated(example: Example, index: Index) -> Refused | None:
    """Why an example must not be learned from; None where it may."""
    found = _found(example, index)
    return Refused(example.id, "contaminated", *found) if found else None


def _found(example: Example, index: Index) -> tuple[str, str] | None:
    for place, text in enumerate(example.texts()):
        told = words(text)
        if any(run in index.runs for run in _runs(told)):
            return "same_words", f"texts[{place}]"
    for one in said(example):
        told = words(one.text)
        if len(told) < RUN and " ".join(told) in index.texts:
            return "same_text", one.where
    for one in said(example):
        if one.by == "user" and (similarity := nearest(one.text, index)) >= index.like:
            return "like_question", f"{one.where}: {similarity:.2f}"
    return None


def _runs(told: list[str]) -> Iterator[str]:
    return (" ".join(told[at : at + RUN]) for at in range(len(told) - RUN + 1))


def nearest(text: str, index: Index) -> float:
    """How similar a message is to the evaluation question that it is most like, from 0 to 1."""
    grams = question_grams(text)
    if len(grams) < FEWEST_GRAMS:
        return 0.0
    shared: Counter[int] = Counter()
    for gram in grams:
        shared.update(index.by_gram.get(gram, ()))
    return max((both / (len(grams) + len(index.questions[one]) - both) for one, both in shared.items()), default=0.0)


def question_grams(text: str) -> frozenset[str]:
    """The character 5-grams of the words that tell what a question is about, each with a space around it.

    No gram spans two words, so their order does not count. None for a text of more than `MOST_WORDS` words.
    """
    told = words(text)
    if len(told) > MOST_WORDS:
        return frozenset()
    padded = [f" {word} " for word in telling(text)]
    return frozenset(word[at : at + GRAM] for word in padded for at in range(max(1, len(word) - GRAM + 1)))
