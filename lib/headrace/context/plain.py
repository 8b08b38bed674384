"""Text that came from data, made fit to stand in a prompt: nothing unseen in it, on one line where it must be."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

CHARACTERS = 200
"""Of one value that are shown."""

_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
"""Unicode's categories of what steers text instead of being seen."""

_NO_WIDTH = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff\ufe00-\ufe0d\U000e0100-\U000e01ef]")
"""They part or join letters and pick their shapes; whole texts have been hidden in them. The letters stay together."""

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_LINE = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_EMPTY_LINES = re.compile(r"\n{3,}")


def on_one_line(text: str) -> str:
    """The text with one space for each run of what is not seen."""
    return " ".join(_seen(text).split())


def in_lines(text: str) -> str:
    """The text with its lines, each as `on_one_line`, and at most one empty line between two."""
    lines = "\n".join(on_one_line(line) for line in _LINE.split(text))
    return _EMPTY_LINES.sub("\n\n", lines).strip()


def _seen(text: str) -> str:
    text = _NO_WIDTH.sub("", text)
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(sign) in _HIDDEN else sign for sign in text)


def name(text: str) -> str:
    """A name as it is where nothing in it can mislead, otherwise as a value."""
    return text if _PLAIN.fullmatch(text) else value(text)


def value(value: Any) -> str:
    """The value as JSON on one line; a long one as the text of its beginning."""
    seen = _each_seen(value)
    if isinstance(seen, str):
        return json.dumps(_cut(seen), ensure_ascii=False)
    written = json.dumps(seen, ensure_ascii=False, sort_keys=True)
    return written if len(written) <= CHARACTERS else json.dumps(_cut(written), ensure_ascii=False)


def pairs(values: Mapping[str, Any]) -> str:
    """`name: value, name: value` in the order of the alphabet, without nulls."""
    return ", ".join(f"{name(key)}: {value(each)}" for key, each in sorted(values.items()) if each is not None)


def clean(value: Any, most: int) -> Any:
    """A JSON value whose texts have nothing unseen, stand on one line and are cut after so many characters."""
    return _each_seen(value, most)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of objects too, as it is."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield key
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def newest(times: Iterable[str | None], now: datetime) -> str:
    """`as of 14:03 UTC, 2 min ago`: with its day where that is another."""
    found = [datetime.fromisoformat(at).astimezone(UTC) for at in times if at]
    if not found:
        return "nobody knows as of when"
    at = max(found)
    day = "" if at.date() == now.date() else f"{at:%Y-%m-%d} "
    return f"as of {day}{at:%H:%M} UTC, {ago((now - at).total_seconds())}"


def ago(seconds: float) -> str:
    """`3 days ago`, `2 h ago`, `5 min ago`, `just now`."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= (2 * length if unit == "days" else length):
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def seconds_since(text: str | None, now: datetime) -> float | None:
    """Seconds from an ISO time, UTC where it names no zone, to `now`, at least 0; None for none."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return max(0.0, (now - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds())


def _each_seen(value: Any, most: int | None = None) -> Any:
    if isinstance(value, Mapping):
        return {_each_seen(key, most): _each_seen(each, most) for key, each in value.items()}
    if isinstance(value, list):
        return [_each_seen(each, most) for each in value]
    if not isinstance(value, str):
        return value
    seen = on_one_line(value)
    return seen if most is None else _cut(seen, most)


def _cut(text: str, most: int = CHARACTERS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
