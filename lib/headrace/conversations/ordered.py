"""Turns and ratings in order: the same core as every other table's, with columns that are known beforehand."""

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.conversations.event_frames import columns
from headrace.lake import Lake, quoted
from headrace.ordering.collapse import (
    CHANGED_AT,
    KEY,
    OP,
    POSITION,
    PROBLEM,
    SENT,
    WARNING,
    above_floors,
    collapse,
)
from headrace.ordering.floors import Floors, add_tombstones, with_known_floors
from headrace.ordering.guarded_merge import Merged, merge
from headrace.tables import RATINGS, TURNS, TableContract

ORDERED = {"turn": TURNS, "rating": RATINGS}
"""The table of each kind of event."""
FLOORS_FOLDER = "track.feedback/"
"""Below `tombstones`: no ordered table of `apply_changes` has a dot in its name."""


def floors_of(table: TableContract) -> str:
    """The name under which its tombstones are kept, in a folder of the job's own."""
    return FLOORS_FOLDER + table.path


@dataclass(frozen=True, slots=True)
class Facts:
    """What a batch holds of one kind of event; positions are "" for none."""

    upserts: int = 0
    deletes: int = 0
    oldest_upsert: str = ""
    newest_delete: str = ""

    @property
    def changes(self) -> int:
        return self.upserts + self.deletes


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch holds.

    Attributes:
        newest: the newest time in its events. oldest_arrived: by the transport's clock.
        erased: conversations that turned out to be an erased person's.
    """

    kinds: dict[str, Facts]
    rejected: int = 0
    newest: datetime | None = None
    oldest_arrived: datetime | None = None
    erased: tuple[str, ...] = ()


def batch_of(events: DataFrame) -> Batch:
    """Counted in one pass over `event_frames.events`."""
    upsert, delete = F.col("op") == "upsert", F.col("op") == "delete"
    found = events.groupBy("kind").agg(
        F.count_if(upsert).alias("upserts"), F.count_if(delete).alias("deletes"),
        F.count_if(F.col("op").isin("reject", "erased")).alias("rejected"),
        F.collect_set(F.when(F.col("op") == "erased", F.col("key"))).alias("erased"),
        F.min(F.when(upsert, F.col("position"))).alias("oldest"),
        F.max(F.when(delete, F.col("position"))).alias("newest"),
        F.max(F.coalesce("turn.at", "rating.at")).alias("at"), F.min("arrived_at").alias("arrived"),
    ).collect()  # fmt: skip
    kinds = {
        row["kind"]: Facts(row["upserts"], row["deletes"], row["oldest"] or "", row["newest"] or "")
        for row in found
        if row["kind"]
    }
    newest, arrived = [row["at"] for row in found if row["at"]], [row["arrived"] for row in found if row["arrived"]]
    erased = sorted({conversation for row in found for conversation in row["erased"]})
    return Batch(
        kinds, sum(row["rejected"] for row in found), max(newest, default=None), min(arrived, default=None),
        tuple(erased),
    )  # fmt: skip


def apply(lake: Lake, floors: Floors, kind: str, facts: Facts, events: DataFrame) -> Merged:
    """Write a batch's turns or ratings: floors first, then one guarded MERGE.

    Args:
        events: from `event_frames.events`.
    """
    table = ORDERED[kind]
    relative, name, names, key = lake.ensure(table), floors_of(table), columns(table), table.key
    grouped = collapse(_changes(events, kind, names), names, key, ())
    floored = with_known_floors(lake, floors, name, grouped, facts.oldest_upsert)
    reduced = above_floors(floored, names, key, ()).localCheckpoint(eager=False)
    if facts.deletes:
        add_tombstones(lake, floors, name, reduced, facts.newest_delete)
    rows = reduced.where(F.col(KEY) > "")
    return merge(lake.table(relative), rows, key=key, columns=names, partial=(), inserts=facts.upserts > 0)


def _changes(events: DataFrame, kind: str, names: list[str]) -> DataFrame:
    """As `collapse` takes them."""
    none = F.lit(None).cast("string")
    return events.where((F.col("kind") == kind) & F.col("op").isin("upsert", "delete")).select(
        *[F.col(f"{kind}.{quoted(name)}").alias(name) for name in names],
        F.col("key").alias(KEY), F.col("op").alias(OP), F.col("position").alias(POSITION),
        F.col(f"{kind}.at").alias(CHANGED_AT), F.lit(None).cast("array<string>").alias(SENT),
        none.alias(PROBLEM), none.alias(WARNING),
    )  # fmt: skip


def conversations(events: DataFrame) -> DataFrame:
    """The conversations that a batch's events are of, each once: column `conversation`."""
    named = F.coalesce("turn.conversation", "rating.conversation").alias("conversation")
    return events.where(F.col("op").isin("upsert", "delete")).select(named).distinct()
