"""Kafka Connect schema blocks: from a field's schema to its Spark type and to readers of its values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headrace.changes.formats import values
from headrace.changes.formats.payload import Fraction, json_text

Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the values of one field are read.

    Attributes:
        type: Spark type as simple string.
        text: value (never None) to the envelope's text.
        nested: value to JSON, as it stands inside arrays and structs (dates and times as ISO 8601 text).
    """

    type: str
    text: Read
    nested: Read

    def iso(self, value: Any) -> str | None:
        """The text with dates and times as ISO 8601: for a column declared as another type than its own."""
        return values.as_text(self.nested(value))


def reader(schema: Any) -> Reader | None:
    """The reader of a field's schema, or None for a schema that is not understood (its values are learned then)."""
    if not isinstance(schema, dict):
        return None
    kind = str(schema.get("type", "")).lower()
    make = _SEMANTIC.get(str(schema.get("name", "")))
    if make is not None:
        return make(schema, kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    nest = {"array": _array, "map": _map, "struct": _struct}.get(kind)
    return nest(schema) if nest else None


def fields(schema: Any) -> dict[str, Reader]:
    """Readers of a struct schema's fields, by name."""
    found = {}
    listed = schema.get("fields") if isinstance(schema, dict) else None
    for field in listed if isinstance(listed, list) else ():
        of = reader(field)
        name = field.get("field") if of else None
        if of is not None and isinstance(name, str):
            found[name] = of
    return found


def _whole(value: Any) -> str:
    return str(value) if type(value) is int else str(values.whole(value))


def _nested_whole(value: Any) -> int:
    return values.whole(value)


def _float(value: Any) -> str:
    # Jackson writes numbers JSON cannot hold as text: "NaN", "Infinity", "-Infinity".
    if value in ("NaN", "Infinity", "-Infinity"):
        return value  # type: ignore[no-any-return]
    return values.number_text(value)


def _boolean(value: Any) -> str:
    if type(value) is not bool:
        raise values.incompatible("true or false", value)
    return "true" if value else "false"


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise values.incompatible("text", value)


def _base64(value: Any) -> str:
    values.binary(value)
    return value  # type: ignore[no-any-return]


def _same(value: Any) -> Any:
    return value


_INT = Reader("int", _whole, _nested_whole)
_STRING = Reader("string", _text, _text)
_PLAIN = {
    "int8": _INT,
    "int16": _INT,
    "int32": _INT,
    "int64": Reader("bigint", _whole, _nested_whole),
    "float": Reader("float", _float, _same),
    "float32": Reader("float", _float, _same),
    "double": Reader("double", _float, _same),
    "float64": Reader("double", _float, _same),
    "boolean": Reader("boolean", _boolean, _same),
    "string": _STRING,
    "bytes": Reader("binary", _base64, _base64),
}


def _from_text(of: str, read: Read) -> Callable[[Any, str], Reader]:
    made = Reader(of, read, read)
    return lambda schema, kind: made


def _date(schema: Any, kind: str) -> Reader:
    return Reader("date", _whole, lambda value: values.days_iso(values.whole(value)))


def _timestamp(per_micro: int, micros_each: int) -> Callable[[Any, str], Reader]:
    """Of numbers: `per_micro` units make a microsecond (nanoseconds), or each is `micros_each` microseconds."""

    def micros(value: Any) -> int:
        return values.whole(value) * micros_each // per_micro

    def make(schema: Any, kind: str) -> Reader:
        return Reader("timestamp", lambda value: str(micros(value)), lambda value: values.micros_iso(micros(value)))

    return make


def _clock(per_micro: int, micros_each: int) -> Callable[[Any, str], Reader]:
    return _from_text("string", lambda value: values.clock(values.whole(value) * micros_each // per_micro))


def _parameter(schema: Any, name: str) -> int | None:
    parameters = schema.get("parameters")
    text = str(parameters.get(name, "")) if isinstance(parameters, dict) else ""
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 8 else None


def _decimal(schema: Any, kind: str) -> Reader | None:
    scale, precision = _parameter(schema, "scale"), _parameter(schema, "connect.decimal.precision")
    if scale is None:
        return None

    def read(value: Any) -> str:
        # The JSON converter writes numbers instead of base64 under decimal.format=NUMERIC.
        return values.unscaled(value, scale) if type(value) is str else values.number_text(value)

    whole = 38 - max(scale, 0) if precision is None else precision - scale
    digits = max(whole, 0) + max(scale, 0)
    of = f"decimal({max(digits, 1)},{max(scale, 0)})" if digits <= 38 and scale <= 38 else "string"
    return Reader(of, read, lambda value: Fraction(read(value)))


def _variable_decimal(value: Any) -> str:
    if not isinstance(value, dict):
        return values.number_text(value)
    return values.unscaled(value.get("value"), values.whole(value.get("scale")))


def _without_z(value: Any) -> str:
    return _text(value).removesuffix("Z")


def _semantic_names() -> dict[str, Callable[[Any, str], Reader | None]]:
    connect, time, data = "org.apache.kafka.connect.data.", "io.debezium.time.", "io.debezium.data."
    text = ("Uuid", "Enum", "EnumSet", "Json", "Xml", "Ltree", "TsVector", "Tsvector", "Inet")
    names: dict[str, Callable[[Any, str], Reader | None]] = {
        connect + "Decimal": _decimal,
        connect + "Date": _date,
        connect + "Time": _clock(1, 1000),
        connect + "Timestamp": _timestamp(1, 1000),
        time + "Date": _date,
        time + "Time": _clock(1, 1000),
        time + "MicroTime": _clock(1, 1),
        time + "NanoTime": _clock(1000, 1),
        time + "Timestamp": _timestamp(1, 1000),
        time + "MicroTimestamp": _timestamp(1, 1),
        time + "NanoTimestamp": _timestamp(1000, 1),
        time + "ZonedTimestamp": _from_text("timestamp", _text),
        time + "ZonedTime": _from_text("string", _text),
        time + "IsoDate": _from_text("date", _without_z),
        time + "IsoTime": _from_text("string", _without_z),
        time + "IsoTimestamp": _from_text("timestamp", _text),
        time + "MicroDuration": lambda schema, kind: _PLAIN["int64"] if kind == "int64" else None,
        time + "NanoDuration": lambda schema, kind: _PLAIN["int64"] if kind == "int64" else None,
        time + "Interval": _from_text("string", _text),
        time + "Year": lambda schema, kind: _INT,
        data + "VariableScaleDecimal": _from_text("string", _variable_decimal),
        data + "Bits": lambda schema, kind: _PLAIN["bytes"],
    }
    return names | {data + name: _from_text("string", _text) for name in text}


_SEMANTIC = _semantic_names()


def _array(schema: Any) -> Reader | None:
    item = reader(schema.get("items"))
    if item is None:
        return None

    def nested(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise values.incompatible("an array", value)
        return [None if one is None else item.nested(one) for one in value]

    return Reader(f"array<{item.type}>", lambda value: json_text(nested(value)), nested)


def _map(schema: Any) -> Reader | None:
    """Connect writes a map with text keys as an object, any other as an array of pairs; both become objects here."""
    item = reader(schema.get("values"))
    if item is None:
        return None

    def nested(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            pairs = list(value.items())
        elif isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            pairs = [(values.as_text(key) or "", one) for key, one in value]
        else:
            raise values.incompatible("a map", value)
        return {key: None if one is None else item.nested(one) for key, one in pairs}

    return Reader(f"map<string,{item.type}>", lambda value: json_text(nested(value)), nested)


def _struct(schema: Any) -> Reader | None:
    inside = fields(schema)
    if not inside:
        return None

    def nested(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise values.incompatible("an object", value)
        known = ((name, one, inside.get(name)) for name, one in value.items())
        return {name: of.nested(one) if of and one is not None else one for name, one, of in known}

    of = ",".join(f"{_quoted(name)}:{one.type}" for name, one in inside.items())
    return Reader(f"struct<{of}>", lambda value: json_text(nested(value)), nested)


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else "`" + name.replace("`", "``") + "`"
