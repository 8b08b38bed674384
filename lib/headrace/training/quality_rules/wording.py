"""Signs instead of words, repetition, ends that are missing."""

import re
from collections import Counter

from headrace.training.example import Example
from headrace.training.privacy import PLACEHOLDER
from headrace.training.quality_rules.parts import Quality, good_answers, said
from headrace.words import words

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
LEAST_SIGNS, LEAST_LETTERS = 40, 0.3
RUN_OF_SIGNS = 30
_RUN = re.compile(rf"([^\s\-=_.*#~|+])\1{{{RUN_OF_SIGNS - 1}}}")
"""One sign again and again, but for those that lines and tables are drawn with."""
_DRAWN = re.compile(r"[-=_*#~|+]")
LEAST_LINES, MOST_LINES = 6, 0.5
GRAM, LEAST_WORDS, MOST_GRAMS = 5, 40, 0.5


def only_placeholders(example: Example, quality: Quality) -> str | None:
    """Nothing but placeholders of personal data."""
    for one in said(example):
        if PLACEHOLDER.search(one.text) and not any(sign.isalnum() for sign in PLACEHOLDER.sub("", one.text)):
            return one.where
    return None


def only_signs(example: Example, quality: Quality) -> str | None:
    """Neither a letter nor a digit: punctuation and emoji alone. A sign of approval alone teaches nothing."""
    return next((one.where for one in said(example) if not any(sign.isalnum() for sign in one.text)), None)


def few_letters(example: Example, quality: Quality) -> str | None:
    """Mostly digits and signs, code, addresses and drawn lines left out; not in short texts such as `12:30`."""
    for one in said(example):
        prose = _DRAWN.sub("", PLACEHOLDER.sub("", _CODE.sub("", one.text)))
        signs = len("".join(prose.split()))
        letters = len(_LETTER.findall(prose))
        if signs >= LEAST_SIGNS and letters < LEAST_LETTERS * signs:
            return f"{one.where}: {letters} letters of {signs} signs"
    return None


def repeats(example: Example, quality: Quality) -> str | None:
    """The same sign, line or five words again and again."""
    for one in said(example):
        prose = _CODE.sub("", one.text)
        if _RUN.search(prose):
            return f"{one.where}: a sign"
        lines = [line.strip() for line in prose.splitlines() if any(sign.isalnum() for sign in line)]
        if len(lines) >= LEAST_LINES and len(lines) - len(set(lines)) > MOST_LINES * len(lines):
            return f"{one.where}: lines"
        told = words(prose)
        if len(told) >= LEAST_WORDS and _again(told) > MOST_GRAMS:
            return f"{one.where}: words"
    return None


def _again(told: list[str]) -> float:
    """The share of five-word runs that stand there more than once."""
    counts = Counter(tuple(told[at : at + GRAM]) for at in range(len(told) - GRAM + 1))
    return sum(count for count in counts.values() if count > 1) / counts.total()


def broken_off(example: Example, quality: Quality) -> str | None:
    """A good answer whose code block does not end. What a turn tells of its end is `cut_off`."""
    for one in good_answers(example):
        fences = sum(line.lstrip().startswith("```") for line in one.text.splitlines())
        if one.by == "assistant" and fences % 2:
            return f"{one.where}: a code block without an end"
    return None
