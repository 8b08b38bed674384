"""The texts of an example by who says them, and the settings of the rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from headrace.training.example import Example

Detect = Callable[[str], str | None]
"""Tells the language of a text as ISO 639-1 does, or None where it is not sure: `knowledge.parse.language.detect`."""


class Lengths(NamedTuple):
    """Characters that a text has at least and at most."""

    least: int
    most: int


_USER, _ASSISTANT, _TEXT = Lengths(2, 8_000), Lengths(2, 16_000), Lengths(40, 100_000)


@dataclass(frozen=True, slots=True)
class Quality:
    """Settings of the rules.

    Attributes:
        user, assistant, text: lengths of what a user and an assistant says, and of a text of the field.
        tokens: of a whole example at most, counted as one for each three characters.
        languages: that may be, as ISO 639-1 has them; none given: all.
        detect: tells languages; without it only what is declared counts.
        reserved: words that a trainer reads as marks of its own, such as `System:`, as they are written.
        abuse: words beside those of `phrases.yaml` that no example may have, in small letters without accents.
    """

    user: Lengths = _USER
    assistant: Lengths = _ASSISTANT
    text: Lengths = _TEXT
    tokens: int = 8_000
    languages: frozenset[str] = frozenset()
    detect: Detect | None = None
    reserved: tuple[str, ...] = ()
    abuse: frozenset[str] = frozenset()


class Said(NamedTuple):
    """A text of an example.

    Attributes:
        where: `messages[0]`, `completion`.
        good: whether a model is to learn to say it.
    """

    where: str
    by: Literal["user", "assistant", "text"]
    text: str
    good: bool = False


def said(example: Example) -> Iterator[Said]:
    """What people and models say, in reading order; neither the system's prompt nor what was retrieved."""
    for place, one in enumerate(example.messages):
        yield Said(f"messages[{place}]", one.role, one.content)
    yield from answers(example)


def answers(example: Example) -> Iterator[Said]:
    """What is learned from: better and worse answers, or the text."""
    by: Literal["assistant", "text"] = "text" if example.kind == "text" else "assistant"
    if example.completion is not None:
        yield Said("completion", by, example.completion, example.label is not False)
    if example.chosen is not None:
        yield Said("chosen", by, example.chosen, True)
    if example.rejected is not None:
        yield Said("rejected", by, example.rejected)


def good_answers(example: Example) -> Iterator[Said]:
    """What a model is to learn to say."""
    return (one for one in answers(example) if one.good)
