"""Full dumps (`format: snapshot`): a complete picture of a table -> the changes since the picture before.

A dump is a floor: what is older than it no longer counts. Rows it shows unchanged are left alone, so the cost of a dump
is a read of the table and a write of the difference.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.changes.columns import col, key_text
from headrace.changes.table_rows import PASSED_ON, REASON, Shape
from headrace.ordering.collapse import CHANGED_AT, KEY, OP, POSITION, PROBLEM, SENT, WARNING
from headrace.ordering.position import RANKS, SNAPSHOT_RANK, SNAPSHOT_START_RANK

_NO_HASH = "0" * 12


def deleted(floor: str) -> str:
    """The position of what a dump lacks."""
    return _at(floor, RANKS["delete"] + _NO_HASH)


def confirmed(floor: str) -> str:
    """The position of what a dump holds and said already: below its own rows."""
    return _at(floor, SNAPSHOT_RANK + _NO_HASH)


def end(floor: str) -> str:
    """A position above everything a dump says, and below all later ones."""
    return _at(floor, "9")


def _at(position: str, rank: str) -> str:
    return f"{position.rpartition('-')[0]}-{rank}"


@dataclass(frozen=True, slots=True)
class Dump:
    """The newest dump among some rows.

    Attributes:
        floor: the position just below its rows; "" where no row has a position.
        changed_at: its time at the source.
        keyless: rows without a readable key.
    """

    floor: str
    changed_at: datetime | None
    keyless: int


def newest(rows: DataFrame) -> Dump:
    """The newest dump among these rows."""
    no_key = F.col(PROBLEM).isNotNull() & F.col(KEY).isNull()
    found = rows.agg(
        F.max(POSITION).alias("position"), F.max(CHANGED_AT).alias("at"), F.count_if(no_key).alias("keyless")
    ).collect()[0]
    floor = _at(found["position"], SNAPSHOT_START_RANK + _NO_HASH) if found["position"] else ""
    return Dump(floor, found["at"], int(found["keyless"]))


def as_changes(rows: DataFrame, shape: Shape, current: DataFrame | None, dump: Dump, whole: bool) -> DataFrame:
    """Compare a dump with the table.

    Args:
        rows: the rows of a dump, from `Typing.rows`; of several dumps the newest counts.
        current: what was known of living rows at that time, or None before the first load.
        dump: from `newest`.
        whole: whether a key that is not among these rows is gone.

    Returns:
        Rows of the same columns: those new or different as upserts, missing keys as deletes at the dump's position,
        rejected rows as they are.
    """
    rows = rows.where(F.col(PROBLEM).isNotNull() | (F.col(POSITION) >= dump.floor))
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
    return changes.unionByName(_deletes(gone, rows, shape, dump))


def _deletes(gone: DataFrame, rows: DataFrame, shape: Shape, dump: Dump) -> DataFrame:
    types = dict(zip(rows.columns, rows.schema.fields, strict=True))

    def nothing(name: str) -> Column:
        return F.lit(None).cast(types[name].dataType).alias(name)

    known = {
        KEY: F.col("_stored_key"), OP: F.lit("delete"), POSITION: F.lit(deleted(dump.floor)),
        CHANGED_AT: F.lit(dump.changed_at).cast("timestamp"),
    }  # fmt: skip
    values = [
        F.col("_stored").getField(name).alias(name) if name in shape.key else nothing(name) for name in shape.names
    ]
    rest = [
        known[name].alias(name) if name in known else nothing(name)
        for name in (KEY, OP, POSITION, CHANGED_AT, SENT, PROBLEM, REASON, WARNING, *PASSED_ON)
    ]
    return gone.select(*values, *rest)
