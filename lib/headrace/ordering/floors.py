"""Floors: the positions below which a key, or a whole table, has no past.

A delete is a floor under its key (`tombstones/<table>`), a truncate under every key of its table (`truncates`). A full
dump is a floor for older events as well, but removes only the rows it does not hold.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.lake import Lake, local_rows
from headrace.ordering.collapse import FLOOR, KEY, KNOWN_FLOOR, POSITION
from headrace.tables import TOMBSTONES, TRUNCATES


@dataclass(slots=True)
class Watermarks:
    """One table's floors as the driver knows them.

    Attributes:
        truncate: position of the newest truncate, or "".
        floor: the newest truncate or full dump, or "": no older event counts.
        newest_tombstone: no tombstone lies above it, or "".
        dumps: positions of the full dumps known, and their times at the source.
    """

    truncate: str = ""
    floor: str = ""
    newest_tombstone: str = ""
    dumps: dict[str, datetime | None] = field(default_factory=dict)

    def next_dump(self, floor: "TableFloor | None") -> "TableFloor | None":
        """The first full dump after this one that is known."""
        later = [position for position in self.dumps if floor is not None and position > floor[0]]
        return (min(later), self.dumps[min(later)]) if later else None


@dataclass(slots=True)
class Floors:
    """The floors of all tables, read once at start and kept up to date by the one writer."""

    marks: dict[str, Watermarks] = field(default_factory=dict)

    @classmethod
    def load(cls, lake: Lake, tables: list[str]) -> "Floors":
        """Read the floors of these tables from the lake."""
        floors = cls({name: Watermarks() for name in tables})
        if lake.exists(TRUNCATES.path):
            for row in lake.read(TRUNCATES.path).where(F.col("table").isin(tables)).collect():
                floors.raise_to(row["table"], row["kind"], row["position"], row["changed_at"])
        for name in tables:
            relative = TOMBSTONES.path.format(table=name)
            if lake.exists(relative):
                newest = lake.read(relative).agg(F.max("position")).first()
                floors.of(name).newest_tombstone = (newest[0] if newest else None) or ""
        return floors

    def of(self, table: str) -> Watermarks:
        """One table's floors."""
        return self.marks.setdefault(table, Watermarks())

    def raise_to(self, table: str, kind: str, position: str, changed_at: datetime | None) -> None:
        """A truncate or a dump at this position is known now."""
        marks = self.of(table)
        marks.floor = max(marks.floor, position)
        if kind == "truncate":
            marks.truncate = max(marks.truncate, position)
        else:
            marks.dumps[position] = changed_at


TableFloor = tuple[str, datetime | None]
"""Position and time at the source of a truncate or a dump."""


def add_table_floors(lake: Lake, floors: Floors, table: str, kind: str, found: list[TableFloor]) -> None:
    """Record truncates or a full dump of a table; in the lake first.

    Older truncates are kept as well: history needs each of them.
    """
    rows = [(table, position, kind, changed_at, datetime.now(UTC)) for position, changed_at in found]
    lake.append(local_rows(lake.spark, rows, TRUNCATES.schema), lake.ensure(TRUNCATES))
    for position, changed_at in found:
        floors.raise_to(table, kind, position, changed_at)


def add_tombstones(lake: Lake, floors: Floors, table: str, reduced: DataFrame, newest: str) -> None:
    """Append a floor for every key the batch deletes. `newest` is the highest of them."""
    relative = lake.ensure(TOMBSTONES, table=table)
    deleted = reduced.where(F.col(FLOOR).isNotNull() & F.col(KEY).isNotNull())
    # The time it was written, not the source's: a delete of years ago that arrives today must be remembered as long.
    written_at = F.current_timestamp().alias("deleted_at")
    rows = deleted.select(F.col(KEY).alias("key"), F.col(FLOOR).alias("position"), written_at)
    lake.append(rows, relative)
    marks = floors.of(table)
    marks.newest_tombstone = max(marks.newest_tombstone, newest)


def with_known_floors(lake: Lake, floors: Floors, table: str, reduced: DataFrame, oldest_upsert: str) -> DataFrame:
    """Add `_known_floor`: the highest floor the lake knows for each key, or null.

    Only floors above the batch's oldest upsert matter; in a stream that comes in order there are none, and the look-up
    reads no file at all (statistics on `position`).
    """
    marks = floors.of(table)
    table_floor = F.lit(marks.floor or None).cast("string")
    if marks.newest_tombstone <= oldest_upsert:
        return reduced.withColumn(KNOWN_FLOOR, table_floor)
    stones = lake.read(TOMBSTONES.path.format(table=table)).where(F.col("position") > oldest_upsert)
    wanted = F.broadcast(reduced.where(F.col(POSITION).isNotNull()).select(F.col(KEY).alias("key")))
    highest = (
        stones.join(wanted, "key", "left_semi")
        .groupBy(F.col("key").alias("_stone_key"))
        .agg(F.max("position").alias("_stone"))
    )
    joined = reduced.join(highest, F.col(KEY) == F.col("_stone_key"), "left")
    return joined.withColumn(KNOWN_FLOOR, F.greatest(table_floor, F.col("_stone"))).drop("_stone", "_stone_key")
