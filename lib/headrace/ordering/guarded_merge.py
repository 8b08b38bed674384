"""The guarded MERGE: a stored value changes only when the incoming position is higher."""

from collections.abc import Sequence
from dataclasses import dataclass

from delta.tables import DeltaTable
from pyspark.sql import DataFrame

from headrace.lake import Assignments, quoted
from headrace.ordering.collapse import FLOOR, KNOWN_FLOOR, POSITION, UNHEARD, at_column
from headrace.tables import CARRIED, CHANGED_AT


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows of the table that a MERGE changed."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def applied(self) -> int:
        return self.inserted + self.updated + self.deleted


def merge(
    target: DeltaTable,
    source: DataFrame,
    *,
    key: Sequence[str],
    columns: Sequence[str],
    partial: Sequence[str],
    inserts: bool = True,
) -> Merged:
    """Bring a table to the state its stored rows and the reduced batch give together.

    Args:
        source: from `collapse.above_floors`: at most one row per key.
        key: key columns, part of `columns`.
        partial: columns that carry a position of their own (the table then has `_carried`).
        inserts: False where the batch holds no upsert: the MERGE then takes its cheaper, matched-only path.
    """
    on = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in key)
    whole = [name for name in columns if name not in set(partial)]
    dead = f"s.{POSITION} IS NULL AND s.{FLOOR} > t.{POSITION}"
    builder = target.alias("t").merge(source.alias("s"), on).whenMatchedDelete(dead)
    if partial:
        builder = builder.whenMatchedUpdate(_partial_news(partial), _partial_update(whole, key, partial))
    else:
        update: Assignments = {
            quoted(name): f"s.{quoted(name)}" for name in [*whole, POSITION, CHANGED_AT] if name not in key
        }
        builder = builder.whenMatchedUpdate(f"s.{POSITION} > t.{POSITION}", update)
    if inserts:
        values: Assignments = {quoted(name): f"s.{quoted(name)}" for name in [*columns, POSITION, CHANGED_AT]}
        if partial:
            values[CARRIED] = _carried({name: _inserted_at(i) for i, name in enumerate(partial)}, f"s.{POSITION}")
        builder = builder.whenNotMatchedInsert(f"s.{POSITION} IS NOT NULL", values)
    counts = builder.execute().first()
    if counts is None:
        return Merged()
    return Merged(int(counts["num_inserted_rows"]), int(counts["num_updated_rows"]), int(counts["num_deleted_rows"]))


def first_load(reduced: DataFrame, columns: Sequence[str], partial: Sequence[str]) -> DataFrame:
    """The rows to append to an empty table: what `merge` would insert, without reading the table."""
    values = [f"s.{quoted(name)}" for name in [*columns, POSITION, CHANGED_AT]]
    if partial:
        inserted = {name: _inserted_at(index) for index, name in enumerate(partial)}
        values.append(f"{_carried(inserted, f's.{POSITION}')} AS {CARRIED}")
    return reduced.alias("s").where(f"s.{POSITION} IS NOT NULL").selectExpr(*values)


def _stored_at(name: str) -> str:
    return f"coalesce(t.{CARRIED}[{_text(name)}], t.{POSITION})"


def _inserted_at(index: int) -> str:
    # A value nobody sent counts from the highest known floor: an event below it was deleted, one above may still come.
    return f"coalesce(s.{at_column(index)}, s.{KNOWN_FLOOR}, '')"


def _new_at(index: int, name: str) -> str:
    return f"greatest({_stored_at(name)}, s.{KNOWN_FLOOR}, s.{at_column(index)})"


def _newest() -> str:
    return f"CASE WHEN s.{POSITION} > t.{POSITION} THEN s.{POSITION} ELSE t.{POSITION} END"


def _partial_news(partial: Sequence[str]) -> str:
    """True where the row or one of its carried values changes."""
    carried = " OR ".join(
        f"s.{at_column(i)} > {_stored_at(name)} OR s.{KNOWN_FLOOR} > {_stored_at(name)}"
        for i, name in enumerate(partial)
    )
    return f"s.{POSITION} > t.{POSITION} OR {carried}"


def _partial_update(whole: Sequence[str], key: Sequence[str], partial: Sequence[str]) -> Assignments:
    newer = f"s.{POSITION} > t.{POSITION}"
    update: Assignments = {
        quoted(name): f"CASE WHEN {newer} THEN s.{quoted(name)} ELSE t.{quoted(name)} END"
        for name in [*whole, CHANGED_AT]
        if name not in key
    }
    for index, name in enumerate(partial):
        if name == UNHEARD:
            continue
        update[quoted(name)] = (
            f"CASE WHEN s.{at_column(index)} > {_stored_at(name)} THEN s.{quoted(name)} "
            f"WHEN s.{KNOWN_FLOOR} > {_stored_at(name)} THEN NULL ELSE t.{quoted(name)} END"
        )
    update[POSITION] = _newest()
    update[CARRIED] = _carried({name: _new_at(i, name) for i, name in enumerate(partial)}, _newest())
    return update


def _carried(positions: dict[str, str], row: str) -> str:
    """The map of those values that are older than their row."""
    entries = ", ".join(f"struct({_text(name)} AS key, {at} AS value)" for name, at in positions.items())
    return f"map_from_entries(filter(array({entries}), e -> e.value < {row}))"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
