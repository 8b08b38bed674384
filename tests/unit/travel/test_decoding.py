"""The example's lines, read as the files transport reads them, decode to what the database logged."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from headrace.changes.envelope import Change, Decoded, Ignored, Message
from headrace.changes.formats import decoder
from headrace.changes.formats.wrapped import unwrapped
from headrace.changes.routes import Routes
from headrace.config_file import load
from headrace.ordering.position import timestamp_micros
from headrace.testing.values import as_text
from headrace.travel.agency import Agency
from headrace.travel.columns import SHAPES
from headrace.travel.database import Event
from headrace.travel.debezium import Line, lines

ROOT = Path(__file__).parents[3]
CONFIG = load(ROOT / "examples" / "travel" / "headrace.yaml")
LOG = Agency(seed=7, steps=600).database.log


def decoded(schemas: bool) -> Iterator[tuple[Event, Line, list[Decoded]]]:
    source = CONFIG.sources["shop"]
    decode = decoder(source, Routes(CONFIG.tables_of("shop")))
    for event in LOG:
        for line in lines(event, schemas=schemas):
            yield event, line, decode(unwrapped(Message(None, json.dumps(line).encode())))


def expected(event: Event) -> dict[str, str | None]:
    shape = SHAPES[event.table]
    names = shape.key if event.op == "delete" else [one for one in event.row if one not in event.kept]
    return {name: as_text(event.row[name]) for name in names}


def comparable(text: str | None, kind: str) -> str | None:
    """Dates and times may be written as numbers or as ISO 8601: both become numbers."""
    if text is None:
        return None
    if kind == "text[]":
        return json.dumps(json.loads(text))
    if kind == "date":
        return text if text.lstrip("-").isdecimal() else str((date.fromisoformat(text) - date(1970, 1, 1)).days)
    if kind in ("timestamp", "timestamptz"):
        return text if text.lstrip("-").isdecimal() else str(int(timestamp_micros(text) or 0))
    return text


def test_every_event_decodes_to_its_row_and_place() -> None:
    for event, line, found in decoded(schemas=True):
        if line["value"] is None:
            assert all(isinstance(one, Ignored) for one in found)
            continue
        change = found[0]
        assert isinstance(change, Change), (event, found)
        assert change.table == f"public.{event.table}"
        assert change.op == {"delete": "delete", "truncate": "truncate"}.get(event.op, "upsert")
        assert f"{event.lsn:020d}" in change.position
        if event.op != "truncate":
            kinds = {column.name: column.kind for column in SHAPES[event.table].columns}
            assert {name: comparable(text, kinds[name]) for name, text in change.after.items()} == {
                name: comparable(text, kinds[name]) for name, text in expected(event).items()
            }
            assert (change.sent is not None) == bool(event.kept)


def test_a_moved_row_names_its_old_key() -> None:
    moved = [
        (event.moved_from, one.moved_from)
        for event, line, found in decoded(schemas=True)
        for one in found
        if isinstance(one, Change) and event.moved_from
    ]
    assert moved
    assert all(after == {"customer_id": str(before[0])} for before, after in moved)


def test_the_schema_block_tells_every_columns_type() -> None:
    told = {
        (event.table, name): kind
        for event, _, found in decoded(schemas=True)
        for one in found
        if isinstance(one, Change)
        for name, kind in one.types.items()
    }
    spark = {"smallint": "int", "integer": "int", "bigint": "bigint", "double": "double", "boolean": "boolean"}
    spark |= {"text": "string", "text[]": "array<string>", "date": "date", "timestamp": "timestamp"}
    spark |= {"timestamptz": "timestamp", "numeric(10,2)": "decimal(10,2)"}
    assert told == {(shape.name, one.name): spark[one.kind] for shape in SHAPES.values() for one in shape.columns}


def test_the_example_and_the_demo_have_the_same_settings() -> None:
    inside = ROOT / "lib" / "headrace" / "travel" / "headrace.yaml"
    assert (ROOT / "examples" / "travel" / "headrace.yaml").read_text("utf-8") == inside.read_text("utf-8")
