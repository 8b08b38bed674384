"""Python values as the text of the envelope, and back from what Spark collects."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_text(value: Any) -> str | None:
    """One value as the envelope writes it; see `changes.envelope`.

    The same function turns collected rows into text, so that an expected and a stored value compare as equal text:
    numbers without exponent, timestamps (naive ones are UTC) as microseconds since 1970, dates as ISO 8601, binaries
    as base64, arrays, maps and structs as JSON.
    """
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # The shortest text that reads back as the same number, then without its exponent.
            return format(Decimal(repr(value)), "f") if value - value == 0 else str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            return str((aware - _EPOCH) // timedelta(microseconds=1))
        case date():
            return value.isoformat()
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case _:
            return json.dumps(_jsonable(value), ensure_ascii=False)


def spark_type(value: Any) -> str | None:
    """The Spark SQL type a source would tell for this value; None where it cannot tell (null, arrays, structs)."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "bigint"
        case float():
            return "double"
        case str():
            return "string"
        case datetime():
            return "timestamp"
        case date():
            return "date"
        case bytes() | bytearray():
            return "binary"
        case Decimal():
            return _decimal_type(value)
        case _:
            return None


def _decimal_type(value: Decimal) -> str:
    _, digits, exponent = value.as_tuple()
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    whole = len(digits) + exponent if isinstance(exponent, int) else len(digits)
    return f"decimal({max(1, whole + scale, scale)},{scale})"


def _jsonable(value: Any) -> Any:
    if hasattr(value, "asDict"):
        return {name: _jsonable(part) for name, part in value.asDict().items()}
    if isinstance(value, Mapping):
        return {str(name): _jsonable(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return [_jsonable(part) for part in value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return value if isinstance(value, (bool, int, float)) or value is None else as_text(value)
