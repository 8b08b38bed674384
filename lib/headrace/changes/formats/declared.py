"""Declared column types: a Spark type, optionally `<type> from <encoding>` for values that need decoding."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from headrace.changes.formats import values
from headrace.changes.formats.payload import Unusable
from headrace.errors import ConfigError

ENCODINGS = {
    "date": ("days", "seconds", "millis", "micros", "nanos"),
    "timestamp": ("seconds", "millis", "micros", "nanos", "days"),
    "timestamp_ntz": ("seconds", "millis", "micros", "nanos", "days"),
    "binary": ("base64", "hex"),
    "string": ("base64", "hex"),
    "decimal": ("scaled",),
}
_ALIASES = {
    "integer": "int",
    "long": "bigint",
    "short": "smallint",
    "byte": "tinyint",
    "real": "float",
    "numeric": "decimal",
    "dec": "decimal",
    "bool": "boolean",
    "text": "string",
    "timestamp_ltz": "timestamp",
}
_SIMPLE = {
    "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "string", "binary", "date",
    "timestamp", "timestamp_ntz",
}  # fmt: skip
_SPLIT = re.compile(
    r"\s*(?P<type>.+?)(?:\s+from\s+(?P<encoding>[a-z0-9]+)(?:\s*\(\s*(?P<scale>\d{1,2})\s*\))?)?\s*", re.I
)
_DECIMAL = re.compile(r"decimal\s*(?:\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\))?")
_TEXT = re.compile(r"(?:varchar|char)\s*\(\s*\d+\s*\)")
_DATE_Z = re.compile(r"[+-]?\d{4,6}-\d\d-\d\dZ")
_BARE_NUMBER = re.compile(r"\s*[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?\s*")
_MICROS = {"seconds": 1_000_000, "millis": 1_000, "micros": 1}
_DAY = 86_400_000_000
Encode = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared column: its Spark type, its encoding (`millis`, `scaled(2)`, ... or None) and value to text."""

    type: str
    encoding: str | None
    text: Encode


def declared(type_text: str) -> tuple[str, str | None]:
    """(Spark type as simple string, encoding or None) of a declared type. Raises ConfigError.

    `decimal(12,2) from scaled(2)` -> ("decimal(12,2)", "scaled(2)"); `Date from days` -> ("date", "days").
    """
    found = _SPLIT.fullmatch(type_text)
    spark = _spark_type(found["type"]) if found else None
    if found is None or spark is None:
        raise ConfigError(
            expected="a Spark type such as bigint, decimal(10,2), array<string> or timestamp from millis",
            found=repr(type_text),
            todo="Correct the type under types.",
        )
    encoding = found["encoding"]
    if encoding is None:
        return spark, None
    encoding = encoding.lower()
    allowed = ENCODINGS.get(spark.partition("(")[0], ())
    if encoding not in allowed or (encoding == "scaled") != (found["scale"] is not None):
        choices = ", ".join("scaled(2)" if name == "scaled" else name for name in allowed) or "no encoding"
        raise ConfigError(
            expected=f"{spark} from one of: {choices}",
            found=repr(type_text),
            todo="Correct the encoding after from.",
        )
    return spark, f"scaled({int(found['scale'])})" if encoding == "scaled" else encoding


def columns(types: Mapping[str, str], *, debezium: bool = False) -> dict[str, Declared]:
    """The declared columns of a table.

    With `debezium` a decimal that is not numeric text is read as base64, a number for a timestamp counts microseconds
    and one for a date days, Debezium's defaults. Elsewhere such a number is refused: its unit is anybody's guess.

    For `decimal.handling.mode: precise` without schema blocks declare `decimal(p,s) from scaled(s)`, see `_decimal`.
    """
    result = {}
    for column, text in types.items():
        spark, encoding = declared(text)
        result[column] = Declared(spark, encoding, _encoder(spark, encoding, debezium))
    return result


def _spark_type(text: str) -> str | None:
    text = text.strip()
    name, bracket, rest = text.lower().partition("(")
    lower = _ALIASES.get(name.strip(), name.strip()) + bracket + rest
    if lower in _SIMPLE and lower != "decimal":
        return lower
    if _TEXT.fullmatch(lower):
        return "string"
    decimal = _DECIMAL.fullmatch(lower)
    if decimal:
        precision, scale = int(decimal[1] or 10), int(decimal[2] or 0)
        return f"decimal({precision},{scale})" if 1 <= precision <= 38 and scale <= precision else None
    return _nested_type(text, lower)


def _nested_type(text: str, lower: str) -> str | None:
    outer, _, rest = lower.partition("<")
    if not rest.endswith(">"):
        return None
    inside = _split(text[text.index("<") + 1 : -1])
    if outer.strip() == "array" and len(inside) == 1:
        item = _spark_type(inside[0])
        return item and f"array<{item}>"
    if outer.strip() == "map" and len(inside) == 2:
        key, value = _spark_type(inside[0]), _spark_type(inside[1])
        return f"map<{key},{value}>" if key and value else None
    if outer.strip() != "struct":
        return None
    fields = []
    for part in inside:
        field = re.fullmatch(r"\s*(`(?:[^`]|``)+`|\w+)\s*:?\s*(.+?)\s*", part, re.S)
        of = field and _spark_type(field[2])
        if not field or not of:
            return None
        fields.append(f"{field[1]}:{of}")
    return f"struct<{','.join(fields)}>"


def _split(text: str) -> list[str]:
    """Parts between top-level commas."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _encoder(spark: str, encoding: str | None, debezium: bool) -> Encode:
    if encoding in ("base64", "hex"):
        return _bytes_encoder(spark, encoding)
    if encoding and encoding.startswith("scaled"):
        scale = int(encoding[7:-1])
        return lambda value: _decimal(value, scale, base64_first=True)
    if encoding:
        return _date_encoder(encoding) if spark == "date" else _time_encoder(encoding)
    if debezium and spark.startswith("decimal"):
        scale = int(spark[8:-1].partition(",")[2])
        return lambda value: _decimal(value, scale, base64_first=False)
    if spark.startswith(("timestamp", "date")) and not debezium:
        return partial(_iso, "date" if spark == "date" else "timestamp")
    return _iso_date if spark == "date" else values.as_text


def _iso_date(value: Any) -> str | None:
    """Debezium's `isostring` dates end in a Z (`2017-09-15Z`), which a cast to date refuses."""
    text = values.as_text(value)
    return text[:-1] if text is not None and _DATE_Z.fullmatch(text) else text


def _iso(kind: str, value: Any) -> str | None:
    text = _iso_date(value) if kind == "date" else values.as_text(value)
    if text is not None and _BARE_NUMBER.fullmatch(text):
        raise Unusable(
            "incompatible value",
            f"expected a {kind} in ISO 8601; found a number. Declare its unit under types, such as {kind} from "
            f"{ENCODINGS[kind][0]} ({', '.join(ENCODINGS[kind])}), then run `headrace replay`",
        )
    return text


def _decimal(value: Any, scale: int, *, base64_first: bool) -> str | None:
    """Numbers and numeric text as they are, other text as base64 of the unscaled value.

    About one base64 text of three bytes in 1,700 has digits only and could be either: `from scaled(n)` reads it as
    base64, a plain declaration as a number. An object is Debezium's VariableScaleDecimal, which brings its own scale.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return values.unscaled(value.get("value"), values.whole(value.get("scale")))
    if type(value) is not str:
        return values.number_text(value)
    try:
        return values.unscaled(value, scale) if base64_first else values.number_text(value)
    except Unusable:
        return values.number_text(value) if base64_first else values.unscaled(value, scale)


def _bytes_encoder(spark: str, encoding: str) -> Encode:
    def text(value: Any) -> str | None:
        if value is None:
            return None
        if encoding == "hex":
            try:
                content = bytes.fromhex(value.removeprefix("0x").removeprefix("\\x"))
            except (AttributeError, ValueError):
                raise values.incompatible("hexadecimal text", value) from None
        else:
            content = values.binary(value)
        if spark == "binary":
            return base64.b64encode(content).decode("ascii")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise values.incompatible(f"{encoding} of UTF-8 text", value) from None

    return text


def _time_encoder(encoding: str) -> Encode:
    """Numbers of the unit as microseconds; text that is no number stays (ISO)."""

    def text(value: Any) -> str | None:
        if value is None or (type(value) is str and not _numeric(value)):
            return value
        return str(_to_micros(value, encoding))

    return text


def _date_encoder(encoding: str) -> Encode:
    def text(value: Any) -> str | None:
        if value is None or (type(value) is str and not _numeric(value)):
            return value
        if encoding == "days":
            return str(values.whole(value))
        return str(_to_micros(value, encoding) // _DAY)

    return text


def _to_micros(value: Any, encoding: str) -> int:
    if encoding == "nanos":
        return values.whole(value) // 1_000
    if encoding == "days":
        return values.whole(value) * _DAY
    text = values.number_text(value)
    head, _, tail = text.partition(".")
    unit = _MICROS[encoding]
    digits = len(str(unit)) - 1
    if not tail:
        return int(head) * unit
    fraction = int((tail + "0" * digits)[:digits] or 0)
    return int(head or 0) * unit + (-fraction if head.startswith("-") else fraction)


def _numeric(text: str) -> bool:
    try:
        values.number_text(text)
    except Unusable:
        return False
    return True
