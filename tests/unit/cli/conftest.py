"""A small lake written by delta-rs, without Spark: the tables as `headrace.tables` promises them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from headrace.changes.envelope import Change, Message
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config_file import load

SETTINGS = """
lake: ./lake
sources:
  feed: {from: files, path: ./in, format: json, position: [seq], table: table, changed_at: at,
         operation: {column: op, delete: [DELETE], truncate: [TRUNCATE]}}
tables:
  users: {source: feed, key: [userId], drop: [op, seq, table, at]}
  seats: {source: feed, key: [flight, seat], drop: [op, seq, table, at]}
"""

TIME = pa.timestamp("us", tz="UTC")
ORIGIN = pa.struct([("stream", pa.string()), ("partition", pa.int32()), ("offset", pa.int64()), ("part", pa.int32())])
_MESSAGE = [
    ("message_key", pa.binary()), ("message", pa.binary()),
    ("headers", pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    ("origin", ORIGIN), ("batch", pa.string()), ("day", pa.date32()),
]  # fmt: skip
SCHEMAS = {
    "changes_log": pa.schema(
        [("source", pa.string()), ("source_table", pa.string()), ("table", pa.string()), ("op", pa.string()),
         ("key", pa.string()), ("position", pa.string()), ("changed_at", TIME), ("arrived_at", TIME),
         ("transaction", pa.string()), ("initiator", pa.string()), *_MESSAGE]
    ),
    "rejects/apply_changes": pa.schema(
        [("source", pa.string()), ("source_table", pa.string()), ("table", pa.string()), ("reason", pa.string()),
         ("detail", pa.string()), ("key", pa.string()), ("position", pa.string()), ("arrived_at", TIME),
         ("rejected_at", TIME), *_MESSAGE]
    ),
    "truncates": pa.schema([("table", pa.string()), ("position", pa.string()), ("kind", pa.string()), ("at", TIME)]),
    "tombstones": pa.schema([("key", pa.string()), ("position", pa.string()), ("deleted_at", TIME)]),
    "schemas": pa.schema([("table", pa.string()), ("version", pa.int64()), ("body", pa.string()), ("at", TIME)]),
    "batches": pa.schema(
        [("source", pa.string()), ("batch", pa.int64()), ("table", pa.string()), ("sent", pa.int64()),
         ("applied", pa.int64()), ("stale", pa.int64()), ("rejected", pa.int64()), ("ignored", pa.int64()),
         ("newest_position", pa.string()), ("newest_changed_at", TIME), ("seconds", pa.float64()),
         ("started_at", TIME), ("finished_at", TIME)]
    ),
}  # fmt: skip
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def set_format(table: Path, version: str) -> None:
    """Set `headrace.format`, as every table of the lake has it; delta-rs itself refuses to write such a property."""
    commit = table / "_delta_log" / f"{0:020d}.json"
    actions = [json.loads(line) for line in commit.read_text().splitlines()]
    for action in actions:
        if "metaData" in action:
            action["metaData"]["configuration"]["headrace.format"] = version
    commit.write_text("\n".join(map(json.dumps, actions)) + "\n")


@dataclass
class SmallLake:
    """Writes one test's settings and tables, and remembers the positions the decoder gave."""

    folder: Path
    offset: int = 0
    positions: list[str] = field(default_factory=list)

    @property
    def settings(self) -> str:
        return str(self.folder / "headrace.yaml")

    def write(self, relative: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None) -> None:
        """Append rows to a table; the schema is the contract's where there is one."""
        schema = schema or SCHEMAS.get(relative) or SCHEMAS[relative.partition("/")[0]]
        place = self.folder / "lake" / relative
        write_deltalake(place, pa.Table.from_pylist(list(rows), schema), mode="append")
        set_format(place, "1")

    def arrive(self, *rows: Mapping[str, Any], batch: str = "feed/0") -> list[str]:
        """Put rows of the feed into `changes_log` as the job does; their positions."""
        config = load(self.settings)
        decode = decoder(config.sources["feed"], Routes(config.tables))
        logged = []
        for row in rows:
            arrived = START + timedelta(seconds=self.offset)
            message = Message(None, json.dumps(row).encode(), (), "in/a.jsonl", 0, self.offset)
            (change,) = decode(message)
            assert isinstance(change, Change), change
            table = config.tables[change.table]
            key = json.dumps([change.after.get(name) for name in table.key], separators=(",", ":"))
            logged.append(
                {
                    "source": "feed", "source_table": change.table, "table": change.table, "op": change.op,
                    "key": None if change.op == "truncate" else key, "position": change.position, "arrived_at": arrived,
                    "changed_at": arrived - timedelta(seconds=5), "message": message.value, "batch": batch,
                    "origin": {"stream": "in/a.jsonl", "partition": 0, "offset": self.offset, "part": 0},
                    "day": arrived.date(),
                }
            )  # fmt: skip
            self.offset += 1
            self.positions.append(change.position)
        self.write("changes_log", logged)
        return [row["position"] for row in logged]

    def users(self, *rows: tuple[int, str, str]) -> None:
        """The table `users`: (userId, name, _position)."""
        schema = pa.schema(
            [("userId", pa.int64()), ("name", pa.string()), ("_position", pa.string()), ("_changed_at", TIME)]
        )
        named = [dict(zip(("userId", "name", "_position"), row, strict=True)) | {"_changed_at": START} for row in rows]
        self.write("tables/users", named, schema)

    def learned(self, table: str, **types: str) -> None:
        """Remember the table's column types."""
        columns = [{"source": n, "name": n, "type": t, "declared": False, "partial": False} for n, t in types.items()]
        body = json.dumps({"columns": columns, "version": 1})
        self.write("schemas", [{"table": table, "version": 1, "body": body, "at": START}])

    def made_by_format(self, relative: str, version: str) -> None:
        """Pretend another Headrace wrote the table."""
        set_format(self.folder / "lake" / relative, version)


@pytest.fixture
def small(tmp_path: Path) -> SmallLake:
    """An empty deployment with the settings above."""
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    (tmp_path / "in").mkdir()
    return SmallLake(tmp_path)
