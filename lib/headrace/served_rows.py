"""Rows of served tables in a store of rows by key: what `apply_changes` publishes and look-ups read.

Two kinds of rows. `r:TABLE:KEY` is a row of the table, KEY its key as in the lake:

| field | type | |
|---|---|---|
| `kind` | text | `row` |
| `table` | text | as the settings name it |
| `key` | text | a JSON array |
| `values` | object | the columns that are served |
| `position` | text | of the change that made it so |
| `changed_at` | text or null | ISO 8601, UTC: when it changed at the source |
| `find` | list of text or null | one term for each filter, in the order of the settings; null where the value is |

`h:TABLE` says how far the table's rows reach. It is written after the rows of each batch, and while nothing changes:

| field | type | |
|---|---|---|
| `kind` | text | `heartbeat` |
| `table` | text | |
| `position` | text or null | the newest position among the rows |
| `at` | text | ISO 8601, UTC: all that the source had sent by then is in the rows |

A term is `TABLE.COLUMN=VALUE`, the value as people mean it: `LH 12` and `lh 12` are the same, as are 12, 12.0 and "12"
of a number. Stores index terms by their place in `find`, so that a table has at most five.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Literal

MOST_FILTERS = 5
ROW, HEARTBEAT = "r:", "h:"
FilterType = Literal["string", "integer", "number", "boolean", "date"]
LONGEST = 200
"""Bytes of a key or a term; a hash stands for a longer one."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_LARGEST = 100
"""Digits of a number; a longer one is compared as text."""


def row_key(table: str, key: str) -> str:
    """The store's key of a row; a hash stands for a long one."""
    return f"{ROW}{table}:{_short(key)}"


def heartbeat_key(table: str) -> str:
    """The store's key of a table's heartbeat."""
    return f"{HEARTBEAT}{table}"


def row(
    table: str,
    key: str,
    values: Mapping[str, Any],
    position: str,
    changed_at: datetime | None,
    filters: Mapping[str, FilterType],
) -> dict[str, Any]:
    """The body of a row. `filters`: columns with their types, in the order of the settings."""
    return {
        "kind": "row",
        "table": table,
        "key": key,
        "values": dict(values),
        "position": position,
        "changed_at": None if changed_at is None else changed_at.isoformat(),
        "find": [term(table, column, kind, values.get(column)) for column, kind in filters.items()],
    }


def heartbeat(table: str, position: str | None, at: datetime) -> dict[str, Any]:
    """The body of a heartbeat."""
    return {"kind": "heartbeat", "table": table, "position": position, "at": at.isoformat()}


def term(table: str, column: str, kind: FilterType, value: Any) -> str | None:
    """What a row with this value is found by; None for null, which is never found."""
    return None if value is None else f"{table}.{column}={_short(_plain(kind, value))}"


def _plain(kind: FilterType, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal | int | float):
        return _number(str(value)) or str(value)
    text = " ".join(_visible(unicodedata.normalize("NFKC", str(value))).casefold().split())
    if kind in ("integer", "number"):
        return _number(text) or text
    if kind == "date" and (day := _DAY.match(text)):
        return day[0]
    return text


def _visible(text: str) -> str:
    """Without signs that only steer others, which nobody types."""
    return text if text.isascii() else "".join(sign for sign in text if unicodedata.category(sign) != "Cf")


def _number(text: str) -> str | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST:
        return None
    return f"{number.normalize():f}" if number else "0"


def _short(text: str) -> str:
    encoded = text.encode("utf-8", "surrogatepass")
    # No store takes half of a surrogate pair.
    fits = len(encoded) <= LONGEST and not any("\ud800" <= sign <= "\udfff" for sign in text)
    return text if fits else f"#{sha256(encoded).hexdigest()}"
