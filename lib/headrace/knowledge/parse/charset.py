"""Bytes to text, whatever the charset.

A byte order mark wins, then valid UTF-8, then what the document says, then a guess from its first bytes. UTF-8 comes
before what is said, since other text is hardly ever valid UTF-8 by chance, and wrong labels are common.
"""

import codecs
import re

from headrace.knowledge.parse.charset_guess import guess
from headrace.knowledge.parse.media import unknown

_SAMPLE = 32_768
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDER = {
    # Browsers read these labels as the larger charset that writers in fact use.
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_REFUSED = frozenset({"idna", "punycode", "unicode_escape", "raw-unicode-escape", "undefined", "utf-7"})
"""Python codecs that no document is written in; some take quadratic time."""

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decode(content: bytes, declared: str | None = None) -> str:
    """The text, without a byte order mark; what cannot be read becomes U+FFFD. Raises Unparsable for binary bytes."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _text(content[len(mark) :].decode(name, "replace"))
    said = _codec(declared)
    if said and said.startswith(("iso2022", "hz")) and content.isascii():
        return _text(content.decode(said, "replace"))
    try:
        return _text(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _text(_with_surrogates(content) or _other(content, said))


def _with_surrogates(content: bytes) -> str | None:
    """UTF-8 made from UTF-16 one unit at a time, as some old programs do; pairs are put together again."""
    try:
        text = content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _other(content: bytes, said: str | None) -> str:
    wide = _without_mark(content)
    if wide:
        return content.decode(wide, "replace")
    if said and said != "utf-8":
        try:
            return content.decode(said)
        except (UnicodeDecodeError, LookupError):
            pass
    damaged = content.decode("utf-8", "replace")
    if _is_damaged_utf8(damaged):
        return damaged
    return content.decode(guess(content[:_SAMPLE]), "replace")


def _text(text: str) -> str:
    """Refuses what decodes but is no text: random bytes, programs."""
    sample = text[:_SAMPLE]
    strange = len(_CONTROLS.findall(sample)) + sample.count("\ufffd")
    if strange > max(8, len(sample) // 10) or (strange and strange * 2 >= len(sample)):
        raise unknown("bytes that are no text in any charset")
    return text


def _without_mark(content: bytes) -> str | None:
    """UTF-16 without a mark: half of its bytes are zero where the text is mostly Latin."""
    sample = content[:_SAMPLE]
    half = max(len(sample) // 2, 1)
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.05 * half else None


def _is_damaged_utf8(text: str) -> bool:
    """Few wrong bytes among many right ones: a cut at the end, a byte lost."""
    wrong = text.count("\ufffd")
    right = sum(1 for character in text[:_SAMPLE] if character > "\x7f") - text[:_SAMPLE].count("\ufffd")
    return 0 < 2 * wrong <= right


def _codec(name: str | None) -> str | None:
    """Python's name of a charset; None for one it does not have or that is refused."""
    try:
        found = codecs.lookup(name).name if name else None
    except (LookupError, ValueError):
        return None
    if found is None or found in _REFUSED:
        return None
    return _WIDER.get(found, found)
