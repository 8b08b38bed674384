"""Rows of keys that changed, as the table holds them or held them lately."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from pyspark.sql import functions as F

from headrace.changes.columns import col, untyped
from headrace.changes.schema import TableSchema
from headrace.config import Table
from headrace.lake import Lake, local_rows
from headrace.tables import CHANGES_LOG, TOMBSTONES, TRUNCATES

VERSIONS_BACK = 5
"""Earlier versions of the table to look into: a batch, upkeep and new columns make one each."""

Key = tuple[str | None, ...]
"""Values of the key columns as text."""


@dataclass(slots=True)
class Event:
    position: str
    op: str
    values: dict[str, str | None]
    sent: set[str] | None
    moved_from: Key | None


@dataclass(slots=True)
class Stored:
    position: str
    carried: dict[str, str]
    values: dict[str, str | None]


Place = tuple[str, str]
"""Key and position of a moved row."""
Wanted = dict[Place, tuple[Key, set[str]]]
"""Its old key and the columns to be found there."""
Past = dict[Key, list[Event]]


def stored_rows(
    lake: Lake, path: str, keys: Iterable[Key], table: Table, schema: TableSchema, version: int | None = None
) -> dict[Key, Stored]:
    """The rows of these keys in the table, now or as of a version, as texts by source column."""
    if not lake.exists(path):
        return {}
    rows = lake.read(path, version)
    held = [column for column in schema.columns if column.name in rows.columns]
    key_columns = [column for name in table.key if (column := schema.find(name)) is not None]
    asked = local_rows(
        lake.spark,
        sorted({key for key in keys if None not in key}),
        ", ".join(f"_k{i} string" for i in range(len(table.key))),
    )
    matches = [
        untyped(col(column.name), column.type) == F.col(f"_k{index}") for index, column in enumerate(key_columns)
    ]
    carried = F.col("_carried") if "_carried" in rows.columns else F.lit(None).cast("map<string,string>")
    on = matches[0]
    for match in matches[1:]:
        on = on & match
    found = rows.join(F.broadcast(asked), on).select(
        F.array(*[F.col(f"_k{index}") for index in range(len(table.key))]).alias("key"),
        F.col("_position").alias("position"),
        carried.alias("carried"),
        F.array(*[untyped(col(column.name), column.type) for column in held]).alias("texts"),
    )
    names = {column.name: column.source for column in held}
    return {
        tuple(row["key"]): Stored(
            row["position"],
            {names.get(name, name): at for name, at in (row["carried"] or {}).items()},
            dict(zip([column.source for column in held], row["texts"], strict=True)),
        )
        for row in found.collect()
    }


def deleted_lately(
    lake: Lake, path: str, wanted: Wanted, past: Past, table: Table, schema: TableSchema
) -> dict[Key, Stored]:
    """Rows of the old keys that a recent commit deleted, as they last stood.

    The delete may have come alone, a batch before; or a crash left it without the insert, and the start mended that.
    """
    found: dict[Key, Stored] = {}
    moved_at = _origins(wanted, past)
    ask = set(moved_at)
    if not ask or not lake.exists(path):
        return found
    newest = lake.version(path)
    for version in range(newest - 1, max(newest - 1 - VERSIONS_BACK, 0), -1):
        found |= stored_rows(lake, path, ask, table, schema, version)
        ask -= set(found)
        if not ask:
            break
    name = path.rpartition("/")[2]
    for old in _ended_before(lake, name, found, moved_at):
        del found[old]
    alone = {old: row for old, row in found.items() if not _ends(past, old, moved_at[old])}
    for old in _changed_since(lake, name, alone):
        del found[old]
    return found


def _origins(wanted: Wanted, past: Past) -> dict[Key, str]:
    """The old keys, and those their rows came from in this batch; with the last position each was moved at."""
    moved_at: dict[Key, str] = {}
    todo = [(old, at) for (_, at), (old, _) in wanted.items()]
    while todo:
        old, at = todo.pop()
        if moved_at.get(old, "") < at:
            moved_at[old] = at
            todo += [(event.moved_from, event.position) for event in past.get(old, []) if event.moved_from is not None]
    return moved_at


def _ended_before(lake: Lake, name: str, rows: Mapping[Key, Stored], moved_at: Mapping[Key, str]) -> set[Key]:
    """Keys whose row had gone before the key change: what moved was a later row of that key."""
    if not rows:
        return set()
    floors = defaultdict(list)
    stones = TOMBSTONES.path.format(table=name)
    if lake.exists(stones):
        keys = [(msgspec.json.encode(list(key)).decode(),) for key in rows]
        asked = F.broadcast(local_rows(lake.spark, keys, "key string"))
        for row in lake.read(stones).join(asked, "key").select("key", "position").distinct().collect():
            floors[tuple(msgspec.json.decode(row["key"]))].append(row["position"])
    truncates: list[str] = []
    if lake.exists(TRUNCATES.path):
        mine = lake.read(TRUNCATES.path).where((F.col("table") == name) & (F.col("kind") == "truncate"))
        truncates = [row["position"] for row in mine.select("position").collect()]
    return {
        key
        for key, row in rows.items()
        if any(
            row.position < floor and change_of(floor) < change_of(moved_at[key]) for floor in [*floors[key], *truncates]
        )
    }


def change_of(position: str) -> str:
    """The part of a position that both halves of a key change share."""
    return position.rpartition("-")[0]


def _ends(past: Past, old: Key, at: str) -> bool:
    """Whether the delete that belongs to a key change is in this batch, and all that came with it."""
    return any(event.op == "delete" and change_of(event.position) == change_of(at) for event in past.get(old, []))


def _changed_since(lake: Lake, name: str, rows: Mapping[Key, Stored]) -> set[Key]:
    """Keys with a newer upsert than these rows, which came in one batch with the delete and so never was a row."""
    if not rows:
        return set()
    if not lake.exists(CHANGES_LOG.path):
        return set(rows)
    asked = local_rows(
        lake.spark,
        [(msgspec.json.encode(list(key)).decode(), row.position) for key, row in rows.items()],
        "_ak string, _ap string",
    )
    log = lake.read(CHANGES_LOG.path).where(
        (F.col("table") == name)
        & (F.col("op") == "upsert")
        & (F.col("position") > min(r.position for r in rows.values()))
    )
    newer = log.join(F.broadcast(asked), (F.col("key") == F.col("_ak")) & (F.col("position") > F.col("_ap")))
    return {tuple(msgspec.json.decode(row["key"])) for row in newer.select("key").distinct().collect()}
