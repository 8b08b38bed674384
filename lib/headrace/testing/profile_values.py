"""What the slow rebuild of a profile knows of JSON values; nothing here is shared with `headrace.profiles`."""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

Refused = tuple[str, str, str, str, int, int]
"""Section, record, key, field, size, limit."""


def written(value: Any) -> bytes:
    """The value as JSON in UTF-8, with sorted names and without spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def clean(value: Any) -> Any:
    """The value as a profile may hold it; only shallow nesting is expected here."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else format(Decimal(value), "f")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value
    return [clean(each) for each in value] if isinstance(value, list) else {k: clean(v) for k, v in value.items()}


def length(value: Any) -> int:
    """Bytes of a clean value."""
    return len(value.encode()) if isinstance(value, str) else len(written(value))


def blank(value: Any) -> bool:
    """Whether it is no value."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, ending in Z."""
    if at is None:
        return None
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{at.microsecond:06}" if at.microsecond else "") + "Z"


def sortable(value: Any) -> Any:
    """The value, or None for a float that is no number. Infinity is one where rows are sorted."""
    return None if isinstance(value, float) and math.isnan(value) else value


def kind(value: Any) -> int:
    """Of a value: truth, number, text, or more."""
    return 0 if isinstance(value, bool) else 1 if isinstance(value, int | float) else 2 if isinstance(value, str) else 3
