"""Output for people: aligned tables, durations, sizes, values on one line."""

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_RIGHT = (int, float, Decimal)


def aligned(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, indent: int = 0, widest: int = 40) -> str:
    """Rows under their headers; numbers to the right, long values cut to `widest` characters with `...`."""
    texts = [[cut(one_line(value), widest) for value in row] for row in rows]
    widths = [max([len(header), *(len(row[index]) for row in texts)]) for index, header in enumerate(headers)]
    right = [bool(rows) and all(_is_number(row[index]) for row in rows) for index in range(len(headers))]
    lines = [list(headers), ["-" * width for width in widths], *texts]
    return "\n".join(" " * indent + _line(line, widths, right) for line in lines)


def one_line(value: Any) -> str:
    """A value on one line: `null` for None, ISO 8601 for times, JSON for what is nested, escapes for control signs."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    text = str(value)
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)[1:-1]


def moment(value: datetime | None) -> str:
    """A time to the second, in UTC; `-` for None."""
    if value is None:
        return "-"
    return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value.microsecond // 1000:03d}" if value.microsecond else "")


def duration(seconds: float | None) -> str:
    """`0.8 s`, `1.2 s`, `45 s`, `3 min`, `2.5 h`, `4 days`; `-` for None."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return (
                f"{seconds / unit:.0f} {name}" if unit == 1 or seconds >= 10 * unit else f"{seconds / unit:.1f} {name}"
            )
    return f"{seconds / 86_400:.0f} days"


def number(value: int | None) -> str:
    """A count with thousands separated; `-` for None."""
    return "-" if value is None else f"{value:,}"


def cut(text: str, widest: int) -> str:
    """The text, or its beginning and `...`."""
    return text if len(text) <= widest else text[: widest - 3] + "..."


def plain(value: Any) -> Any:
    """The value as JSON can hold it: times as ISO 8601, decimals as text, bytes as hexadecimal."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        # JSON knows no NaN and no infinity.
        return value if value == value and abs(value) != float("inf") else str(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """The value as JSON text."""
    return json.dumps(plain(value), ensure_ascii=False, indent=indent)


def page_width() -> int:
    """Columns of the terminal; 160 where the output is no terminal."""
    return shutil.get_terminal_size((160, 24)).columns


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, _RIGHT) and not isinstance(value, bool)) or _looks_counted(value)


def _looks_counted(value: Any) -> bool:
    return isinstance(value, str) and (value == "-" or value.replace(",", "").isdigit())


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    placed = zip(cells, widths, right, strict=True)
    return "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in placed).rstrip()
