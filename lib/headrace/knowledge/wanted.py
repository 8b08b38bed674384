"""The wanted state: `chunks` and `documents`, brought up to date with what documents say now."""

from collections.abc import Collection, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.knowledge.documents import fingerprint_of
from headrace.lake import Assignments, Lake
from headrace.tables import CHUNKS, DOCUMENTS

_PIECE = ("chunk", "ordinal", "heading", "start", "end", "tokens", "text", "embedded", "content_hash")
_DOCUMENT = (
    "feed", "document", "position", "deleted", "tag", "title", "url", "media_type", "language", "tags", "tenant",
    "audience", "metadata", "content_hash", "passages", "fingerprint", "changed_at", "batch",
)  # fmt: skip


def forget_feeds(lake: Lake, kept: Collection[str]) -> dict[str, int]:
    """Forget every document of feeds that are not among these; what they were and their living documents' number.

    Their passages are behind then, as after a crash, and go when the lanes start.
    """
    documents = lake.ensure(DOCUMENTS)
    other = ~F.col("feed").isin(list(kept))
    counts = lake.read(documents).where(other).groupBy("feed").agg(F.count_if(~F.col("deleted")).alias("living"))
    found = {row["feed"]: int(row["living"]) for row in counts.collect()}
    if found:
        # Documents last: they are what tells a start after a crash that there is something to forget.
        for path in (lake.ensure(CHUNKS), documents):
            lake.table(path).delete(other)
    return found


def write_chunks(lake: Lake, read: DataFrame, batch: int) -> None:
    """Replace the pieces of every document in `read`, in one commit.

    Args:
        read: from `read.documents`, upserts and deletes only.
    """
    path = lake.ensure(CHUNKS)
    new = read.where("op = 'upsert'").select(
        F.col("feed").alias("_feed"), F.col("document").alias("_document"), F.explode("pieces").alias("_new")
    )
    touched = F.broadcast(read.select("feed", "document"))
    old = lake.read(path).join(touched, ["feed", "document"], "left_semi")
    same = [F.col(f"_new.{name}").eqNullSafe(F.col(name)) for name in ("ordinal", "start", "end")]
    changed = F.col("chunk").isNull() | F.col("_new").isNull() | ~(same[0] & same[1] & same[2])
    difference = old.join(new, F.col("_new.chunk") == F.col("chunk"), "full").where(changed)
    source = difference.select(
        F.coalesce("chunk", "_new.chunk").alias("chunk"),
        F.col("_new").isNull().alias("_gone"),
        F.col("_feed").alias("feed"),
        F.col("_document").alias("document"),
        *[F.col(f"_new.{name}").alias(name) for name in _PIECE[1:]],
    ).localCheckpoint(eager=False)
    if source.count() == 0:
        return
    values: Assignments = {name: f"s.{name}" for name in ("feed", "document", *_PIECE)}
    values |= {"modality": F.lit("text"), "batch": F.lit(batch)}
    moved: Assignments = {name: f"s.{name}" for name in ("ordinal", "start", "end")}
    with lake.writing(path):
        merge = lake.table(path).alias("t").merge(source.alias("s"), "t.chunk = s.chunk").whenMatchedDelete("s._gone")
        merge = merge.whenMatchedUpdate(set={**moved, "batch": F.lit(batch)})
        merge.whenNotMatchedInsert("NOT s._gone", values).execute()


def write_documents(lake: Lake, read: DataFrame, fingerprints: Mapping[str, str], batch: int) -> None:
    """Store what each document in `read` says now. After its chunks: an event counts as applied from here on."""
    path = lake.ensure(DOCUMENTS)
    known: dict[str, Column] = {
        "deleted": F.col("op") == "delete",
        "passages": F.size("pieces"),
        "fingerprint": fingerprint_of(fingerprints),
        "batch": F.lit(batch).cast("bigint"),
    }
    rows = read.select(*[known.get(name, F.col(name)).alias(name) for name in _DOCUMENT])
    on = "t.feed = s.feed AND t.document = s.document"
    merge = lake.table(path).alias("t").merge(rows.alias("s"), on)
    merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
