"""What a crash between a floor and its rows left behind, mended at the start."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.changes.columns import col, key_text
from headrace.changes.stored_key import check_key, stored_key
from headrace.config import Table
from headrace.lake import Lake, quoted
from headrace.ordering.collapse import POSITION
from headrace.ordering.floors import Floors
from headrace.tables import TABLES, TOMBSTONES


def mend(lake: Lake, name: str, table: Table, floors: Floors) -> DataFrame | None:
    """Delete a table's rows that lie below their floor.

    Raises ConfigError, before anything is written, where the table was made with another key.

    Returns:
        `key, position` of the rows deleted, to be told in `changed_keys`; None where there were none.
    """
    relative = TABLES.format(table=name)
    key = stored_key(lake, name, table)
    check_key(lake, name, table, key)
    if not key:
        return None
    below = _below_floors(lake, name, key, floors).localCheckpoint()
    if below.isEmpty():
        return None
    keyed = key_text([F.col(f"t.{quoted(column)}") for column in key])
    on = (keyed == F.col("s.key")) & (F.col(f"t.{POSITION}") < F.col("s.position"))
    lake.table(relative).alias("t").merge(below.alias("s"), on).whenMatchedDelete().execute()
    return below


def _below_floors(lake: Lake, name: str, key: list[str], floors: Floors) -> DataFrame:
    """`key, position` (the floor's) of stored rows that a truncate or a tombstone lies above."""
    stored = lake.read(TABLES.format(table=name))
    rows = stored.select(key_text([col(column) for column in key]).alias("key"), F.col(POSITION))
    floor = F.lit(floors.of(name).truncate or None).cast("string")
    stones = TOMBSTONES.path.format(table=name)
    if lake.exists(stones):
        highest = lake.read(stones).groupBy("key").agg(F.max("position").alias("_stone"))
        rows = rows.join(highest, "key", "left").withColumn("position", F.greatest(floor, F.col("_stone")))
    else:
        rows = rows.withColumn("position", floor)
    return rows.where(F.col(POSITION) < F.col("position")).select("key", "position")
