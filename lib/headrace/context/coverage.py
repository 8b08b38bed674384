"""How much of a question a passage holds, in words."""

import re
import unicodedata

_ALONE = "\u3040-\u30ff\u3400-\u9fff"
"""Kana and Han: written without spaces, so each letter counts as a word."""

_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")


def covered(question: str, *texts: str) -> float:
    """The share, 0 to 1, of the question's different words that stand in the texts, each counted by its length.

    Length stands in for rarity, which an index does not tell: in most languages the words that say little are short.
    """
    asked = _words(question)
    total = sum(map(len, asked))
    return sum(map(len, asked & _words(" ".join(texts)))) / total if total else 0.0


def _words(text: str) -> set[str]:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return set(_WORD.findall(plain.casefold()))
