"""What base rows looked like when the derived rows they lead to were last computed.

A booking that moves from one customer to another changes the totals of both. The old one shows nowhere in the current
rows, and the table's own past is no safe source: a crash may lie between a MERGE and what was made of it. So the
columns that lead from a row to its derived keys are kept here, and brought up to date after the derived rows are.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from headrace.changes.columns import col, key_text, typed, untyped
from headrace.changes.some_keys import Keys
from headrace.lake import Assignments, Lake
from headrace.tables import REACHED, TABLES


def rows(lake: Lake, derived: str, base: str, schema: StructType, columns: Sequence[str], keys: Keys) -> DataFrame:
    """The remembered rows of some keys of a base table, with these columns, typed as the base is now."""
    types = {field.name: field.dataType.simpleString() for field in schema}
    values = [typed(F.col("columns").getItem(name), types[name]).alias(name) for name in columns]
    return _known(lake, derived, base, keys).select(*values)


def remember(
    lake: Lake,
    derived: str,
    base: str,
    schema: StructType,
    columns: Sequence[str],
    key: Sequence[str],
    keys: Keys | None,
) -> None:
    """Bring what is remembered of a base table up to its current rows.

    Args:
        key: the base's key columns, as it spells them.
        keys: only these; None for all.
    """
    relative = lake.ensure(REACHED, table=derived)
    types = {field.name: field.dataType.simpleString() for field in schema}
    current = lake.read(TABLES.format(table=base))
    current = current if keys is None else keys.among(current)
    pairs = [part for name in columns for part in (F.lit(name), untyped(col(name), types[name]))]
    now = current.select(
        key_text([col(name) for name in key]).alias("key"), F.map_entries(F.create_map(*pairs)).alias("_now")
    )
    before = _known(lake, derived, base, keys).select("key", F.map_entries("columns").alias("_before"))
    differs = ~F.col("_now").eqNullSafe(F.col("_before"))
    difference = now.join(before, "key", "full").where(differs).select(
        F.lit(base).alias("base"), "key", F.map_from_entries("_now").alias("columns")
    ).localCheckpoint()  # fmt: skip
    if difference.isEmpty():
        return
    with lake.writing(relative):
        merge = lake.table(relative).alias("t").merge(difference.alias("s"), "t.base = s.base AND t.key = s.key")
        merge = merge.whenMatchedDelete("s.columns IS NULL").whenMatchedUpdate(set={"columns": "s.columns"})
        values: Assignments = {name: f"s.{name}" for name in ("base", "key", "columns")}
        merge.whenNotMatchedInsert("s.columns IS NOT NULL", values).execute()


def _known(lake: Lake, derived: str, base: str, keys: Keys | None) -> DataFrame:
    known = lake.read(lake.ensure(REACHED, table=derived)).where(F.col("base") == base)
    if keys is None:
        return known
    return keys.texts().among(known)
