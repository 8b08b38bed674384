"""Log entries as the messages of Debezium's PostgreSQL connector (3.7, JSON, schema block, precise decimals).

The shapes follow events captured from a real connector: `before` is null unless the row was deleted and then holds the
key and fillers, a delete is followed by a tombstone, a truncate has no key, and a large value that an update did not
touch arrives as a marker.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from headrace.travel.columns import SHAPES, Column, Key, TableShape, Value
from headrace.travel.database import Event

SERVER = "travel"
UNAVAILABLE = "__debezium_unavailable_value"
Line = dict[str, Any]

_CODES = {"read": "r", "insert": "c", "update": "u", "delete": "d", "truncate": "t"}
_DECIMAL = {"scale": "2", "connect.decimal.precision": "10"}
_CONNECT: dict[str, dict[str, Any]] = {
    "smallint": {"type": "int16"},
    "integer": {"type": "int32"},
    "bigint": {"type": "int64"},
    "double": {"type": "double"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "text[]": {"type": "array", "items": {"type": "string", "optional": True}},
    "date": {"type": "int32", "name": "io.debezium.time.Date", "version": 1},
    "timestamp": {"type": "int64", "name": "io.debezium.time.MicroTimestamp", "version": 1},
    "timestamptz": {"type": "string", "name": "io.debezium.time.ZonedTimestamp", "version": 1},
    "numeric(10,2)": {
        "type": "bytes",
        "name": "org.apache.kafka.connect.data.Decimal",
        "version": 1,
        "parameters": _DECIMAL,
    },
}
_FILLERS: dict[str, Any] = {"text": "", "boolean": False, "bigint": 0, "integer": 0, "smallint": 0, "date": 0}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lines(event: Event, *, schemas: bool = True) -> Iterator[Line]:
    """The messages of one log entry, each as `{"key", "value", "headers"}`; a delete gives two.

    Args:
        schemas: put the schema block into key and value, as the JSON converter does by default.
    """
    shape = SHAPES[event.table]
    key = _key(shape, event.key, schemas) if event.key is not None else None
    line: Line = {"key": key, "value": _value(shape, event, schemas)}
    headers = _headers(shape, event)
    if headers:
        line["headers"] = headers
    yield line
    if event.op == "delete":
        yield {**line, "value": None}


def encode(value: Value, kind: str) -> Any:
    """One value as the JSON converter writes it."""
    if value is None:
        return None
    if kind == "date" and isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    if kind == "timestamp" and isinstance(value, datetime):
        return micros(value)
    if kind == "timestamptz" and isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Decimal):
        unscaled = int(value.scaleb(2))
        size = unscaled.bit_length() // 8 + 1
        return b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()
    return value


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    gap = moment - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def _key(shape: TableShape, key: Key, schemas: bool) -> Any:
    kinds = [column for column in shape.columns if column.name in shape.key]
    payload = {column.name: encode(value, column.kind) for column, value in zip(kinds, key, strict=True)}
    if not schemas:
        return payload
    name = f"{SERVER}.public.{shape.name}.Key"
    return {"schema": _struct(kinds, optional=False) | {"name": name}, "payload": payload}


def _value(shape: TableShape, event: Event, schemas: bool) -> Any:
    at = micros(event.at)
    payload = {
        "before": _before(shape, event) if event.op == "delete" else None,
        "after": _after(shape, event) if event.op in ("read", "insert", "update") else None,
        "source": _source(event),
        "transaction": None,
        "op": _CODES[event.op],
        "ts_ms": at // 1_000 + 240,
        "ts_us": at + 240_113,
        "ts_ns": (at + 240_113) * 1_000,
    }
    return {"schema": _envelope_schema(shape), "payload": payload} if schemas else payload


def _after(shape: TableShape, event: Event) -> dict[str, Any]:
    return {
        column.name: UNAVAILABLE if column.name in event.kept else encode(event.row[column.name], column.kind)
        for column in shape.columns
    }


def _before(shape: TableShape, event: Event) -> dict[str, Any]:
    # Under the default replica identity PostgreSQL logs the key only; the connector fills NOT NULL columns.
    return {
        column.name: encode(event.row[column.name], column.kind)
        if column.name in shape.key
        else (None if column.optional else _FILLERS[column.kind])
        for column in shape.columns
    }


def _source(event: Event) -> dict[str, Any]:
    at = micros(event.at)
    committed = None if event.committed_lsn is None else str(event.committed_lsn)
    return {
        "version": "3.7.0.Final",
        "connector": "postgresql",
        "name": SERVER,
        "ts_ms": at // 1_000,
        "snapshot": event.snapshot or "false",
        "db": SERVER,
        "sequence": json.dumps([committed, str(event.lsn)], separators=(",", ":")),
        "ts_us": at,
        "ts_ns": at * 1_000,
        "schema": "public",
        "table": event.table,
        "txId": event.transaction,
        "lsn": event.lsn,
        "xmin": None,
        "origin": None,
        "origin_lsn": None,
    }


def _headers(shape: TableShape, event: Event) -> dict[str, str]:
    moves = {"__debezium.newkey": event.moved_to, "__debezium.oldkey": event.moved_from}
    return {
        name: json.dumps(_key(shape, key, schemas=False), separators=(",", ":"))
        for name, key in moves.items()
        if key is not None
    }


def _struct(columns: list[Column] | tuple[Column, ...], *, optional: bool) -> dict[str, Any]:
    fields = [_CONNECT[column.kind] | {"optional": column.optional, "field": column.name} for column in columns]
    return {"type": "struct", "fields": fields, "optional": optional}


def _envelope_schema(shape: TableShape) -> dict[str, Any]:
    name = f"{SERVER}.public.{shape.name}"
    row = _struct(shape.columns, optional=True) | {"name": f"{name}.Value"}
    return {
        "type": "struct",
        "fields": [
            row | {"field": "before"},
            row | {"field": "after"},
            _SOURCE_SCHEMA,
            _TRANSACTION_SCHEMA,
            {"type": "string", "optional": False, "field": "op"},
            *({"type": "int64", "optional": True, "field": f"ts_{unit}"} for unit in ("ms", "us", "ns")),
        ],
        "optional": False,
        "name": f"{name}.Envelope",
        "version": 2,
    }


def _fields(**kinds: str) -> list[dict[str, Any]]:
    """Fields from `name="string"`; a `?` behind the kind makes it optional."""
    return [{"type": kind.rstrip("?"), "optional": kind.endswith("?"), "field": name} for name, kind in kinds.items()]


_SOURCE_SCHEMA = {
    "type": "struct",
    "fields": [
        *_fields(version="string", connector="string", name="string", ts_ms="int64", snapshot="string?", db="string"),
        *_fields(sequence="string?", ts_us="int64?", ts_ns="int64?", schema="string", table="string", txId="int64?"),
        *_fields(lsn="int64?", xmin="int64?", origin="string?", origin_lsn="int64?"),
    ],
    "optional": False,
    "name": "io.debezium.connector.postgresql.Source",
    "version": 1,
    "field": "source",
}
_TRANSACTION_SCHEMA = {
    "type": "struct",
    "fields": _fields(id="string", total_order="int64", data_collection_order="int64"),
    "optional": True,
    "name": "event.block",
    "version": 1,
    "field": "transaction",
}
