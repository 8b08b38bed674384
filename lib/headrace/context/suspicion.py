"""Whether a text looks as if it were meant for the model instead of the reader. It marks; nobody is refused by it.

| rule | what meets it |
|---|---|
| `override` | to ignore or forget earlier instructions, in thirteen languages |
| `addressed` | words to an AI, a new role for it, how it must answer |
| `role` | marks of a model's own chat format, lines that begin as a system's or an assistant's turn |
| `prompt` | to show instructions or a system prompt |
| `exfiltration` | images and links that carry something out, orders to send a conversation somewhere |
| `hidden` | tags, direction overrides, runs of signs without width, comments, invisible styles, long base64 |
| `unread` | a text of more than 50,000 characters, of which the rest was not looked at |

Rules see words and marks, no meaning: an attack in plain words passes, and a text about attacks is marked. How many is
measured in docs/context.md. What keeps an attack from mattering is that a prompt treats items as data.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

import yaml

from headrace.context.plain import in_lines

_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]+\U000e007f")
_HIDDEN = re.compile(
    "[\U000e0000-\U000e007f]|[\u202d\u202e]|[\u200b-\u200d\u2060\ufeff\u180e]{3,}|[\ufe00-\ufe0f]{2,}"
    "|[\U000e0100-\U000e01ef]{2,}"
)
_CONCEALED = re.compile(
    r"<!--.{20,2000}?-->|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|"
    r"<[^>]{0,200}[\"';\s]color\s*:\s*(?:#fff(?:fff)?\b|white\b)",
    re.IGNORECASE | re.DOTALL,
)
_BLOB = re.compile(r"(?<![\w/+])[A-Za-z0-9+/]{100,}={0,2}")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "ß": "ss"})
_LOOKALIKES = str.maketrans(
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u0501\u04bb\u043a\u043c\u0442\u0432\u043d"
    "\u03b1\u03bf\u03b5\u03b9\u03ba\u03c1\u03c4\u03c5\u03bd",
    "aceijopsxydhkmtbhaoeikptuv",
)
"""Cyrillic and Greek letters that look Latin."""
MOST = 50_000
"""Characters that are looked at."""


def _patterns() -> dict[str, re.Pattern[str]]:
    found = yaml.safe_load(files("headrace.context").joinpath("suspicion.yaml").read_text("utf-8"))
    words = found["words"]

    def whole(pattern: str) -> str:
        return re.sub(r"%\{(\w+)\}", lambda name: words[name[1]], pattern)

    return {
        rule: re.compile("|".join(f"(?:{whole(one)})" for one in several)) for rule, several in found["rules"].items()
    }


_RULES = _patterns()


@lru_cache(maxsize=1024)  # the same passages are found again and again
def suspicions(text: str) -> tuple[str, ...]:
    """The names of the rules that a text meets, in the order of the alphabet. The text as it came, not cleaned."""
    found = {"unread"} if len(text) > MOST else set()
    text = text[:MOST]
    found.update(_hidden(text))
    for seen in _readings(text):
        found.update(rule for rule, pattern in _RULES.items() if pattern.search(seen))
    return tuple(sorted(found))


def _hidden(text: str) -> Iterator[str]:
    if not text.isascii() and _HIDDEN.search(_FLAG.sub("", text)):
        yield "hidden"
    elif _CONCEALED.search(text) or any(_is_code(blob[0]) for blob in _BLOB.finditer(text)):
        yield "hidden"


def _is_code(blob: str) -> bool:
    return any(map(str.isupper, blob)) and any(map(str.islower, blob)) and any(map(str.isdigit, blob))


def _readings(text: str) -> Iterator[str]:
    """The text in small plain letters; once more with look-alikes of other scripts as Latin letters."""
    parted = unicodedata.normalize("NFKD", in_lines(unicodedata.normalize("NFKC", text)))
    plain = "".join(sign for sign in parted if unicodedata.category(sign) != "Mn").casefold().translate(_LETTERS)
    # Hangul and kana with marks came apart above as well.
    plain = unicodedata.normalize("NFC", plain)
    yield plain
    if not plain.isascii():
        latin = plain.translate(_LOOKALIKES)
        if latin != plain:
            yield latin
