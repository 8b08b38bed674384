"""Whether a text looks as if it were meant for the model instead of the reader. It marks; nobody is refused by it.

| rule | what meets it |
|---|---|
| `override` | to ignore or forget earlier instructions, in thirteen languages |
| `addressed` | words to an AI, a new role for it, how it must answer |
| `role` | marks of a model's own chat format, lines that begin as a system's or an assistant's turn |
| `prompt` | to show instructions or a system prompt |
| `exfiltration` | images and links that carry something out, orders to send a conversation somewhere |
| `hidden` | tags, direction overrides, runs of signs without width, text in comments or in invisible styles, long base64 |

Rules see words and marks, no meaning: an attack in plain words passes, and a text about attacks is marked. How many is
measured in docs/context.md. What keeps an attack from mattering is that a prompt treats items as data.
"""

import re
import unicodedata
from collections.abc import Iterator

from headrace.context.plain import in_lines
from headrace.context.suspicion_words import LOOKALIKES, PLAIN_RULES

_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]+\U000e007f")
_HIDDEN = re.compile(
    "[\U000e0000-\U000e007f]|[\u202d\u202e]|[\u200b-\u200d\u2060\ufeff\u180e]{3,}|[\ufe00-\ufe0f]{2,}"
    "|[\U000e0100-\U000e01ef]{2,}"
)
_CONCEALED = re.compile(
    r"<!--.{20,}?-->|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|"
    r"<[^>]{0,200}[\"';\s]color\s*:\s*(?:#fff(?:fff)?\b|white\b)",
    re.IGNORECASE | re.DOTALL,
)
_BLOB = re.compile(r"(?<![\w/+])[A-Za-z0-9+/]{100,}={0,2}")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ß": "ss"})


def suspicions(text: str) -> tuple[str, ...]:
    """The names of the rules that a text meets, in the order of the alphabet. The text as it came, not cleaned."""
    found = set(_hidden(text))
    for seen in _readings(text):
        found.update(rule for rule, pattern in PLAIN_RULES.items() if pattern.search(seen))
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
    plain = "".join(sign for sign in parted if not unicodedata.combining(sign)).casefold().translate(_LETTERS)
    # Hangul and kana with marks came apart above as well.
    plain = unicodedata.normalize("NFC", plain)
    yield plain
    if not plain.isascii():
        latin = plain.translate(LOOKALIKES)
        if latin != plain:
            yield latin
