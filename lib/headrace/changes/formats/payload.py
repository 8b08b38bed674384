"""Bytes of a message to JSON values, without losing a digit, and back."""

from typing import Any

import msgspec

Fraction = msgspec.Raw
"""How a JSON number with a point or an exponent arrives: its text, untouched. `bytes(fraction)` gives the text."""

_decode = msgspec.json.Decoder(float_hook=Fraction).decode
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_BOM = b"\xef\xbb\xbf"


class Unusable(Exception):
    """A message, or one value of it, cannot be used. Becomes a `Reject` with this reason, detail and source table."""

    def __init__(self, reason: str, detail: str, table: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail, self.table = reason, detail, table


def parse(raw: bytes) -> Any:
    """The JSON value: None, bool, int of any size, `Fraction`, str, list or dict. Raises Unusable."""
    try:
        return _decode(raw)
    except msgspec.DecodeError as error:
        if raw.startswith(_BOM):
            return parse(raw[len(_BOM) :])
        raise unparsable(raw, error) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise unparsable(raw, error) from None


def unparsable(raw: bytes, error: Exception) -> Unusable:
    """Why bytes are no JSON: `wrong UTF-8` or `not JSON`, without showing the bytes."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return Unusable(
            "wrong UTF-8",
            f"expected text in UTF-8; found an invalid byte at {wrong.start} of {len(raw)}. "
            "Set the producer's encoding to UTF-8",
        )
    if isinstance(error, RecursionError):
        return Unusable("not JSON", "expected JSON nested less than about 1000 levels; found deeper nesting")
    cause = str(error).partition("\n")[0]
    return Unusable(
        "not JSON",
        f"expected one JSON object; found {len(raw)} bytes that do not parse ({cause}). {_todo(raw)}",
    )


def _todo(raw: bytes) -> str:
    if raw.strip().endswith((b",", b"[", b"{")) or raw.strip(b" \t\r\n,") in (b"]", b"}"):
        return "It looks like a part of an array or object over many lines: write one object a line (`jq -c '.[]'`)"
    return "Check the converter or serializer of the producer"


def json_text(value: Any) -> str:
    """A JSON value as compact text; fractions keep their digits."""
    return _encode(value).decode("utf-8")


def to_bytes(value: Any) -> bytes:
    """A JSON value as bytes; fractions keep their digits."""
    return _encode(value)


def canonical(value: Any) -> bytes:
    """A JSON value as bytes with sorted object members, equal for equal values."""
    return _encode_sorted(value)


def kind(value: Any) -> str:
    """What a JSON value is, for messages: never the value itself."""
    names = {type(None): "null", bool: "a boolean", int: "a whole number", str: "text", list: "an array"}
    return names.get(type(value)) or ("an object" if isinstance(value, dict) else "a fraction")
