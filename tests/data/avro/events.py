"""The Debezium events of tests/data/events that come with a schema block, one a line, for ToAvro: see README.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"
PAGES = ("mysql", "oracle", "postgres", "sqlserver", "mongodb")


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
    yield "pg.inventory.orders", None, captured["postgres_unwrapped_smt_add_fields"]


for topic, *parts in events():
    texts = [one if one is None or isinstance(one, str) else json.dumps(one) for one in parts]
    print(json.dumps({"topic": topic, "key": texts[0], "value": texts[1]}))
