"""What the driver must know of a batch before it applies it: one small aggregate."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

UNKNOWN_TABLE = "unknown table"
"""The reason of rejects whose table no settings named."""


@dataclass(slots=True)
class TableFacts:
    """Counts and bounds of one table's envelope rows in a batch; positions are "" where there is none.

    `unread`: of the rejected those that may be any row of any table.
    """

    upserts: int = 0
    deletes: int = 0
    truncates: int = 0
    rejected: int = 0
    unread: int = 0
    ignored: int = 0
    oldest_upsert: str = ""
    newest_delete: str = ""
    newest_position: str = ""
    newest_changed_at: datetime | None = None
    oldest_arrived_at: datetime | None = None
    news: bool = False
    partial: bool = False
    moved: bool = False
    dump: bool = False

    @property
    def sent(self) -> int:
        return self.upserts + self.deletes + self.truncates + self.rejected + self.ignored

    @property
    def changes(self) -> int:
        return self.upserts + self.deletes + self.truncates


def batch_facts(envelopes: DataFrame) -> dict[str, TableFacts]:
    """Facts by table of the lake; rows that belong to none stand under ""."""
    table, *aggregates = _expressions()
    grouped = envelopes.groupBy(table, "op").agg(*aggregates)
    facts: dict[str, TableFacts] = {}
    for row in grouped.collect():
        found = facts.setdefault(row["table"], TableFacts())
        counter = {"upsert": "upserts", "delete": "deletes", "truncate": "truncates", "reject": "rejected"}
        name = counter.get(row["op"], "ignored")
        setattr(found, name, getattr(found, name) + row["rows"])
        found.unread += row["unread"]
        if row["arrived_at"] is not None:
            found.oldest_arrived_at = min(found.oldest_arrived_at or row["arrived_at"], row["arrived_at"])
        if row["op"] not in ("upsert", "delete", "truncate"):
            continue
        found.newest_position = max(found.newest_position, row["newest"])
        if row["op"] == "upsert":
            found.oldest_upsert = row["oldest"]
        if row["op"] == "delete":
            found.newest_delete = row["newest"]
        if row["changed_at"] is not None:
            found.newest_changed_at = max(found.newest_changed_at or row["changed_at"], row["changed_at"])
        found.news = found.news or row["types"]
        found.partial = found.partial or row["sent"]
        found.moved = found.moved or row["moved_from"]
        found.dump = found.dump or row["snapshot"]
    return facts


_FLAGS = ("types", "sent", "moved_from", "snapshot")


@cache
def _expressions() -> tuple[Column, ...]:
    """The table's name and the facts."""
    return (
        F.coalesce("table", F.lit("")).alias("table"),
        F.count(F.lit(1)).alias("rows"),
        F.count_if((F.col("op") == "reject") & ~F.col("reason").eqNullSafe(UNKNOWN_TABLE)).alias("unread"),
        F.min("position").alias("oldest"),
        F.max("position").alias("newest"),
        F.max("changed_at").alias("changed_at"),
        F.min("arrived_at").alias("arrived_at"),
        *[F.coalesce(F.bool_or(F.col(name).isNotNull()), F.lit(False)).alias(name) for name in _FLAGS],
    )
