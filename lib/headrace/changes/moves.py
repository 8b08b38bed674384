"""Values a source leaves out after a primary-key change: they stand under the old key.

PostgreSQL sends a key change as a delete and an insert; a large unchanged (TOASTed) value is left out of the insert as
well, though the new key has no row yet to keep it. It is looked up under the old key: in the batch, in the table, then
in the last few versions of the table, which still hold a row deleted lately. What is nowhere stays null and is told as
`unresolved value`; a replay mends the row if the old key's value has come by then. An older value that stands under the
old key when the move arrives is taken, even if a newer one comes late.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from headrace.changes.old_rows import Event, Key, Past, Place, Stored, Wanted, change_of, deleted_lately, stored_rows
from headrace.changes.schema import TableSchema
from headrace.config import Table
from headrace.lake import Lake, local_rows

LOOKUPS_AT_ONCE = 20_000
ROUNDS = 10


def resolve(
    lake: Lake, path: str, events: DataFrame, table: Table, schema: TableSchema
) -> tuple[DataFrame, DataFrame | None]:
    """Fill what moved rows left out.

    Returns:
        The events, with values found put into `after` and `sent`; and those still unresolved, or None.
    """
    everything = {column.source for column in schema.columns} - set(table.drop)
    incomplete = events.where(F.col("moved_from").isNotNull() & F.col("sent").isNotNull())
    columns = ("key", "position", "moved_from", "sent", "left_out")
    movers = incomplete.select(*columns).distinct().collect()
    wanted = {
        (row["key"], row["position"]): (_old_key(row["moved_from"], table), _missing(row, everything)) for row in movers
    }
    if not any(missing for _, missing in wanted.values()):
        return events, None
    found: dict[Place, dict[str, str | None]] = {}
    left: Wanted = {}
    past: Past = {}
    places = list(wanted)
    for start in range(0, len(places), LOOKUPS_AT_ONCE):
        part = {place: wanted[place] for place in places[start : start + LOOKUPS_AT_ONCE]}
        past |= _past_in_batch(events, part, table)
        stored = stored_rows(lake, path, [old for old, _ in part.values()], table, schema)
        left |= _take(part, past, stored, found)
    if left:
        own = stored_rows(lake, path, [tuple(msgspec.json.decode(key)) for key, _ in left], table, schema)
        open_ones = {place: want for place, want in left.items() if not _settled(place, want[1], own)}
        # The row may be written and its history not yet: a batch that died in between asks once more.
        left = left if table.history else open_ones
        left = _take(left, past, deleted_lately(lake, path, left, past, table, schema), found)
        left = {place: want for place, want in left.items() if place in open_ones}
    return _filled(events, found), _unresolved(events, left)


def _take(
    wanted: Wanted,
    past: Past,
    stored: Mapping[Key, Stored],
    found: dict[Place, dict[str, str | None]],
) -> Wanted:
    """Put into `found` what batch and table hold; what is still missing comes back."""
    left: Wanted = {}
    for place, (old, missing) in wanted.items():
        found.setdefault(place, {}).update(_look_up(place[1], old, missing, past, stored))
        if missing - set(found[place]):
            left[place] = (old, missing - set(found[place]))
    return left


def _settled(place: Place, missing: set[str], own: Mapping[Key, Stored]) -> bool:
    """Whether the moved row's own values are as new already: it came before, or something newer did."""
    row = own.get(tuple(msgspec.json.decode(place[0])))
    return row is not None and all(row.carried.get(name, row.position) >= place[1] for name in missing)


def _missing(row: Row, everything: set[str]) -> set[str]:
    """The columns to look up. One that is neither sent nor named as left out did not exist yet under either key."""
    if row["left_out"]:
        return everything & set(row["left_out"])
    return everything - set(row["sent"])


def _old_key(moved_from: str, table: Table) -> Key:
    old = msgspec.json.decode(moved_from, type=dict[str, str | None])
    return tuple(old.get(name) for name in table.key)


def _past_in_batch(events: DataFrame, wanted: Wanted, table: Table) -> Past:
    """Events of the old keys in this batch, and of the keys those came from."""
    past: Past = defaultdict(list)
    ask = {old for old, _ in wanted.values()}
    for _ in range(ROUNDS):
        if not ask:
            break
        keys = [msgspec.json.encode(list(old)).decode() for old in ask]
        rows = events.where(F.col("key").isin(keys)).select("key", "position", "op", "after", "sent", "moved_from")
        came_from: set[Key] = set()
        for row in rows.collect():
            key = tuple(msgspec.json.decode(row["key"]))
            origin = _old_key(row["moved_from"], table) if row["moved_from"] else None
            values: dict[str, Any] = msgspec.json.decode(row["after"]) if row["after"] else {}
            sent = set(row["sent"]) if row["sent"] is not None else None
            past[key].append(Event(row["position"], row["op"], values, sent, origin))
            if origin is not None:
                came_from.add(origin)
        ask = came_from - set(past)
    return past


def _look_up(
    before: str, old: Key, missing: set[str], past: Past, stored: Mapping[Key, Stored], depth: int = 0
) -> dict[str, str | None]:
    """Values of the missing columns as they stood under the old key just before a position."""
    found: dict[str, tuple[str, str | None]] = {}
    row = stored.get(old)
    if row is not None:
        for name in missing & set(row.values):
            at = row.carried.get(name, row.position)
            if at and at < before:
                found[name] = (at, row.values[name])
    earlier = sorted((event for event in past.get(old, []) if event.position < before), key=lambda e: e.position)
    # The delete that is half of the key change stands at the same source position as the insert.
    for event in earlier:
        if event.op == "delete":
            if change_of(event.position) != change_of(before):
                found = {name: value for name, value in found.items() if value[0] > event.position}
            continue
        for name in missing:
            if event.sent is None or name in event.sent:
                if name not in found or found[name][0] < event.position:
                    found[name] = (event.position, event.values.get(name))
        left = missing - set(found)
        if event.moved_from is not None and left and depth < ROUNDS:
            older = _look_up(event.position, event.moved_from, left, past, stored, depth + 1)
            found.update({name: (event.position, value) for name, value in older.items()})
    return {name: value for name, (_, value) in found.items()}


def _filled(events: DataFrame, found: dict[Place, dict[str, str | None]]) -> DataFrame:
    rows = [(key, at, msgspec.json.encode(values).decode(), list(values)) for (key, at), values in found.items()]
    patches = local_rows(events.sparkSession, rows, "_pk string, _pp string, _patch string, _patched array<string>")
    joined = events.join(
        F.broadcast(patches), (F.col("key") == F.col("_pk")) & (F.col("position") == F.col("_pp")), "left"
    )
    both = F.map_concat(F.from_json("after", "map<string,string>"), F.from_json("_patch", "map<string,string>"))
    patched = F.col("_patch").isNotNull() & F.col("sent").isNotNull()
    return joined.withColumns(
        {
            "after": F.when(patched, F.to_json(both)).otherwise(F.col("after")),
            "sent": F.when(patched, F.array_union("sent", "_patched")).otherwise(F.col("sent")),
        }
    ).select(*events.columns)


def _unresolved(events: DataFrame, wanted: Wanted) -> DataFrame | None:
    left = [(*place, _told(missing)) for place, (_, missing) in wanted.items()]
    if not left:
        return None
    places = local_rows(events.sparkSession, left, "_uk string, _up string, _detail string")
    joined = events.join(F.broadcast(places), (F.col("key") == F.col("_uk")) & (F.col("position") == F.col("_up")))
    told = joined.withColumns(
        {
            "detail": F.concat(F.col("_detail"), F.lit(". The column is null; `headrace replay` mends it.")),
            "reason": F.lit("unresolved value"),
        }
    )
    return told.select(*events.columns)


def _told(missing: set[str]) -> str:
    return f"expected the value of {', '.join(sorted(missing))} under the old key; found none"
