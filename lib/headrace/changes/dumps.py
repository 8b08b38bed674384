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


def as_changes(
    rows: DataFrame, shape: Shape, current: DataFrame | None, floor: str, complete: bool
) -> tuple[DataFrame, str | None]:
    """Compare a dump with the table.

    Args:
        rows: the rows of a dump, from `Typing.rows`; of several dumps the newest counts.
        current: what was known of living rows, or None before the first load.
        floor: the newest truncate or dump known.
        complete: whether these are all rows there are of it. Replayed rows are not, nor are those beside a message that
            could not be read: it may be any key's.

    Returns:
        Rows of the same columns: those new or different as upserts, missing keys as deletes at the dump's position,
        rejected rows as they are; and the dump's own floor. An older dump than `floor` comes back as it is (it is stale
        row by row) with None. Nothing is deleted where a row has no readable key, and by what follows as a further part
        of a dump that was applied already.
    """
    no_key = F.col(PROBLEM).isNotNull() & F.col(KEY).isNull()
    newest = rows.agg(F.max(POSITION), F.count_if(no_key)).first()
    source_part = str(newest[0]).rpartition("-")[0] if newest and newest[0] else ""
    start = f"{source_part}-{SNAPSHOT_START_RANK}{_NO_HASH}"
    if not source_part or start < floor:
        return rows, None
    rows = rows.where(F.col(PROBLEM).isNotNull() | (F.col(POSITION) >= start))
    if current is None or not all(name in current.columns for name in shape.key):
        return rows, start
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
    if not complete:
        return changes, None
    if start == floor or (newest and newest[1]):
        return changes, start
    gone = stored.join(rows.select(KEY), F.col("_stored_key") == F.col(KEY), "left_anti")
    return changes.unionByName(_deletes(gone, rows, shape, f"{source_part}-{RANKS['delete']}{_NO_HASH}")), start


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
