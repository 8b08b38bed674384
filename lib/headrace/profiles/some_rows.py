"""Look-ups of a few rows in the tables of people, and MERGE into them: no more is read than they need."""

from collections.abc import Collection
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
_FROM_THE_DRIVER = {
    # Rows of the driver are the same each time they are read: Delta need not write them down before it merges them.
    "spark.databricks.delta.merge.materializeSource": "none",
}
_UNTOLD = {
    # Delta writes a condition into the table's log; keys of records do not belong there.
    "spark.databricks.delta.commitInfo.enabled": "false",
}


def any_of(column: Column, wanted: Collection[str]) -> Column:
    """Whether a column is one of these; of few in a form by which files and pages are passed over."""
    if len(wanted) > FEW:
        return column.isin(list(wanted))
    return reduce(or_, [column == one for one in sorted(wanted)], F.lit(False))


def few_of(contract: TableContract, wanted: Collection[str]) -> Column | None:
    """Whether a row `t` has one of these in the column the table is sorted by; None where they are not few."""
    return any_of(F.col(f"t.{contract.sorted_by}"), wanted) if len(wanted) <= FEW else None


def from_the_driver(few: Column | None) -> dict[str, str]:
    """Settings to merge rows that the driver holds, under the condition of `few_of`."""
    return _FROM_THE_DRIVER if few is None else _FROM_THE_DRIVER | _UNTOLD


def picked(rows: DataFrame, column: str, wanted: Collection[str]) -> DataFrame:
    """The rows whose column is one of these."""
    if len(wanted) <= LITERALS:
        return rows.where(any_of(F.col(column), wanted))
    some = local_rows(rows.sparkSession, [(one,) for one in wanted], f"{column} string")
    return rows.join(F.broadcast(some), column, "left_semi")


def merge_few(lake: Lake, contract: TableContract, rows: DataFrame, wanted: Collection[str], delete: str = "") -> None:
    """`merge` of rows that the driver holds; of a few of them only the pages they are on are read.

    Args:
        wanted: their values of the column that the table is sorted by.
    """
    few = few_of(contract, wanted)
    with lake.setting(from_the_driver(few)):
        merge(lake, contract, rows, delete, few)


def merge(lake: Lake, contract: TableContract, rows: DataFrame, delete: str = "", within: Column | None = None) -> None:
    """Update the rows that are there, by the contract's key, and insert the others.

    Args:
        delete: SQL over a row `s`: what it holds for is deleted instead.
        within: holds for the rows `t` of the table that there may be.
    """
    relative = lake.ensure(contract)
    every: Assignments = {column: f"s.{column}" for column in rows.columns}
    with lake.writing(relative):
        builder = lake.table(relative).alias("t").merge(rows.alias("s"), _same_key(contract, within))
        if delete:
            builder = builder.whenMatchedDelete(delete)
        builder = builder.whenMatchedUpdate(set=every)
        builder.whenNotMatchedInsert(f"NOT ({delete or False})", values=every).execute()


def remove_entries(lake: Lake, entries: DataFrame, within: Column | None = None) -> None:
    """Take entries, columns as the key of `identifiers`, out of the index.

    Args:
        within: holds for the rows `t` of the index that there may be.
    """
    relative = lake.ensure(IDENTIFIERS)
    with lake.writing(relative):
        builder = lake.table(relative).alias("t").merge(entries.distinct().alias("s"), _same_key(IDENTIFIERS, within))
        builder.whenMatchedDelete().execute()


def _same_key(contract: TableContract, within: Column | None) -> Column:
    same = F.expr(" AND ".join(f"t.{column} = s.{column}" for column in contract.key))
    return same if within is None else same & within
