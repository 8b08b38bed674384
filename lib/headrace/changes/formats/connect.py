"""Kafka Connect's JSON records: with or without a schema block, told apart record by record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headrace.changes.envelope import Message, Row
from headrace.changes.formats.debezium_types import Reader, fields
from headrace.changes.formats.image import Target, Targets, in_column, read_row
from headrace.changes.formats.markers import Markers
from headrace.changes.formats.payload import Fraction, Unusable, canonical, parse

_MOST_SHAPES = 2_000


class _Framed(msgspec.Struct):
    schema: msgspec.Raw
    payload: Any


_framed = msgspec.json.Decoder(_Framed, float_hook=Fraction).decode


@dataclass(slots=True)
class Plan:
    """How the columns of one table are read under one schema block."""

    texts: dict[str, Callable[[Any], str | None]]
    types: dict[str, str]


@dataclass(slots=True)
class Shape:
    """A parsed schema block: the readers of its row image, and the plan of each table that uses it."""

    readers: Mapping[str, Reader]
    plans: dict[str, Plan] = field(default_factory=dict)

    def plan(self, table: str, target: Target) -> Plan:
        """The plan of a table: declared types over the block's own."""
        found = self.plans.get(table)
        if found is None:
            found = self.plans[table] = _plan(self.readers, target)
        return found


def _plan(readers: Mapping[str, Reader], target: Target) -> Plan:
    texts: dict[str, Callable[[Any], str | None]] = {name: one.text for name, one in readers.items()}
    types = {name: one.type for name, one in readers.items()}
    for column, declared in target.declared.items():
        of = readers.get(column)
        if of is None:
            continue
        types[column] = declared.type
        if declared.encoding is not None:
            texts[column] = declared.text
        elif declared.type != of.type:
            texts[column] = of.iso if of.type in ("date", "timestamp") else of.text
    return Plan(texts, types)


@dataclass(slots=True)
class Image:
    """A row image as text. `left_out` names the columns whose value is a marker; they are not in `row`."""

    row: Row
    types: dict[str, str]
    left_out: tuple[str, ...] = ()


class Records:
    """Opens records and reads their row images; remembers each schema block it has seen by its bytes."""

    def __init__(self, targets: Targets, markers: Markers) -> None:
        self._targets, self._is_marker = targets, markers
        self._shapes: dict[bytes, Shape] = {}

    def open(self, raw: bytes) -> tuple[Any, Shape | None]:
        """(payload, shape); the shape is None for a record without a schema block. Raises Unusable."""
        if raw.startswith(b'{"schema":'):
            try:
                framed = _framed(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # parse() below says why, or takes a row with a column of that name
            else:
                return framed.payload, self._shape(bytes(framed.schema))
        value = parse(raw)
        if isinstance(value, dict) and "payload" in value and len(value) <= 2 and value.keys() <= {"schema", "payload"}:
            return value["payload"], self._shape(canonical(value.get("schema")))
        return value, None

    def _shape(self, schema: bytes) -> Shape | None:
        shape = self._shapes.get(schema)
        if shape is None:
            shape = Shape(_row_readers(parse(schema)))
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[schema] = shape
        return shape if shape.readers else None

    def image(self, raw: Any, shape: Shape | None, table: str, target: Target) -> Image:
        """A row image without the columns whose value is the marker. Raises Unusable."""
        if not isinstance(raw, dict):
            raise Unusable("unknown shape", "expected a row as a JSON object. Check the connector's converters")
        is_marker, key = self._is_marker, target.key
        left_out = tuple(name for name, value in raw.items() if is_marker(value) and name not in key)
        if left_out:
            raw = {name: value for name, value in raw.items() if name not in left_out}
        if shape is None:
            row, types = read_row(raw, target.declared)
        else:
            row, types = _read(raw, shape.plan(table, target), target)
        return Image(row, types, left_out)

    def key(self, message: Message, table: str, target: Target) -> Image | None:
        """The message key's columns, or None where there is no key that can be read as columns."""
        return self.columns(message.key, table, target)

    def columns(self, raw: bytes | None, table: str, target: Target) -> Image | None:
        """The columns of a key struct (a message key, or a key in a header), or None."""
        if not raw:
            return None
        try:
            value, shape = self.open(raw)
            if isinstance(value, str | int) and len(target.key) == 1:
                value, shape = {target.key[0]: value}, None
            return self.image(value, shape, table, target) if isinstance(value, dict) else None
        except Unusable:
            return None


def _read(raw: Mapping[str, Any], plan: Plan, target: Target) -> tuple[Row, dict[str, str]]:
    row: Row = {}
    types, texts = plan.types, plan.texts
    for column, value in raw.items():
        read = texts.get(column)
        if read is None:
            more, learned = read_row({column: value}, target.declared)
            row.update(more)
            types = types | learned
        elif value is None:
            row[column] = None
        else:
            try:
                row[column] = read(value)
            except Unusable as error:
                raise in_column(column, error) from None
    return row, types


def _row_readers(schema: Any) -> Mapping[str, Reader]:
    """Readers of the row inside an envelope's schema (`after`, or `before`), or of the record itself."""
    listed = schema.get("fields") if isinstance(schema, dict) else None
    inside = {
        one["field"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("field"), str)
    } if isinstance(listed, list) else {}  # fmt: skip
    if "op" in inside and "source" in inside:
        for name in ("after", "before"):
            readers = fields(inside.get(name))
            if readers:
                return readers
        return {}
    return fields(schema)
