"""What a batch leaves behind beside the tables: the log, the rejects, the changed keys and its own record."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.changes.facts import TableFacts
from headrace.changes.freeze import Progress
from headrace.changes.table_rows import REASON
from headrace.lake import Lake, Transaction, local_rows, struct
from headrace.ordering.collapse import POSITION, PROBLEM
from headrace.tables import BATCHES, CHANGED_KEYS, CHANGES_LOG, REJECTS

if TYPE_CHECKING:
    from headrace.changes.derive import Derived
    from headrace.changes.ordered_table import Outcome

JOB = "apply_changes"


def append_log(lake: Lake, envelopes: DataFrame, batch: str, exact: Transaction | None) -> None:
    """Append every message of the batch to `changes_log`, once for each change it carries."""
    rows = envelopes.select(
        "source", "source_table", "table", "op", "key", "position", "changed_at", "arrived_at", "transaction",
        "initiator", *_message(batch),
    )  # fmt: skip
    lake.append(rows, lake.ensure(CHANGES_LOG), _part(exact, "log"))


def append_rejects(
    lake: Lake,
    envelopes: DataFrame,
    facts: Mapping[str, TableFacts],
    outcomes: Mapping[str, "Outcome"],
    derived: Mapping[str, "Derived"],
    batch: str,
    exact: Transaction | None,
) -> None:
    """Append what could not be used, with its reason, to `rejects/apply_changes`."""
    parts = _derived_rejects(derived, batch)
    if any(found.rejected for found in facts.values()):
        refused = envelopes.where(F.col("op") == "reject")
        parts.append(_rejects(refused, F.col("table"), F.col("reason"), F.col("detail"), F.col("position"), "", batch))
    for table, outcome in outcomes.items():
        for rows in outcome.refused:
            parts.append(_rejects(rows, F.lit(table), F.col(REASON), F.col(PROBLEM), F.col(POSITION), "_event_", batch))
        for rows in outcome.unresolved:
            parts.append(_rejects(rows, F.lit(table), F.col("reason"), F.col("detail"), F.col("position"), "", batch))
    if parts:
        everything = reduce(DataFrame.unionByName, parts)
        lake.append(everything, lake.ensure(REJECTS, job=JOB), _part(exact, "rejects"))


def append_derived_rejects(lake: Lake, derived: Mapping[str, "Derived"], batch: str) -> None:
    """Append the keys of derived tables that have no row of their own, with the reason."""
    if parts := _derived_rejects(derived, batch):
        lake.append(reduce(DataFrame.unionByName, parts), lake.ensure(REJECTS, job=JOB))


def append_changed_keys(lake: Lake, outcomes: Mapping[str, "Outcome | Derived"], batch: str) -> None:
    """Append the keys a batch touched: of ordered tables applied or stale, of derived ones those that changed."""
    parts = [
        rows.select(F.lit(table).alias("table"), "key", "position")
        for table, outcome in outcomes.items()
        for rows in outcome.changed
    ]
    if parts:
        touched = reduce(DataFrame.unionByName, parts)
        rows = touched.withColumns({"batch": F.lit(batch), "at": F.current_timestamp()})
        lake.append(rows.coalesce(1), lake.ensure(CHANGED_KEYS))


def append_batches(
    lake: Lake,
    outcomes: Mapping[str, "Outcome"],
    facts: Mapping[str, TableFacts],
    batch: str,
    started: datetime,
    seconds: float,
) -> None:
    """Append the batch's own record, one row for each table it touched; `table` is "" for rows that belong to none."""
    source, _, number = batch.rpartition("/")
    finished = datetime.now(UTC)
    rows = [
        (
            source, int(number) if number.isdigit() else None, table, outcome.sent, outcome.applied, outcome.stale,
            outcome.rejected, outcome.ignored, outcome.warned, facts[table].newest_position or None,
            facts[table].newest_changed_at, seconds, started, finished,
        )
        for table, outcome in outcomes.items()
    ]  # fmt: skip
    if rows:
        lake.append(local_rows(lake.spark, rows, BATCHES.schema), lake.ensure(BATCHES))


def load_progress(lake: Lake, tables: list[str]) -> dict[str, Progress]:
    """How far each table has come, from the records of earlier batches."""
    progress = {name: Progress() for name in tables}
    if lake.exists(BATCHES.path):
        newest = (
            lake.read(BATCHES.path)
            .groupBy("table")
            .agg(F.max("newest_position").alias("position"), F.max("newest_changed_at").alias("changed_at"))
        )
        for row in newest.collect():
            if row["table"] in progress:
                progress[row["table"]] = Progress(row["position"] or "", row["changed_at"])
    return progress


def _message(batch: str, prefix: str = "") -> list[Column]:
    names = ("message_key", "message", "headers", "origin")
    day = F.to_date(F.coalesce(F.col(f"{prefix}arrived_at"), F.current_timestamp()))
    return [
        *[F.col(f"{prefix}{name}").alias(name) for name in names], F.lit(batch).alias("batch"), day.alias("day"),
    ]  # fmt: skip


def _rejects(
    rows: DataFrame, table: Column, reason: Column, detail: Column, position: Column, prefix: str, batch: str
) -> DataFrame:
    return rows.select(
        *[F.col(f"{prefix}{name}").alias(name) for name in ("source", "source_table")],
        table.alias("table"), reason.alias("reason"), detail.alias("detail"), F.col(f"{prefix}key").alias("key"),
        position.alias("position"), F.col(f"{prefix}arrived_at").alias("arrived_at"),
        F.current_timestamp().alias("rejected_at"), *_message(batch, prefix),
    )  # fmt: skip


def _derived_rejects(derived: Mapping[str, "Derived"], batch: str) -> list[DataFrame]:
    """No message: what is refused is a result, which the next change of its rows computes again."""
    empty = ("source_table", "position", "arrived_at", "message_key", "message", "headers", "origin")
    nothing = {name: struct(REJECTS.schema)[name].dataType for name in empty}
    return [
        rows.select(
            F.lit(batch.rpartition("/")[0]).alias("source"), F.lit(table).alias("table"), "reason", "detail", "key",
            F.current_timestamp().alias("rejected_at"), F.lit(batch).alias("batch"),
            F.current_date().alias("day"), *[F.lit(None).cast(kind).alias(name) for name, kind in nothing.items()],
        )
        for table, outcome in derived.items()
        for rows in outcome.refused
    ]  # fmt: skip


def _part(exact: Transaction | None, name: str) -> Transaction | None:
    return Transaction(f"{exact.app}/{name}", exact.version) if exact else None
