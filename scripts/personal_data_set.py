"""The labelled set of personal data: 5 locales, lines by hand and lines from sentences with gaps.

Half of it is held out, by a
hash of the sentence before its gap is filled, so that no sentence stands in both halves.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from personal_data_decoys import decoy
from personal_data_values import NAMES, filled

FOLDER = Path(__file__).parent.parent / "tests" / "data" / "personal_data"
LOCALES = ("en-US", "en-GB", "de-DE", "fr-FR", "es-ES")
TIMES = 3
_SALT = 2170
"""Chosen by counts alone, before there was a rule: every kind stands in both halves of every locale."""

_LABEL = re.compile(r"\{\{([A-Z_]+):(.*?)\}\}")


@dataclass(frozen=True, slots=True)
class Line:
    """A text and what in it is personal.

    Attributes:
        spans: begin, end, kind.
        by_hand: whether it was written by hand.
        held_out: whether it was not looked at while the rules were made.
    """

    text: str
    locale: str
    spans: tuple[tuple[int, int, str], ...]
    by_hand: bool
    held_out: bool

    @property
    def names(self) -> frozenset[str]:
        """Those that are known of the person who writes."""
        return frozenset(NAMES[self.locale])


def lines() -> list[Line]:
    """The whole set, the same each time."""
    return [*_by_hand("by_hand.txt"), *_planted(), *_decoys()]


def later_lines(name: str = "by_hand_later.txt") -> list[Line]:
    """Lines that were written by hand after the rules, all of them held out when they were first measured."""
    return [replace(one, held_out=True) for one in _by_hand(name)]


def _by_hand(name: str) -> Iterator[Line]:
    for locale, marked in _read(name, 2):
        text, spans, at = "", [], 0
        for label in _LABEL.finditer(marked):
            text += marked[at : label.start()]
            value = label[2].replace("~", "")
            spans.append((len(text), len(text) + len(value), label[1]))
            text, at = text + value, label.end()
        yield Line(text + marked[at:], locale, tuple(spans), True, held_out(marked))


def _planted() -> Iterator[Line]:
    for language, kind, sentence in _read("sentences.txt", 3):
        for locale in _locales(language, kind):
            chance = Random(f"{locale}{kind}{sentence}")
            for _ in range(TIMES):
                before, after, value, secret = *_halves(sentence), *filled(kind, locale, chance)
                begin = len(before) + value.index(secret)
                spans = ((begin, begin + len(secret), kind),)
                yield Line(before + value + after, locale, spans, False, held_out(sentence))


def _decoys() -> Iterator[Line]:
    for language, sentence in _read("decoys.txt", 2):
        for locale in LOCALES:
            if language in ("any", locale[:2]):
                chance = Random(f"{locale}{sentence}")
                for _ in range(TIMES * 2):
                    fill = partial(decoy, locale=locale, chance=chance)
                    text = re.sub(r"\{([A-Z]+)\}", fill, sentence.replace("\\n", "\n"))
                    yield Line(text, locale, (), False, held_out(sentence))


def held_out(sentence: str) -> bool:
    """Whether a sentence belongs to the half that is not looked at."""
    return hashlib.sha256(f"{_SALT} {sentence}".encode()).digest()[0] % 2 == 1


def _read(name: str, parts: int) -> Iterator[list[str]]:
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split(" | ", parts - 1)


def _locales(language: str, kind: str) -> list[str]:
    if kind == "SSN":
        return ["en-US"]
    if kind == "NATIONAL_ID" and language == "en":
        return ["en-GB"]
    return [one for one in LOCALES if language in ("any", one[:2])]


def _halves(sentence: str) -> tuple[str, str]:
    before, _, after = sentence.replace("\\n", "\n").partition("{}")
    return before, after
