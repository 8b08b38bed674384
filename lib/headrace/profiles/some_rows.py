"""Look-ups of a few rows in the tables of people, and changes of them: no more is read than they need."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import Assignments, Lake, local_rows
from headrace.tables import IDENTIFIERS, TableContract

LITERALS = 500
"""As many values go into the plan as literals, so that Delta skips files and Parquet skips pages; more are joined."""
FEW = 40
"""As many are looked for one by one: of a list Delta and Parquet ask for no more than its smallest and largest."""
FROM_THE_DRIVER = {
    # Rows of the driver are the same each time they are read: Delta need not write them down before it merges them.
    "spark.databricks.delta.merge.materializeSource": "none",
}


def any_of(column: Column, wanted: Collection[str]) -> Column:
    """Whether a column is one of these; of few in a form by which files and pages are passed over."""
    if len(wanted) > FEW:
        return column.isin(list(wanted))
    return reduce(or_, [column == one for one in sorted(wanted)], F.lit(False))


def picked(rows: DataFrame, column: str, wanted: Collection[str]) -> DataFrame:
    """The rows whose column is one of these."""
    if len(wanted) <= LITERALS:
        return rows.where(any_of(F.col(column), wanted))
    some = local_rows(rows.sparkSession, [(one,) for one in wanted], f"{column} string")
    return rows.join(F.broadcast(some), column, "left_semi")


def put(lake: Lake, contract: TableContract, rows: Sequence[Sequence[object]], delete: str = "") -> None:
    """Write rows of the contract's schema in place of those of the same key, in one commit.

    Of a few only the pages they are on are read. MERGE reads files whole: Delta numbers a table's rows before it asks
    which of them it wants, and no condition gets past that.

    Args:
        delete: SQL over a row `s`: what it holds for is deleted instead.
    """
    told = local_rows(lake.spark, rows, contract.schema)
    if len(rows) > FEW:
        with lake.setting(FROM_THE_DRIVER):
            merge(lake, contract, told, delete)
    elif rows:
        keys = [dict(zip(told.columns, row, strict=True)) for row in rows]
        staying = told.alias("s").where(f"NOT ({delete or False})")
        lake.replace(staying.coalesce(1), lake.ensure(contract), _of_keys(contract, keys))


def merge(lake: Lake, contract: TableContract, rows: DataFrame, delete: str = "") -> None:
    """Update the rows that are there, by the contract's key, and insert the others.

    Args:
        delete: SQL over a row `s`: what it holds for is deleted instead.
    """
    relative = lake.ensure(contract)
    every: Assignments = {column: f"s.{column}" for column in rows.columns}
    with lake.writing(relative):
        builder = lake.table(relative).alias("t").merge(rows.alias("s"), _same_key(contract))
        if delete:
            builder = builder.whenMatchedDelete(delete)
        builder = builder.whenMatchedUpdate(set=every)
        builder.whenNotMatchedInsert(f"NOT ({delete or False})", values=every).execute()


def remove_entries(lake: Lake, entries: DataFrame) -> None:
    """Take entries, columns as the key of `identifiers`, out of the index."""
    relative = lake.ensure(IDENTIFIERS)
    with lake.writing(relative):
        builder = lake.table(relative).alias("t").merge(entries.distinct().alias("s"), _same_key(IDENTIFIERS))
        builder.whenMatchedDelete().execute()


def remove_some_entries(lake: Lake, entries: Sequence[tuple[str, ...]]) -> None:
    """`remove_entries` of entries that the driver holds."""
    if len(entries) > FEW:
        fields = ", ".join(f"{column} string" for column in IDENTIFIERS.key)
        with lake.setting(FROM_THE_DRIVER):
            remove_entries(lake, local_rows(lake.spark, entries, fields))
    elif entries:
        relative = lake.ensure(IDENTIFIERS)
        keys = [dict(zip(IDENTIFIERS.key, entry, strict=True)) for entry in entries]
        with lake.writing(relative):
            lake.table(relative).delete(_of_keys(IDENTIFIERS, keys))


def _same_key(contract: TableContract) -> Column:
    return F.expr(" AND ".join(f"t.{column} = s.{column}" for column in contract.key))


def _of_keys(contract: TableContract, rows: Sequence[Mapping[str, object]]) -> str:
    """SQL for the rows with one of these keys, in a form by which files and pages are passed over."""
    same = (" AND ".join(f"{column} = {_literal(row[column])}" for column in contract.key) for row in rows)
    return " OR ".join(f"({one})" for one in same)


def _literal(value: object) -> str:
    """A text or a time as Spark's SQL writes it; `${...}` in a text stays as it is."""
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.astimezone(UTC).isoformat()}'"
    text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024")
    return f"'{text}'"
