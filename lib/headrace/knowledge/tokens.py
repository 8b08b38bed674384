"""How many tokens a text makes, roughly and without a model. The same everywhere.

Rules, fitted to the vocabularies of Llama 2 (BPE), Claude 2 (BPE) and BERT (WordPiece); see docs/knowledge-chunks.md:

| what | tokens |
|---|---|
| small Latin letters in a row, with a capital before them | one for every five begun |
| the same, more than 15 | one for every three begun |
| capital letters in a row | one for every two begun |
| a digit, an ASCII sign, a control character | one each |
| Cyrillic letters in a row | two for every three begun |
| a typographic sign, an accent, each letter with one | one each, on top of the word |
| Hangul, Thai, arrows, boxes and dingbats | two each |
| letters of other scripts in a row | three for every two begun |
| what is beyond U+FFFF, such as most emoji | four each |
| white space | none |

White space between two texts, the count of both together is the sum of their counts.
"""

import re
from itertools import chain

VERSION = 1

_LOWER = "a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de"
# Each match is one token, so that no word needs to be looked at in Python.
_LETTERS = re.compile(f"[{_UPPER}][{_LOWER}]{{1,4}}|[{_LOWER}]{{1,5}}|[{_UPPER}]{{1,2}}")
_LONG = re.compile(f"(?<![{_LOWER}])[{_LOWER}]{{16,}}")
_NOT_ASCII = re.compile("[^\0-\x7f]+")
_OTHERS = re.compile(
    "(?P<sign>[\x80-\u024f\u02b0-\u036f\u1e00-\u1eff\u2000-\u206f\u3000-\u303f]+)"
    "|(?P<cyrillic>[\u0400-\u052f]+)"
    "|(?P<double>[\u0e00-\u0e7f\u1100-\u11ff\u2070-\u2bff\uac00-\ud7ff]+)"
    "|(?P<script>[\u0370-\u03ff\u0250-\u02af\u0530-\u0dff\u0e80-\u10ff\u1200-\u1dff\u1f00-\u1fff\u2c00-\u2fff\u3040-\uabff\ue000-\uffff]+)"
    "|(?P<beyond>[\ud800-\udfff\U00010000-\U0010ffff]+)"
)
# Tokens for so many characters in a row, rounded up.
_RATES = {"sign": (1, 1), "cyrillic": (2, 3), "double": (2, 1), "script": (3, 2), "beyond": (4, 1)}
_NOT_SIGNS = bytes(chain(b" \t\n\v\f\r", range(28, 32), range(65, 91), range(97, 123)))


def count(text: str) -> int:
    """Tokens of a text."""
    total = len(text.encode("ascii", "ignore").translate(None, _NOT_SIGNS)) + len(_LETTERS.findall(text))
    for word in _LONG.findall(text):
        total += (len(word) + 2) // 3 - (len(word) + 4) // 5
    return total if text.isascii() else total + _others(text)


def _others(text: str) -> int:
    total = 0
    for run in _NOT_ASCII.findall(text):
        for found in _OTHERS.finditer(run):
            tokens, characters = _RATES[str(found.lastgroup)]
            total += (tokens * (found.end() - found.start()) + characters - 1) // characters
    return total
