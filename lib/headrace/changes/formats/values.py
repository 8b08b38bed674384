"""A JSON value as the envelope's text, and the Spark type it teaches (`changes.envelope` states the conventions)."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from headrace.changes.formats.payload import Fraction, Unusable, json_text, kind

_MOST_DIGITS = 400
_EPOCH_DATE = date(1970, 1, 1)
_EPOCH_TIME = datetime(1970, 1, 1)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?")
_WHOLE = re.compile(r"[+-]?\d+")
LATEST_MICROS = 253_402_300_799_999_999
"""The end of the year 9999."""


def incompatible(expected: str, value: Any) -> Unusable:
    """The error for a value that is not what its type promises."""
    return Unusable(
        "incompatible value",
        f"expected {expected}; found {kind(value)}. Declare the column's type under types, or repair the source",
    )


def plain_number(text: str) -> str:
    """Text of a number without exponent and without losing a digit. Raises Unusable."""
    if "e" not in text and "E" not in text:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise incompatible("a number", text) from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise Unusable("incompatible value", f"expected a number of at most {_MOST_DIGITS} digits; found a longer one")
    return format(number, "f")


def fraction_text(value: Fraction) -> str:
    """A JSON number with a point or an exponent as plain text."""
    return plain_number(bytes(value).decode("ascii"))


def number_text(value: Any) -> str:
    """A number, or text that holds one, as plain text. Raises Unusable."""
    of = type(value)
    if of is int:
        return str(value)
    if of is Fraction:
        return fraction_text(value)
    if of is str:
        stripped = value.strip()
        if len(stripped) <= _MOST_DIGITS and _NUMBER.fullmatch(stripped):
            return plain_number(stripped)
    raise incompatible("a number", value)


def whole(value: Any) -> int:
    """A whole number, given as number or as text. Raises Unusable."""
    if type(value) is int:
        return value
    text = number_text(value)
    if not _WHOLE.fullmatch(text):
        head, _, tail = text.partition(".")
        if tail.strip("0") or not _WHOLE.fullmatch(head):
            raise incompatible("a whole number", value)
        text = head
    return int(text)


def as_text(value: Any) -> str | None:
    """Any JSON value as text: numbers plain, booleans true or false, arrays and objects as JSON, null as None."""
    of = type(value)
    if of is str:
        return value  # type: ignore[no-any-return]
    if of is int:
        return str(value)
    if value is None:
        return None
    if of is bool:
        return "true" if value else "false"
    if of is Fraction:
        return fraction_text(value)
    return json_text(value)


def whole_type(value: int) -> str:
    """The type a whole number teaches: bigint, beyond 64 bits decimal(38,0), beyond 38 digits string."""
    if -(2**63) <= value < 2**63:
        return "bigint"
    return "decimal(38,0)" if abs(value) < 10**38 else "string"


def _of_int(value: int) -> tuple[str, str]:
    return str(value), "bigint" if -9_000_000_000_000_000_000 < value < 9_000_000_000_000_000_000 else whole_type(value)


def _of_list(value: list[Any]) -> tuple[str, str | None]:
    """Arrays of scalars of one kind are arrays; mixed and nested ones stay JSON text; an empty one teaches nothing."""
    text = json_text(value)
    types = {_ITEM_TYPES.get(type(item), "mixed") for item in value if item is not None}
    if not types:
        return text, None
    if types == {"bigint"}:
        types = {whole_type(item) for item in value if item is not None}
    if types == {"bigint", "double"}:
        types = {"double"}
    only = types.pop()
    return (text, "string") if types or only == "mixed" else (text, f"array<{only}>")


_ITEM_TYPES: dict[type, str] = {bool: "boolean", int: "bigint", Fraction: "double", str: "string"}
_LEARNERS: dict[type, Callable[[Any], tuple[str | None, str | None]]] = {
    type(None): lambda value: (None, None),
    bool: lambda value: ("true" if value else "false", "boolean"),
    int: _of_int,
    Fraction: lambda value: (fraction_text(value), "double"),
    str: lambda value: (value, "string"),
    list: _of_list,
    dict: lambda value: (json_text(value), "string"),
}


def learn(value: Any) -> tuple[str | None, str | None]:
    """(text, Spark type) of a JSON value; the type is None where the value teaches nothing (null, empty array)."""
    return _LEARNERS[type(value)](value)


def days_iso(days: int) -> str:
    """ISO date of days since 1970-01-01. Raises Unusable outside the years 1 to 9999."""
    try:
        return (_EPOCH_DATE + timedelta(days=days)).isoformat()
    except OverflowError:
        raise Unusable("incompatible value", "expected a date in the years 1 to 9999; found one outside") from None


def micros_iso(micros: int) -> str:
    """ISO timestamp with a Z of microseconds since 1970 UTC. Raises Unusable outside the years 1 to 9999."""
    try:
        return (_EPOCH_TIME + timedelta(microseconds=micros)).isoformat() + "Z"
    except OverflowError:
        raise Unusable("incompatible value", "expected a time in the years 1 to 9999; found one outside") from None


def clock(micros: int) -> str:
    """`HH:MM:SS[.ffffff]` of microseconds since midnight; a MySQL TIME may be negative or longer than a day."""
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


def unscaled(value: Any, scale: int) -> str:
    """Base64 of a big-endian two's-complement integer as a decimal with `scale` digits after the point."""
    return scaled(int.from_bytes(binary(value), "big", signed=True), scale)


def scaled(number: int, scale: int) -> str:
    """`number` divided by ten to the power `scale`, as exact text."""
    if abs(scale) > _MOST_DIGITS:
        raise Unusable("incompatible value", f"expected a scale within {_MOST_DIGITS}; found {scale}")
    if scale <= 0:
        return str(number * 10**-scale)
    sign, digits = ("-", str(-number)) if number < 0 else ("", str(number))
    digits = digits.zfill(scale + 1)
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def binary(value: Any) -> bytes:
    """The bytes of a base64 text. Raises Unusable."""
    if type(value) is str:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise incompatible("base64", value)


def epoch_micros(value: int) -> int | None:
    """Seconds, milli-, micro- or nanoseconds since 1970, told apart by size, as microseconds; None for zero or less."""
    if value <= 0:
        return None
    if value < 10**11:
        value *= 1_000_000
    elif value < 10**14:
        value *= 1_000
    elif value >= 10**17:
        value //= 1_000
    return value if value <= LATEST_MICROS else None
