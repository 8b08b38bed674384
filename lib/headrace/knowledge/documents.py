"""Document events: which of them are news, and what they say.

The order is decided by the position, never by arrival. A listing has no position of its own: it saw the truth at its
time, so where the content's `tag` differs from the stored one it is news whatever the positions say (`seen`).

An event of an object store only says that an object changed. The object is read later, when it may have changed again,
so such an event is a `look`: what is there then is what counts, and a later look sees what is newer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from headrace.lake import Lake, local_rows
from headrace.tables import DOCUMENTS

EVENTS = """feed string, document string, op string, position string, seen boolean, tag string, changed_at timestamp,
    media_type string, locator string, content binary, title string, url string, language string, tags array<string>,
    tenant string, audience array<string>, metadata string"""
"""`op` is upsert, delete or look. The content is in `content`, or to be loaded from `locator`. `seen`: told by a
listing. A look becomes an upsert or a delete by what is at the locator; its `tag` is that of the content told of."""


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """One event, as feeds that work in the driver make it. Fields as in `EVENTS`."""

    feed: str
    document: str
    op: str
    position: str
    seen: bool = False
    tag: str | None = None
    changed_at: datetime | None = None
    media_type: str | None = None
    locator: str | None = None
    content: bytes | None = None
    title: str | None = None
    url: str | None = None
    language: str | None = None
    tags: list[str] = field(default_factory=list)
    tenant: str | None = None
    audience: list[str] = field(default_factory=list)
    metadata: str = "{}"


def as_frame(spark: SparkSession, events: list[DocumentEvent]) -> DataFrame:
    """Events the driver holds, as a DataFrame of schema `EVENTS`."""
    names = [part.split()[0] for part in EVENTS.replace("\n", " ").split(",")]
    return local_rows(spark, [[getattr(event, name) for name in names] for event in events], EVENTS)


def newest(events: DataFrame) -> DataFrame:
    """One event per document: the one with the highest position; what a listing saw beats what it equals."""
    order = Window.partitionBy("feed", "document").orderBy(F.desc("position"), F.desc("seen"), F.desc("op"))
    return events.withColumn("_place", F.row_number().over(order)).where("_place = 1").drop("_place")


def fingerprint_of(fingerprints: Mapping[str, str]) -> Column:
    """The fingerprint of a row's `feed`."""
    pairs = [F.lit(text) for pair in fingerprints.items() for text in pair]
    return F.coalesce(F.try_element_at(F.create_map(*pairs), F.col("feed")), F.lit("")) if pairs else F.lit("")


def news(lake: Lake, events: DataFrame, fingerprints: Mapping[str, str]) -> DataFrame:
    """The events that change what is stored; their position is the one to store.

    A look's `tag` is that of the stored content, where it need not be read again. Of a document that is not there a
    look can only make an upsert.

    Args:
        events: from `newest`.
        fingerprints: by feed, of parser, splitter and what the feed says of its documents: one read with others is
            read again.
    """
    stored = lake.read(lake.ensure(DOCUMENTS)).select(
        "feed", "document", F.col("position").alias("_position"), F.col("tag").alias("_tag"),
        F.col("deleted").alias("_deleted"), F.col("fingerprint").alias("_fingerprint"),
    )  # fmt: skip
    joined = events.join(stored, ["feed", "document"], "left")
    same_way = F.col("_fingerprint") == fingerprint_of(fingerprints)
    unknown = F.col("_position").isNull()
    newer = F.col("position") > F.col("_position")
    gone, look = F.col("op") == "delete", F.col("op") == "look"
    held = ~F.coalesce("_deleted", F.lit(True)) & same_way
    nothing_new = look & held & F.col("tag").eqNullSafe(F.col("_tag"))
    differs = F.when(gone, ~F.col("_deleted")).otherwise(
        F.col("_deleted") | ~F.col("tag").eqNullSafe(F.col("_tag")) | ~same_way
    )
    reread = ~gone & (F.col("position") == F.col("_position")) & ~same_way
    changes = unknown | (newer & ~nothing_new) | (F.col("seen") & differs) | (~F.col("_deleted") & reread)
    told: dict[str, Column] = {
        "position": F.greatest("position", "_position"),
        "op": F.when(look & F.coalesce("_deleted", F.lit(True)), "upsert").otherwise(F.col("op")),
        "tag": F.when(look, F.when(held, F.col("_tag"))).otherwise(F.col("tag")),
    }
    # The delete of a document nobody knows is a floor all the same: its put may come later.
    return joined.where(changes).withColumns(told).select(*events.columns)
