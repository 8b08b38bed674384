"""JSON values as a profile holds them: which are none, how long one is, and the one way to write them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from headrace.errors import Fatal

Json = Any
"""What JSON can say: None, bool, int, float, str, and lists and mappings of them."""

OLDEST = datetime.min.replace(tzinfo=UTC)
"""Stands for the time of what has none."""

_DEEPEST = 16
_TOO_DEEP = "..."
_LARGEST = 2**63 - 1
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A value that was not used because it is too long.

    Attributes:
        section: `records`, `related`, `behaviour` or `consent`.
        record: the record's name, or the feed's; for consent the table.
        size, limit: in bytes.
    """

    section: str
    record: str
    key: str
    field: str
    size: int
    limit: int


def canonical(value: Json) -> bytes:
    """The value as JSON in UTF-8: sorted names, no spaces. Equal values have equal bytes; 1 and 1.0 differ."""
    return _encode(value)


def plain(value: Json) -> Json:
    """The value as every store can hold it.

    A whole number beyond 64 bits becomes its decimal text, NaN and infinity null, half a surrogate pair U+FFFD, and
    what is nested more than 16 levels deep the text `...`.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _whole(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        # `str` refuses more than 4,300 digits, Decimal does not.
        return value if -_LARGEST - 1 <= value <= _LARGEST else str(Decimal(value))
    return _nested(value, _DEEPEST)


def _nested(value: Json, levels: int) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return str(value)
    if not isinstance(value, Mapping | list | tuple):
        return plain(value) if isinstance(value, str | int) or value is None else value
    if not levels:
        return _TOO_DEEP
    if isinstance(value, Mapping):
        return {_whole(name): _nested(each, levels - 1) for name, each in value.items()}
    return [_nested(each, levels - 1) for each in value]


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def size(value: Json) -> int:
    """Bytes of a plain value: of a text its UTF-8, of others their JSON."""
    if type(value) is str:
        return len(value) if value.isascii() else len(value.encode())
    return len(_encode(value))


def says_nothing(value: Json) -> bool:
    """Whether it is null, blank text, or an empty list or object."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | Mapping) and not value)


def utc(at: datetime) -> datetime:
    """The same moment in UTC."""
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        todo = "Give the time a zone; Spark's timestamps are UTC."
        raise Fatal(expected="a time with a zone", found=at.isoformat(), todo=todo, where="profiles")
    return at.astimezone(UTC)


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, ending in Z, with as many digits as it needs."""
    # A tenth of what `isoformat` takes, and a profile has dozens of times.
    return None if at is None else _encode(utc(at))[1:-1].decode()


def sooner(*times: datetime | None) -> datetime | None:
    """The first of the times that are given; None without any."""
    return min((at for at in times if at is not None), default=None)
