"""The Debezium events of tests/data/events that come with a schema block, one a line, for ToAvro: see README.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"
PAGES = ("mysql", "oracle", "postgres", "sqlserver", "mongodb")


CONNECT = "org.apache.kafka.connect.data."
STREET = {"type": "string", "optional": True, "field": "street"}
TYPES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "int8"}, -8),
    ({"type": "int16", "optional": True}, 300),
    ({"type": "int64"}, 2**62),
    ({"type": "float"}, 0.1),
    ({"type": "double", "optional": True}, 1e-9),
    ({"type": "double"}, "NaN"),
    ({"type": "boolean", "default": True}, False),
    ({"type": "bytes"}, "AP8="),
    ({"type": "int32", "name": f"{CONNECT}Date", "version": 1}, 19_000),
    ({"type": "int32", "name": f"{CONNECT}Time", "version": 1}, 61_001),
    ({"type": "int64", "name": f"{CONNECT}Timestamp", "version": 1, "optional": True}, 1_700_000_000_123),
    ({"type": "bytes", "name": f"{CONNECT}Decimal", "version": 1, "parameters": {"scale": "3"}}, "BNI="),
    ({"type": "array", "items": {"type": "string", "optional": True}}, ["a", None]),
    ({"type": "array", "items": {"type": "struct", "name": "a.Street", "fields": [STREET]}}, [{"street": "b"}]),
    ({"type": "map", "keys": {"type": "string"}, "values": {"type": "int64", "optional": True}}, {"k": None, "l": 1}),
    ({"type": "map", "keys": {"type": "int32"}, "values": {"type": "string"}, "optional": True}, [[7, "seven"]]),
    ({"type": "struct", "name": "a.Street", "optional": True, "fields": [STREET]}, {"street": None}),
    (
        {
            "type": "struct", "name": "io.debezium.data.VariableScaleDecimal", "version": 1,
            "fields": [{"type": "int32", "field": "scale"}, {"type": "bytes", "field": "value"}],
        },
        {"scale": 2, "value": "BNI="},
    ),
]  # fmt: skip
"""Types that no captured event holds, each with a value."""


def of_all_types() -> Any:
    """A row of all of them."""
    fields = [{"optional": False, **schema, "field": f"f{number}"} for number, (schema, _) in enumerate(TYPES)]
    block = {"type": "struct", "name": "all.types.Value", "optional": False, "fields": fields}
    return {"schema": block, "payload": {f"f{number}": value for number, (_, value) in enumerate(TYPES)}}


def events() -> Iterator[tuple[str, Any, Any]]:
    """(topic, key, value) of each."""
    for line in (EVENTS / "postgres_schema_precise.jsonl").read_text().splitlines():
        record = json.loads(line)
        yield record["topic"], record["key"], record["value"]
    for name in PAGES:
        page = json.loads((EVENTS / f"debezium_{name}.json").read_text())
        yield f"{name}.inventory.customers", page["key_with_schema"], page["create_c_with_schema"]
    captured = json.loads((EVENTS / "debezium_captured.json").read_text())
    for one in captured["mysql_with_schema_r_r_c"]:
        yield "mysql.cdc.product", None, one
    deleted = captured["mysql_delete_with_schema"]
    yield "testc.inventory.customers", deleted["key"], deleted["value"]
    yield "testc.inventory.customers", deleted["key"], None
    yield "all.types", None, of_all_types()
    yield "pg.inventory.orders", None, captured["postgres_unwrapped_smt_add_fields"]


for topic, *parts in events():
    texts = [one if one is None or isinstance(one, str) else json.dumps(one) for one in parts]
    print(json.dumps({"topic": topic, "key": texts[0], "value": texts[1]}))
