"""Avro messages become the JSON that decoders read: bytes of real converters, odd types, and everything broken."""

import base64
import io
import json
import struct
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest

from headrace.changes.envelope import Change, Decoded, Message, Reject
from headrace.changes.formats import decoder
from headrace.changes.formats.avro import AvroMessages, avro_library
from headrace.changes.formats.debezium_types import fields
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_sources import KafkaSource, KinesisSource
from headrace.errors import MissingDependency, Unreachable
from headrace.ports import WriterSchema
from headrace.tables import REFUSED_HEADER, TYPES_HEADER

DATA = Path(__file__).parents[3] / "data" / "avro"
GUID = UUID("89791762-2336-4186-9674-299b90a802e2")


class Schemas:
    """A registry that holds these; `asked` counts."""

    def __init__(self, *schemas: Any, by_id: dict[str, Any] | None = None) -> None:
        told = by_id or {str(number): {"schema": json.dumps(one)} for number, one in enumerate(schemas, 1)}
        self.held = {id: WriterSchema(one["schema"], one.get("schemaType", "AVRO")) for id, one in told.items()}
        self.asked: list[str] = []

    def schema(self, id: int | UUID) -> WriterSchema | None:
        self.asked.append(str(id))
        return self.held.get(str(id))


def source(format: str = "debezium", kind: str = "confluent", **more: Any) -> KafkaSource:
    registry = {"kind": kind} | ({"url": "http://127.0.0.1:1"} if kind == "confluent" else {})
    given = {"from": "kafka", "servers": "-", "topics": ["t"], "format": format, "registry": registry, **more}
    return KafkaSource.model_validate(given if format == "debezium" else {"position": "arrival"} | given)


def written(schema: Any, value: Any) -> bytes:
    """The Avro bytes of a value."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
    return stream.getvalue()


def sent(schema: Any, value: Any) -> bytes:
    """The same behind Confluent's header with id 1."""
    return b"\0\0\0\0\1" + written(schema, value)


def read(schema: Any, value: Any, format: str = "debezium") -> Any:
    """What becomes of a value: `{"schema", "payload"}`, or (row, types)."""
    message = AvroMessages(source(format), Schemas(schema))(Message(None, sent(schema, value)))
    return unpacked(message, format)


def unpacked(message: Message, format: str) -> Any:
    refused = dict(message.headers).get(REFUSED_HEADER)
    assert refused is None, refused
    content = json.loads(message.value or b"")
    return content if format == "debezium" else (content, json.loads(dict(message.headers)[TYPES_HEADER] or b""))


def refusal(schema: Any, raw: bytes, **more: Any) -> tuple[str, str]:
    """(reason, detail) of a message that is refused; its bytes are kept."""
    message = AvroMessages(source(**more), Schemas(schema))(Message(b"k", raw))
    assert message.value == raw
    told = json.loads(dict(message.headers)[REFUSED_HEADER] or b"")
    return told["reason"], told["detail"]


def record(*types: Any, **more: Any) -> dict[str, Any]:
    named = [{"name": f"f{number}", "type": one} for number, one in enumerate(types)]
    return {"type": "record", "name": "a.b.R", "fields": named, **more}


@pytest.fixture(params=["confluent", "glue", "glue_zlib"])
def fixture(request) -> tuple[str, dict[str, Any]]:
    return request.param.split("_")[0], json.loads((DATA / f"{request.param}.json").read_text())


def decoded(part: bytes | None) -> bytes | None:
    return None if part is None else base64.b64decode(part)


def types_of(block: Any) -> dict[str, str]:
    """The types of a row's columns; of an event's block those of `after`."""
    inside = next((one for one in block["fields"] if one["field"] == "after"), block)
    return {name: one.type for name, one in fields(inside).items()}


def test_what_real_converters_wrote_becomes_what_the_json_converter_writes(fixture):
    kind, held = fixture
    registry = Schemas(by_id=held["schemas"])
    as_json = AvroMessages(source(kind=kind), registry)
    expected = [json.loads(line) for line in (DATA / "connect.jsonl").read_text().splitlines()]
    assert len(held["messages"]) == len(expected) == 26
    for avro, wanted in zip(held["messages"], expected, strict=True):
        found = as_json(Message(decoded(avro["key"]), decoded(avro["value"])))
        for mine, theirs in ((found.key, wanted["key"]), (found.value, wanted["value"])):
            if theirs is None:
                assert mine is None
                continue
            ours, connects = json.loads(mine or b""), json.loads(theirs)
            assert ours["payload"] == connects["payload"]
            assert types_of(ours["schema"]) == types_of(connects["schema"])
            assert len(mine or b"") < len(theirs)
    assert len(registry.asked) == len(set(registry.asked)), "each schema is asked for once"


def plain(one: Decoded) -> Decoded:
    """Java writes 1E7 where Python writes 10000000.0; a position ends in a hash of the row's text."""
    if not isinstance(one, Change):
        return one
    after = {name: float(text) if one.types.get(name) == "double" else text for name, text in one.after.items()}
    return replace(one, after=after, position=one.position.rpartition("-")[0])


def test_the_same_events_as_avro_and_as_json_are_the_same_changes(fixture):
    kind, held = fixture
    as_json, settings = AvroMessages(source(kind=kind), Schemas(by_id=held["schemas"])), source(kind=kind)
    tables = {"customers": Table(source="s", key=("id",)), "bookings": Table(source="s", key=("id",))}
    decode = decoder(settings, Routes(tables))
    count = 0
    for avro, line in zip(held["messages"], (DATA / "connect.jsonl").read_text().splitlines(), strict=True):
        json_form = {part: text and text.encode() for part, text in json.loads(line).items()}
        place = {"stream": avro["topic"], "offset": 5, "arrived_at": 7}
        found = decode(as_json(Message(decoded(avro["key"]), decoded(avro["value"]), **place)))
        assert list(map(plain, found)) == list(map(plain, decode(Message(**json_form, **place))))
        count += sum(isinstance(one, Change) for one in found)
    assert count > 20


def test_types_of_connect_and_of_debezium_are_exact():
    decimal = {
        "type": "bytes", "logicalType": "decimal", "scale": 2, "precision": 12,
        "connect.name": "org.apache.kafka.connect.data.Decimal", "connect.parameters": {"scale": "2"},
    }  # fmt: skip
    schema = record(
        decimal, {"type": "int", "connect.type": "int16"}, {"type": "int", "logicalType": "date"},
        {"type": "long", "logicalType": "timestamp-millis"}, {"type": "long", "logicalType": "timestamp-micros"},
        {"type": "long", "logicalType": "local-timestamp-micros"}, {"type": "int", "logicalType": "time-millis"},
        {"type": "long", "logicalType": "time-micros"}, {"type": "string", "logicalType": "uuid"},
        {"type": "long", "connect.name": "io.debezium.time.NanoTimestamp"}, "float", "bytes",
        {"type": "fixed", "name": "D", "size": 4, "logicalType": "decimal", "scale": 1, "precision": 9},
        {"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"},
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
    )  # fmt: skip
    plain = json.loads(json.dumps(schema).replace("logicalType", "ignored"))
    values = [
        b"\x04\xd2", 7, 19_000, 1_700_000_000_123, 1_700_000_000_123_456, 5, 61_001, 61_000_001, str(GUID), 1_500,
        0.1, b"\0\xff", b"\0\0\0\x0c", GUID.bytes, "B",
    ]  # fmt: skip
    value = {f"f{number}": one for number, one in enumerate(values)}
    message = Message(None, sent(plain, value))
    row, types = unpacked(AvroMessages(source("json"), Schemas(schema))(message), "json")
    assert list(types.values()) == [
        "decimal(12,2)", "int", "date", "timestamp", "timestamp", "timestamp", "string", "string", "string",
        "timestamp", "float", "binary", "decimal(9,1)", "string", "string",
    ]  # fmt: skip
    assert list(row.values()) == [
        12.34, 7, "2022-01-08", "2023-11-14T22:13:20.123000Z", "2023-11-14T22:13:20.123456Z",
        "1970-01-01T00:00:00.000005Z", "00:01:01.001000", "00:01:01.000001", str(GUID), "1970-01-01T00:00:00.000001Z",
        0.1, "AP8=", 1.2, str(GUID), "B",
    ]  # fmt: skip


def test_nested_values_and_unions_of_several_types():
    inner = {"type": "record", "name": "In", "fields": [{"name": "b", "type": ["null", "bytes"]}]}
    entry = {
        "type": "record", "name": "MapEntry", "namespace": "io.confluent.connect.avro",
        "connect.internal.type": "MapEntry",
        "fields": [{"name": "key", "type": "int"}, {"name": "value", "type": "string"}],
    }  # fmt: skip
    schema = record(
        {"type": "array", "items": ["null", inner]},
        {"type": "map", "values": "double"},
        ["null", "string", "long", "In"],
        {"type": "array", "items": entry, "connect.internal.type": "x"},
        ["In"],
    )
    value = {
        "f0": [None, {"b": b"x"}, {"b": None}], "f1": {"a": float("nan"), "b": float("-inf"), "c": 1.5},
        "f2": ("a.b.In", {"b": b"y"}), "f3": [{"key": 1, "value": "one"}], "f4": {"b": None},
    }  # fmt: skip
    found = read(schema, value)
    assert found["payload"] == {
        "f0": [None, {"b": "eA=="}, {"b": None}],
        "f1": {"a": "NaN", "b": "-Infinity", "c": 1.5},
        "f2": {"string": None, "long": None, "In": {"b": "eQ=="}},
        "f3": [[1, "one"]],
        "f4": {"b": None},
    }
    _, types = read(schema, value, "json")
    assert types == {
        "f0": "array<struct<b:binary>>", "f1": "map<string,double>", "f3": "map<string,string>",
        "f2": "struct<string:string,long:bigint,In:struct<b:binary>>", "f4": "struct<b:binary>",
    }  # fmt: skip
    assert read(schema, {**value, "f2": 5})["payload"]["f2"] == {"string": None, "long": 5, "In": None}
    assert read(schema, {**value, "f2": None})["payload"]["f2"] is None


def test_unions_of_several_types_may_hold_others():
    inner = ["null", "int", "string", {"type": "map", "values": ["long", "boolean"]}]
    schema = ["string", {"type": "array", "items": inner}]
    found = read(schema, [None, 1, "a", {"k": True}])["payload"]
    empty = {"int": None, "string": None, "map": None}
    assert found == {
        "string": None,
        "array": [
            None, {**empty, "int": 1}, {**empty, "string": "a"},
            {**empty, "map": {"k": {"long": None, "boolean": True}}},
        ],
    }  # fmt: skip


def test_a_type_may_be_named_before_and_is_found_in_its_namespace():
    value = {"type": "record", "name": "Value", "fields": [{"name": "id", "type": "int"}]}
    schema = {
        "type": "record", "name": "Envelope", "namespace": "shop.public",
        "fields": [{"name": "before", "type": ["null", value]}, {"name": "after", "type": ["null", "Value"]}],
    }  # fmt: skip
    assert read(schema, {"before": None, "after": {"id": 1}})["payload"] == {"before": None, "after": {"id": 1}}


def test_imported_schemas_are_known_by_name():
    city = {"type": "record", "name": "geo.City", "fields": [{"name": "name", "type": "string"}]}
    lookup = Schemas()
    lookup.held["1"] = WriterSchema(json.dumps(record("geo.City")), imported=(json.dumps(city),))
    message = Message(None, b"\0\0\0\0\1\x06Ely")
    assert json.loads(AvroMessages(source(), lookup)(message).value or b"")["payload"] == {"f0": {"name": "Ely"}}


@pytest.mark.parametrize("start", [b"\0\0\0\0\1", b"\1" + GUID.bytes])
def test_newer_clients_send_the_id_in_a_header(start):
    lookup = Schemas(by_id={id: {"schema": '"int"'} for id in ("1", str(GUID))})
    headers = (("__value_schema_id", start), ("__key_schema_id", start), ("other", b"x"))
    found = AvroMessages(source(), lookup)(Message(b"\x02", b"\x04", headers))
    assert (found.key, found.value) == (
        b'{"schema":{"type":"int32"},"payload":1}',
        b'{"schema":{"type":"int32"},"payload":2}',
    )
    assert found.headers == (("other", b"x"),), "what is logged is JSON, and must not be taken for Avro"
    assert AvroMessages(source(), lookup)(Message(None, start + b"\x04")).value == found.value


def test_json_tombstones_and_what_is_already_read_pass():
    as_json = AvroMessages(source(), Schemas())
    for value in (None, b'{"a": 1}', b" [1]", b"{"):
        message = Message(b"key", value, (("headrace.types", b"{}"),))
        assert as_json(message) == message


def test_messages_with_a_json_schema_are_json_behind_the_id():
    lookup = Schemas(by_id={"1": {"schema": "{}", "schemaType": "JSON"}})
    assert AvroMessages(source(), lookup)(Message(None, b'\0\0\0\0\1{"a":1}')).value == b'{"a":1}'


@pytest.mark.parametrize("key", [b"plain text", b"\0\0\0\0\0\0\0\5", b"\0\0\0\0\1\x02\x02", b"\0", b""])
def test_a_key_that_is_no_avro_stays_as_it_is(key):
    found = AvroMessages(source(), Schemas("int"))(Message(key, b"\0\0\0\0\1\x02"))
    assert found.key == key
    assert REFUSED_HEADER not in dict(found.headers)


def test_the_key_before_a_key_change_is_read_too():
    headers = (("__debezium.oldkey", sent(record("int"), {"f0": 3})),)
    found = AvroMessages(source(), Schemas(record("int")))(Message(None, None, headers))
    assert json.loads(found.headers[0][1] or b"")["payload"] == {"f0": 3}


TEXT = record("string")


@pytest.mark.parametrize(
    ("raw", "reason", "said"),
    [
        (b"", "not Avro", "found 0 bytes"),
        (b"hello", "not Avro", "begin with 68 65"),
        (b"\x03\0" + GUID.bytes, "not Avro", "begin with 03 00"),
        (b"\0\0\0\0", "not Avro", "found 4 bytes"),
        (b"\0\0\0\0\x09abc", "unknown schema", "id 9"),
        (b"\0\0\0\0\1\x0aab", "not Avro", "schema 1 and nothing behind it; found 3 bytes"),
        (b"\0\0\0\0\1", "not Avro", "found 0 bytes"),
        (b"\0\0\0\0\1\x02ab", "not Avro", "does not fit (ValueError)"),
        (b"\0\0\0\0\1\x02\xff", "not Avro", "does not fit (UnicodeDecodeError)"),
        (b"\0\0\0\0\1\x05", "not Avro", "does not fit (EOFError)"),
        (b"\0\0\0\0\1" + b"\xff" * 20, "not Avro", "does not fit"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(raw, reason, said):
    found, detail = refusal(TEXT, raw)
    assert found == reason
    assert said in detail
    (rejected,) = refused_again(raw)
    assert rejected == Reject(reason, detail)


def refused_again(raw: bytes) -> list[Reject]:
    """A replay of a message that was refused: what was said of it the first time does not count."""
    message = AvroMessages(source(), Schemas(TEXT))(Message(None, raw))
    again = AvroMessages(source(), Schemas(TEXT))(message)
    assert [name for name, _ in again.headers] == [REFUSED_HEADER]
    told = json.loads(again.headers[0][1] or b"")
    return [Reject(told["reason"], told["detail"])]


NODE = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (NODE, "N, which holds itself"),
        (record("Missing"), "found no Missing"),
        (record(["Missing"]), "found no Missing"),
        ({"type": "record", "name": "r"}, "does not parse"),
        ({"type": "enum", "name": "e", "symbols": 5}, "cannot be read"),
        (5, "does not parse"),
        ({"type": "array", "items": "null"}, "array of empty items"),
        ({"type": "array", "items": record()}, "array of empty items"),
    ],
)
def test_a_schema_that_cannot_be_used_refuses_its_messages(schema, said):
    reason, detail = refusal(schema, b"\0\0\0\0\1\0")
    assert reason == "unusable schema"
    assert said in detail


def test_a_schema_that_would_grow_without_end_is_refused():
    twice = [{"type": "record", "name": "T0", "fields": [{"name": "a", "type": "int"}]}]
    for number in range(1, 40):
        fields = [{"name": name, "type": f"T{number - 1}"} for name in "ab"]
        twice.append({"type": "record", "name": f"T{number}", "fields": fields})
    reason, detail = refusal(record(*twice), b"\0\0\0\0\1\0")
    assert (reason, "at most 20000 types" in detail) == ("unusable schema", True)


def test_a_schema_of_another_kind_is_told():
    lookup = Schemas(by_id={"1": {"schema": "x", "schemaType": "PROTOBUF"}})
    told = dict(AvroMessages(source(), lookup)(Message(None, b"\0\0\0\0\1\0")).headers)[REFUSED_HEADER]
    assert json.loads(told or b"")["detail"].startswith("expected an Avro schema of id 1; found one of PROTOBUF.")


@pytest.mark.parametrize(
    ("body", "reason", "said"),
    [
        (b"nonsense", "not Avro", "compressed bytes that are damaged"),
        (zlib.compress(b"\x02a" * 40)[:-9], "not Avro", "end too soon"),
        (zlib.compress(bytes(3_000)), "oversize message", "at most 2000 bytes"),
    ],
)
def test_compressed_messages_of_glue_that_are_damaged_or_too_large(body, reason, said):
    found, detail = refusal(TEXT, b"\3\5" + GUID.bytes + body, kind="glue", max_message_bytes=2_000)
    assert found == reason
    assert said in detail


def test_a_registry_that_does_not_answer_refuses_no_message():
    class Down:
        def schema(self, id: int | UUID) -> WriterSchema | None:
            raise Unreachable(expected="an answer", found="none", todo="Wait.")

    with pytest.raises(Unreachable):
        AvroMessages(source(), Down())(Message(None, b"\0\0\0\0\1\0"))


def test_no_message_shows_a_value():
    secret = "hunter2-secret"
    raw = sent(TEXT, {"f0": secret}) + b"x"
    assert secret not in refusal(TEXT, raw)[1]
    assert secret not in refusal({"type": "record", "name": "r", "fields": [secret]}, raw)[1]


def test_a_claim_of_countless_items_costs_nothing():
    raw = b"\0\0\0\0\1" + struct.pack("9B", *[0xFE, *[0xFF] * 7, 0x7F])
    assert refusal({"type": "array", "items": "long"}, raw)[0] == "not Avro"


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(MissingDependency, match=r"Run `pip install 'headrace\[avro\]'`"):
        avro_library()


def test_a_kinesis_record_keeps_its_partition_key_and_its_number():
    registry = {"kind": "glue", "region": "eu-west-1"}
    given = {"from": "kinesis", "streams": ["s"], "format": "json", "position": "arrival", "registry": registry}
    read = AvroMessages(KinesisSource.model_validate(given), Schemas(by_id={str(GUID): {"schema": json.dumps(TEXT)}}))
    body, number = b"\x06Ely", ("headrace.sequence", b"4959")
    for raw in (b"\3\0" + GUID.bytes + body, b"\3\5" + GUID.bytes + zlib.compress(body)):
        found = read(Message(b"partition 1", raw, (number,)))
        assert (found.key, found.value) == (b"partition 1", b'{"f0":"Ely"}')
        assert found.headers == (number, ("headrace.types", b'{"f0": "string"}'))
