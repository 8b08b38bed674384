"""Full dumps (`format: snapshot`): a complete picture of a table -> the changes since the picture before.

A dump is a floor: what is older than it no longer counts. Rows it shows unchanged are left alone, so the cost of a dump
is a read of the table and a write of the difference.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.changes.columns import col, key_text
from headrace.changes.table_rows import PASSED_ON, REASON, Shape
from headrace.ordering.collapse import CHANGED_AT, KEY, OP, POSITION, PROBLEM, SENT, WARNING
from headrace.ordering.position import RANKS, SNAPSHOT_START_RANK

_NO_HASH = "0" * 12


def newest(rows: DataFrame) -> tuple[str, int]:
    """The floor that the newest dump among these rows is, "" where no row has a position; and how many have no key."""
    no_key = F.col(PROBLEM).isNotNull() & F.col(KEY).isNull()
    found = rows.agg(F.max(POSITION).alias("position"), F.count_if(no_key).alias("keyless")).collect()[0]
    source_part = str(found["position"] or "").rpartition("-")[0]
    return f"{source_part}-{SNAPSHOT_START_RANK}{_NO_HASH}" if source_part else "", int(found["keyless"])


def as_changes(rows: DataFrame, shape: Shape, current: DataFrame | None, start: str, whole: bool) -> DataFrame:
    """Compare a dump with the table.

    Args:
        rows: the rows of a dump, from `Typing.rows`; of several dumps the newest counts.
        current: what was known of living rows, or None before the first load.
        start: the newest dump's floor.
        whole: whether a key that is not among these rows is gone.

    Returns:
        Rows of the same columns: those new or different as upserts, missing keys as deletes at the dump's position,
        rejected rows as they are.
    """
    rows = rows.where(F.col(PROBLEM).isNotNull() | (F.col(POSITION) >= start))
    if current is None or not all(name in current.columns for name in shape.key):
        return rows
    held = [name for name in shape.names if name in current.columns]
    stored = current.select(
        key_text([col(name) for name in shape.key]).alias("_stored_key"),
        F.struct(*[col(name) for name in held]).alias("_stored"),
    )
    told = F.struct(*[col(name) for name in held])
    new_columns = [col(name).isNotNull() for name in shape.names if name not in held]
    adds = reduce(lambda left, right: left | right, new_columns, F.lit(False))
    joined = rows.join(stored, F.col(KEY) == F.col("_stored_key"), "left")
    differs = F.col("_stored").isNull() | ~F.col("_stored").eqNullSafe(told) | adds | F.col(PROBLEM).isNotNull()
    changes = joined.where(differs).select(*rows.columns)
    if not whole:
        return changes
    gone = stored.join(rows.select(KEY), F.col("_stored_key") == F.col(KEY), "left_anti")
    at = f"{start.rpartition('-')[0]}-{RANKS['delete']}{_NO_HASH}"
    return changes.unionByName(_deletes(gone, rows, shape, at))


def _deletes(gone: DataFrame, rows: DataFrame, shape: Shape, position: str) -> DataFrame:
    types = dict(zip(rows.columns, rows.schema.fields, strict=True))

    def nothing(name: str) -> Column:
        return F.lit(None).cast(types[name].dataType).alias(name)

    known = {KEY: F.col("_stored_key"), OP: F.lit("delete"), POSITION: F.lit(position)}
    values = [
        F.col("_stored").getField(name).alias(name) if name in shape.key else nothing(name) for name in shape.names
    ]
    rest = [
        known[name].alias(name) if name in known else nothing(name)
        for name in (KEY, OP, POSITION, CHANGED_AT, SENT, PROBLEM, REASON, WARNING, *PASSED_ON)
    ]
    return gone.select(*values, *rest)
