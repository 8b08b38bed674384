"""Abuse, refusals, errors and reserved words. The words themselves are in `phrases.yaml`."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

import yaml

from headrace.training.example import Example
from headrace.training.quality_rules.languages import language
from headrace.training.quality_rules.parts import Quality, good_answers, said
from headrace.words import words

BEGINNING = 20
"""Words at the beginning of an answer in which a refusal counts: later it is about something else."""
SHORT = 40
"""Words of an answer that can be nothing but an error's message."""


class Phrases(NamedTuple):
    """Words and phrases, folded; of languages by ISO 639-1."""

    abuse: Mapping[str, frozenset[str]]
    ambiguous: frozenset[str]
    refusals: tuple[str, ...]
    errors: tuple[str, ...]


@cache
def phrases() -> Phrases:
    """Those of `phrases.yaml`."""
    told: Any = yaml.safe_load(files("headrace.training.quality_rules").joinpath("phrases.yaml").read_text("utf-8"))
    abuse = {name: frozenset(_folded(one) for one in some) for name, some in told["abuse"].items()}
    refusals = tuple(_folded(one) for some in told["refusals"].values() for one in some)
    errors = tuple(_folded(one) for some in told["errors"].values() for one in some)
    return Phrases(abuse, frozenset(_folded(one) for one in told["ambiguous"]), refusals, errors)


def _folded(text: str) -> str:
    return " ".join(words(text))


def abusive(example: Example, quality: Quality) -> str | None:
    """Words of abuse in what is learned, or in a message, as whole words.

    Those of every language count, but one that is harmless elsewhere counts only in a text of its own language.
    """
    known = phrases()
    own = known.abuse.get(language(example, quality) or "", frozenset())
    every = frozenset().union(*known.abuse.values()) - known.ambiguous
    bad = own | every | quality.abuse
    learned = {one.where for one in good_answers(example)}
    for one in said(example):
        if one.where in learned or one.where.startswith("messages"):
            told = words(one.text)
            pairs = {" ".join(pair) for pair in pairwise(told)}
            if bad & (set(told) | pairs):
                return one.where
    return None


def refusal(example: Example, quality: Quality) -> str | None:
    """A good answer that begins by refusing, in English, German, French or Spanish."""
    return _answer_with(example, phrases().refusals, BEGINNING)


def refuses(text: str) -> bool:
    """Whether an answer begins by refusing."""
    return _begins(words(text), phrases().refusals, BEGINNING)


def error(example: Example, quality: Quality) -> str | None:
    """A short good answer that is the message of an error."""
    return _answer_with(example, phrases().errors, SHORT, whole=True)


def _answer_with(example: Example, some: tuple[str, ...], most: int, whole: bool = False) -> str | None:
    for one in good_answers(example):
        told = words(one.text)
        if one.by == "assistant" and not (whole and len(told) > most):
            if _begins(told, some, most):
                return one.where
    return None


def _begins(told: Sequence[str], some: tuple[str, ...], most: int) -> bool:
    begins = f" {' '.join(told[:most])} "
    return any(f" {phrase} " in begins for phrase in some)


def reserved_word(example: Example, quality: Quality) -> str | None:
    """A word that a trainer reads as a mark of its own, in any text of the example."""
    return next((word for word in quality.reserved for text in example.texts() if word in text), None)
