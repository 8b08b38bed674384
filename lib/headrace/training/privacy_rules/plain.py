"""A text in plain signs: what is written to look like a digit, a dash or nothing at all is one."""

import re
import unicodedata
from typing import NamedTuple

ALONE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts that put no space between words, for a class of a regular expression: a value may follow such a letter."""
SIGN = rf"[^\W{ALONE}]"
"""A letter, digit or underscore of the others."""
_ESCAPE = re.compile(r"(?<!\\)\\[nrt]")
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2212")
_SHY = "\u00ad"


class Plain(NamedTuple):
    """A text in plain signs; sign `at` of it is `original[begins[at]:ends[at]]`.

    Attributes:
        begins, ends: None where nothing changed.
    """

    text: str
    begins: list[int] | None = None
    ends: list[int] | None = None

    def original(self, begin: int, end: int) -> tuple[int, int]:
        """Where in the original text signs `begin` to `end` stand."""
        if self.begins is None or self.ends is None:
            return begin, end
        return self.begins[begin], self.ends[end - 1]


def plain(text: str) -> Plain:
    """The text with ASCII digits, spaces and hyphens for all their likes, without signs that have no width.

    Compatibility forms such as full-width letters become plain ones, and a letter with its accent is one sign. An end
    of line that code writes as a backslash and an n is two spaces: its n is part of no value.
    """
    if "\\" in text:
        text = _ESCAPE.sub("  ", text)
    if text.isascii():
        return Plain(text)
    signs: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    for at, sign in enumerate(text):
        if sign.isascii():
            told = sign
        else:
            told = _told(sign)
            if not told:
                continue
            if unicodedata.combining(told) and signs and ends[-1] == at:
                both = unicodedata.normalize("NFC", signs[-1] + told)
                if len(both) == 1:
                    signs[-1], ends[-1] = both, at + 1
                    continue
        signs.append(told)
        begins.append(at)
        ends.append(at + 1)
    return Plain("".join(signs), begins, ends)


def _told(sign: str) -> str:
    """One sign for a sign, or nothing."""
    if sign == _SHY or unicodedata.category(sign) == "Cf":
        return ""
    if sign in _DASHES:
        return "-"
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    found = unicodedata.normalize("NFKC", sign)
    return found if len(found) == 1 else sign
