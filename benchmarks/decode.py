"""Events decoded per second of CPU time (one core), per format, against a plain msgspec parse of the same bytes.

python benchmarks/decode.py [seconds per case]
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from headrace.changes.envelope import Change, Message
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_sources import KafkaSource

ROW = {
    "id": 1004,
    "first_name": "Anne",
    "last_name": "Kretchmar",
    "email": "annek@noanswer.org",
    "city": "Zürich",
    "balance": 1290.55,
    "points": 778123,
    "vip": True,
    "note": None,
    "updated": 1700000000123456,
}
SOURCE = {
    "version": "3.7.0.Final",
    "connector": "postgresql",
    "name": "src",
    "ts_ms": 1700000000123,
    "snapshot": "false",
    "db": "postgres",
    "sequence": '["24023119","24023128"]',
    "ts_us": 1700000000123456,
    "ts_ns": 1700000000123456000,
    "schema": "public",
    "table": "customers",
    "txId": 555,
    "lsn": 24023128,
    "xmin": None,
}
TYPES = {"first_name": "string", "last_name": "string", "email": "string", "city": "string", "balance": "double",
         "points": "int32", "vip": "boolean", "note": "string", "id": "int32"}  # fmt: skip


def debezium(row: dict[str, Any]) -> dict[str, Any]:
    """A Debezium update of one row, without schema block."""
    stamp = 1700000000999
    return {"before": None, "after": row, "source": SOURCE, "transaction": None, "op": "u", "ts_ms": stamp}


def with_schema(row: dict[str, Any]) -> dict[str, Any]:
    """The same update with a schema block of about 3 KiB."""
    columns = [{"type": of, "optional": True, "field": name} for name, of in TYPES.items()]
    columns.append({"type": "int64", "name": "io.debezium.time.MicroTimestamp", "version": 1, "field": "updated"})
    image = {"type": "struct", "fields": columns, "optional": True, "name": "src.public.customers.Value"}
    source = [{"type": "string", "optional": True, "field": name} for name in SOURCE]
    fields = [
        image | {"field": "before"},
        image | {"field": "after"},
        {"type": "struct", "fields": source, "optional": False, "field": "source"},
        {"type": "string", "optional": False, "field": "op"},
    ]
    return {"schema": {"type": "struct", "fields": fields, "optional": False}, "payload": debezium(row)}


def flattened(row: dict[str, Any]) -> dict[str, Any]:
    """The same row flattened."""
    return row | {"__op": "u", "__table": "customers", "__lsn": 24023128, "__deleted": "false"}


def dms(row: dict[str, Any]) -> dict[str, Any]:
    """The same row as a DMS record."""
    about = {
        "timestamp": "2024-07-29T00:58:17.983670Z",
        "record-type": "data",
        "operation": "update",
        "schema-name": "public",
        "table-name": "customers",
        "commit-timestamp": "2024-07-29T00:58:17.974340Z",
        "transaction-id": 1139,
        "transaction-record-id": 1,
    }
    return {"data": row, "metadata": about}


def dynamodb(row: dict[str, Any]) -> dict[str, Any]:
    """The same row as a DynamoDB item."""
    item = {name: _attribute(value) for name, value in row.items()}
    change = {
        "ApproximateCreationDateTime": 1720740233012995,
        "ApproximateCreationDateTimePrecision": "MICROSECOND",
        "Keys": {"id": item["id"]},
        "NewImage": item,
    }
    return {"eventName": "MODIFY", "tableName": "customers", "dynamodb": change}


def _attribute(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def mongodb(row: dict[str, Any]) -> dict[str, Any]:
    """The same row as a document."""
    document = {"_id": row["id"]} | {name: value for name, value in row.items() if name != "id"}
    source = {name: value for name, value in SOURCE.items() if name not in ("table", "schema", "lsn")}
    source |= {"connector": "mongodb", "collection": "customers", "ord": 1}
    return {"after": json.dumps(document), "source": source, "op": "c", "ts_ms": 1700000000999}


CASES: dict[str, tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "json rows": ("json", "id", lambda row: row),
    "debezium": ("debezium", "id", debezium),
    "debezium, schema block": ("debezium", "id", with_schema),
    "debezium flattened": ("debezium", "id", flattened),
    "debezium mongodb": ("debezium", "_id", mongodb),
    "dms": ("dms", "id", dms),
    "dynamodb": ("dynamodb", "id", dynamodb),
}


def per_second(call: Callable[[Any], object], messages: list[Any], seconds: float) -> float:
    """Calls per second over at least `seconds`: the best of three thirds, to be robust against other load."""
    best = 0.0
    for _ in range(3):
        count, start = 0, time.process_time()
        while time.process_time() - start < seconds / 3:
            for message in messages:
                call(message)
            count += len(messages)
        best = max(best, count / (time.process_time() - start))
    return best


def main() -> None:
    """Prints one line per format."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    print(f"{'format':24}{'bytes':>7}{'events/s':>11}{'parse/s':>11}{'ratio':>7}")
    for name, (form, key, build) in CASES.items():
        position = {"position": ["updated"]} if form == "json" else {}
        source = KafkaSource(**{"from": "kafka"}, servers="-", topics=("t",), format=form, **position)
        decode = decoder(source, Routes({"customers": Table(source="s", key=(key,))}))
        values = [json.dumps(build(ROW | {"id": n}), separators=(",", ":")).encode() for n in range(500)]
        messages = [Message(b'{"id":1}', value, (), "src.public.customers", 0, n) for n, value in enumerate(values)]
        (first,) = decode(messages[0])
        assert isinstance(first, Change), first
        parse = per_second(msgspec.json.Decoder().decode, values, seconds)
        ours = per_second(decode, messages, seconds)
        print(f"{name:24}{len(values[0]):>7}{ours:>11,.0f}{parse:>11,.0f}{parse / ours:>7.1f}")


if __name__ == "__main__":
    main()
