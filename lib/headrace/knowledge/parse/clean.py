"""What every text goes through at the end, whatever format it came from."""

import re
import unicodedata
from collections.abc import Iterator

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ODD = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00a0\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_SPACES = "\u00a0"
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def clean(text: str) -> str:
    """NFC, `\\n` line ends, no control or invisible characters, no blanks at line ends, no runs of empty lines."""
    text = _LINE_ENDS.sub("\n", text)
    text = unicodedata.normalize("NFC", _ODD.sub(_replacement, text))
    return "\n".join(_lines(text.split("\n"))).strip("\n")


def one_line(text: str | None) -> str | None:
    """A title or a metadata value; None where nothing is left."""
    found = " ".join(clean((text or "")[:2000]).split())
    return found[:500] or None


def fence_end(line: str, fence: str | None) -> str | None:
    """The fence that is open after this line; `fence` is the one open before it."""
    found = FENCE.match(line)
    if not found:
        return fence
    if fence is None:
        # A backtick in what follows makes it code inside a line.
        return found[1] if found[1][0] == "~" or "`" not in found[2] else None
    closes = found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip()
    return None if closes else fence


def _replacement(found: re.Match[str]) -> str:
    if found[0] in _SPACES:
        return " "
    return "\ufffd" if "\ud800" <= found[0] <= "\udfff" else ""


def _lines(lines: list[str]) -> Iterator[str]:
    fence: str | None = None
    empty = True
    for line in lines:
        line = line.rstrip()
        if fence is None and not line and empty:
            continue
        empty = not line
        fence = fence_end(line, fence)
        yield line
