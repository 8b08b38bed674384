"""MongoDB's extended JSON, canonical and relaxed, as plain values and Spark types."""

import base64
import uuid
from collections.abc import Callable
from typing import Any

from headrace.changes.formats import values
from headrace.changes.formats.payload import Fraction, Unusable

Plain = tuple[Any, str | None]
"""A JSON value without wrappers, and the type it teaches. Times are ISO 8601 text, binaries base64."""


def plain(value: Any) -> Plain:
    """One value of a document. Raises Unusable for a wrapper with the wrong content."""
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        return _list(value)
    return value, _SCALARS.get(type(value), values.whole_type)(value)


_SCALARS: dict[type, Callable[[Any], str | None]] = {
    type(None): lambda value: None,
    bool: lambda value: "boolean",
    str: lambda value: "string",
    Fraction: lambda value: "double",
}


def _object(value: dict[str, Any]) -> Plain:
    if 0 < len(value) <= 2:
        for name, content in value.items():
            read = _WRAPPERS.get(name)
            if read is not None and (len(value) == 1 or name == "$binary"):
                return read(content, value)
    return {name: plain(content)[0] for name, content in value.items()}, "string"


def _list(value: list[Any]) -> Plain:
    """Scalars of one type are an array; objects, arrays and mixtures stay JSON text; an empty list teaches nothing."""
    items, types = [], set()
    for one in value:
        item, of = plain(one)
        items.append(item)
        if item is not None:
            types.add("nested" if isinstance(item, dict | list) else of)
    if types == {"bigint", "double"}:
        types = {"double"}
    if not types:
        return items, None
    only = types.pop()
    return items, "string" if types or only in ("nested", None) else f"array<{only}>"


def _whole(content: Any, wrapper: Any) -> Plain:
    number = values.whole(content)
    return number, values.whole_type(number)


def _double(content: Any, wrapper: Any) -> Plain:
    if content in ("NaN", "Infinity", "-Infinity"):
        return content, "double"
    return Fraction(values.number_text(content)), "double"


def _decimal(content: Any, wrapper: Any) -> Plain:
    """Decimal128 has no fixed scale, so it is exact text; exponents too large to write out stay."""
    try:
        return values.number_text(content), "string"
    except Unusable:
        if isinstance(content, str):
            return content, "string"
        raise


def _date(content: Any, wrapper: Any) -> Plain:
    if isinstance(content, dict):
        content = content.get("$numberLong")
    if type(content) is str and not content.lstrip("-").isdecimal():
        return content, "timestamp"
    return values.micros_iso(values.whole(content) * 1_000), "timestamp"


def _binary(content: Any, wrapper: Any) -> Plain:
    subtype = wrapper.get("$type")
    if isinstance(content, dict):
        subtype, content = content.get("subType"), content.get("base64")
    raw = values.binary(content)
    if str(subtype) in ("4", "04") and len(raw) == 16:
        return str(uuid.UUID(bytes=raw)), "string"
    return base64.b64encode(raw).decode("ascii"), "binary"


def _text(content: Any, wrapper: Any) -> Plain:
    if type(content) is not str:
        raise values.incompatible("text", content)
    return content, "string"


_WRAPPERS: dict[str, Callable[[Any, Any], Plain]] = {
    "$oid": _text,
    "$symbol": _text,
    "$uuid": _text,
    "$numberInt": _whole,
    "$numberLong": _whole,
    "$numberDouble": _double,
    "$numberDecimal": _decimal,
    "$date": _date,
    "$binary": _binary,
    "$undefined": lambda content, wrapper: (None, None),
}
