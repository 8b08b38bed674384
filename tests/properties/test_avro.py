"""Random schemas as Connect registers them, and random records: what is read from Avro is Connect's JSON of the record.

The record is made beside the schema: for each type the value fastavro writes, and what JsonConverter makes of it.
"""

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import fastavro
from hypothesis import example, given
from hypothesis import strategies as st

from headrace.changes.envelope import Change, Message
from headrace.changes.formats import decoder
from headrace.changes.formats.avro import AvroMessages
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_sources import KafkaSource
from headrace.ports import WriterSchema

CONNECT, TIME = "org.apache.kafka.connect.data.", "io.debezium.time."


class Sort(NamedTuple):
    """A type: Avro's schema, Connect's without name and optional, and pairs (value for fastavro, JSON value)."""

    avro: Any
    connect: dict[str, Any]
    pairs: st.SearchStrategy[tuple[Any, Any]]


def same(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return values.map(lambda value: (value, value))


def base64_of(value: bytes) -> tuple[bytes, str]:
    return value, base64.b64encode(value).decode()


ints, longs = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
text = st.text(max_size=8)
single = st.floats(width=32, allow_nan=False, allow_infinity=False)
double = st.floats(allow_nan=False, allow_infinity=False)
unscaled = st.integers(-(10**11), 10**11).map(lambda n: n.to_bytes((n.bit_length() // 8) + 1, "big", signed=True))
odd = st.sampled_from([(float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity")])


def named(kind: str, connect: str, name: str, values: st.SearchStrategy[Any]) -> Sort:
    """A type of Connect's or Debezium's own, as their converters register it."""
    return Sort(
        {"type": kind, "connect.version": 1, "connect.name": name}, {"type": connect, "name": name}, same(values)
    )


DECIMAL = {"scale": "2", "connect.decimal.precision": "12"}
PLAIN = [
    Sort("boolean", {"type": "boolean"}, same(st.booleans())),
    Sort("int", {"type": "int32"}, same(ints)),
    Sort({"type": "int", "connect.type": "int16"}, {"type": "int16"}, same(st.integers(-(2**15), 2**15 - 1))),
    Sort("long", {"type": "int64"}, same(longs)),
    Sort("double", {"type": "double"}, same(double) | odd),
    Sort("string", {"type": "string"}, same(text)),
    Sort("bytes", {"type": "bytes"}, st.binary(max_size=6).map(base64_of)),
    Sort(
        {"type": "bytes", "connect.name": f"{CONNECT}Decimal", "connect.parameters": DECIMAL},
        {"type": "bytes", "name": f"{CONNECT}Decimal", "parameters": DECIMAL},
        unscaled.map(base64_of),
    ),
    named("int", "int32", f"{TIME}Date", st.integers(-700_000, 2_900_000)),
    named("int", "int32", f"{CONNECT}Date", st.integers(-700_000, 2_900_000)),
    named("long", "int64", f"{TIME}MicroTimestamp", st.integers(-(10**15), 10**17)),
    named("long", "int64", f"{TIME}Timestamp", st.integers(-(10**12), 10**14)),
    named("long", "int64", f"{TIME}NanoTimestamp", st.integers(-(10**18), 10**18)),
    named("long", "int64", f"{TIME}MicroTime", st.integers(0, 86_399_999_999)),
    named("string", "string", f"{TIME}ZonedTimestamp", st.just("2024-01-02T03:04:05.6789Z")),
    named("string", "string", "io.debezium.data.Uuid", st.uuids().map(str)),
]


def list_of(item: Sort) -> Sort:
    pairs = st.lists(item.pairs, max_size=3).map(lambda found: ([a for a, _ in found], [b for _, b in found]))
    return Sort({"type": "array", "items": item.avro}, {"type": "array", "items": item.connect}, pairs)


def map_of(item: Sort) -> Sort:
    pairs = st.dictionaries(text, item.pairs, max_size=3).map(
        lambda found: ({key: a for key, (a, _) in found.items()}, {key: b for key, (_, b) in found.items()})
    )
    connect = {"type": "map", "keys": {"type": "string"}, "values": item.connect}
    return Sort({"type": "map", "values": item.avro}, connect, pairs)


def nullable(item: Sort) -> Sort:
    if isinstance(item.avro, list):
        return item
    return Sort(["null", item.avro], item.connect, st.just((None, None)) | item.pairs)


def record_of(name: str) -> Callable[[list[Sort]], Sort]:
    def made(items: list[Sort]) -> Sort:
        # Two records of one name must not differ, so each is called by what it holds.
        unique = f"{name}_{zlib.crc32(json.dumps([one.avro for one in items]).encode())}"
        fields = [{"name": f"c{number}", "type": one.avro} for number, one in enumerate(items)]
        connect = [{**one.connect, "field": f"c{number}"} for number, one in enumerate(items)]
        pairs = st.tuples(*[one.pairs for one in items]).map(
            lambda found: tuple({f"c{number}": one[side] for number, one in enumerate(found)} for side in (0, 1))
        )
        avro = {"type": "record", "name": unique, "namespace": "a.b", "fields": fields}
        return Sort(avro, {"type": "struct", "name": f"a.b.{unique}", "fields": connect}, pairs)

    return made


flat = st.sampled_from(PLAIN)
sorts = st.recursive(
    flat, lambda inner: st.one_of(inner.map(list_of), inner.map(map_of), inner.map(nullable)), max_leaves=4
)
rows = st.lists(sorts.map(nullable) | sorts, min_size=1, max_size=6).map(record_of("Row"))
nested = st.lists(sorts | st.lists(flat, min_size=1, max_size=3).map(record_of("In")), max_size=4).map(record_of("Row"))


class One:
    """A registry with one schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = WriterSchema(json.dumps(schema))

    def schema(self, id: int | UUID) -> WriterSchema | None:
        return self._schema


def source(format: str) -> KafkaSource:
    registry = {"kind": "confluent", "url": "http://127.0.0.1:1"}
    given = {"from": "kafka", "servers": "-", "topics": ["t"], "format": format, "registry": registry}
    return KafkaSource.model_validate(given | ({} if format == "debezium" else {"position": "arrival"}))


def defined_once(schema: Any, seen: set[str]) -> Any:
    """As registries hold it: a record is defined where it stands first, and named after that."""
    if isinstance(schema, list):
        return [defined_once(one, seen) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema["type"] != "record":
        return {key: defined_once(one, seen) if key in ("items", "values") else one for key, one in schema.items()}
    name = f"{schema['namespace']}.{schema['name']}"
    if name in seen:
        return name
    seen.add(name)
    fields = [{**field, "type": defined_once(field["type"], seen)} for field in schema["fields"]]
    return {**schema, "fields": fields}


def avro_of(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
    return b"\0\0\0\0\1" + stream.getvalue()


@given(st.data())
def test_any_record_is_read_as_connect_writes_it(data):
    sort = data.draw(st.one_of(rows, nested))
    value, wanted = data.draw(sort.pairs)
    schema = defined_once(sort.avro, set())
    found = AvroMessages(source("debezium"), One(schema))(Message(None, avro_of(schema, value)))
    told = json.loads(found.value or b"", parse_constant=str)
    assert told["payload"] == wanted
    assert told["schema"] == sort.connect


def digits(number: float) -> int:
    return len(Decimal(repr(number)).normalize().as_tuple().digits)


@given(single)
@example(999999986991104.0)
def test_a_number_of_32_bits_is_the_same_one_in_fewer_digits(value):
    message = Message(None, avro_of("float", value))
    told = json.loads(AvroMessages(source("debezium"), One("float"))(message).value or b"")["payload"]
    assert struct.pack("<f", told) == struct.pack("<f", value)
    assert digits(told) <= digits(value)


@given(st.data())
def test_an_event_of_debezium_is_the_same_change_as_avro_and_as_json(data):
    key = Sort("long", {"type": "int64"}, same(longs))
    row = data.draw(st.lists(sorts, max_size=4).map(lambda more: record_of("Row")([key, *more])))
    value, wanted = data.draw(row.pairs)
    lsn = Sort("long", {"type": "int64"}, same(st.just(7)))
    schema = {
        "type": "record", "name": "Envelope", "namespace": "a.b",
        "fields": [
            {"name": "before", "type": ["null", row.avro]}, {"name": "after", "type": ["null", row.avro]},
            {"name": "source", "type": {"type": "record", "name": "Source", "namespace": "io", "fields": [
                {"name": "connector", "type": "string"}, {"name": "schema", "type": "string"},
                {"name": "table", "type": "string"}, {"name": "lsn", "type": lsn.avro},
            ]}},
            {"name": "op", "type": "string"},
        ],
    }  # fmt: skip
    event = {"before": None, "after": value, "op": "c"}
    place = {"connector": "postgresql", "schema": "public", "table": "t", "lsn": 7}
    schema = defined_once(schema, set())
    block = {
        "type": "struct",
        "fields": [
            {**row.connect, "field": "before", "optional": True}, {**row.connect, "field": "after", "optional": True},
            {"type": "struct", "field": "source", "fields": []}, {"type": "string", "field": "op"},
        ],
    }  # fmt: skip
    plain = json.dumps({"schema": block, "payload": {**event, "after": wanted, "source": place}}).encode()
    settings = source("debezium")
    decode = decoder(settings, Routes({"t": Table(source="s", key=("c0",))}))
    read = AvroMessages(settings, One(schema))(Message(None, avro_of(schema, {**event, "source": place})))
    (mine,), (theirs,) = decode(read), decode(Message(None, plain))
    assert isinstance(mine, Change) and isinstance(theirs, Change)
    assert (mine.types, mine.sent, mine.op, mine.table) == (theirs.types, theirs.sent, theirs.op, theirs.table)
    numbers = {name for name, kind in mine.types.items() if kind == "double"}
    for column, told in theirs.after.items():
        if column in numbers and told is not None:
            assert float(mine.after[column] or "") == float(told) or "NaN" in told
        elif "double" not in mine.types.get(column, ""):
            assert mine.after[column] == told


@given(st.data())
def test_a_row_tells_the_types_that_the_schema_block_would_tell(data):
    sort = data.draw(rows)
    value, _ = data.draw(sort.pairs)
    schema = defined_once(sort.avro, set())
    message = Message(None, avro_of(schema, value))
    row = AvroMessages(source("json"), One(schema))(message)
    told = json.loads(dict(row.headers)["headrace.types"] or b"")
    flattened = decoder(source("debezium"), Routes({"t": Table(source="s", key=("c0",))}))
    as_debezium = AvroMessages(source("debezium"), One(schema))(message)
    assert list(told) == [field["field"] for field in sort.connect["fields"]]
    for one in flattened(as_debezium):
        if isinstance(one, Change):
            assert {name: told[name] for name in one.types} == one.types


@given(st.data(), st.binary(max_size=40))
def test_no_bytes_make_it_raise(data, raw):
    sort = data.draw(rows)
    value, _ = data.draw(sort.pairs)
    schema = defined_once(sort.avro, set())
    whole = avro_of(schema, value)
    cut = data.draw(st.integers(0, len(whole)))
    for broken in (raw, b"\0\0\0\0\1" + raw, whole[:cut] + raw, whole[:cut]):
        for format in ("debezium", "json"):
            found = AvroMessages(source(format), One(schema))(Message(raw, broken))
            refused = json.loads(dict(found.headers).get("headrace.refused") or b"{}")
            assert refused.get("reason") != "decoder error"
            assert found.value == broken if refused else (found.value or b"")[:1] in (b"{", b"[")
