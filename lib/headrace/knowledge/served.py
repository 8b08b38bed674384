"""The served state: `passages` of one model and their outbox, brought in step with the wanted state.

A document's passages change together, once every piece has its vector; until then the old ones stay served.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from headrace.knowledge import ready
from headrace.knowledge.ready import Document, Lacks
from headrace.lake import Assignments, Lake
from headrace.ports import Model
from headrace.tables import CHUNKS, DOCUMENTS, OUTBOX, PASSAGES, PASSAGES_OUTBOX, VECTORS


@dataclass(frozen=True, slots=True)
class Served:
    """What became of some documents.

    Attributes:
        written, deleted: passages.
        incomplete: documents that lack a vector, and when to try again; None for at once.
        embedded: contents that were embedded on the way.
    """

    written: int = 0
    deleted: int = 0
    incomplete: dict[Document, datetime | None] = field(default_factory=dict)
    embedded: int = 0

    def __add__(self, other: "Served") -> "Served":
        incomplete = {**self.incomplete, **other.incomplete}
        embedded = self.embedded + other.embedded
        return Served(self.written + other.written, self.deleted + other.deleted, incomplete, embedded)


def serve(
    lake: Lake,
    model: Model,
    documents: Sequence[Document],
    wanted: DataFrame,
    lacks: Lacks,
    batch: int,
) -> Served:
    """Bring the passages of these documents in step, as far as their vectors are there; then tell the outbox.

    A crash between the two is mended by `tell_again`.

    Args:
        wanted: from `ready.wanted_passages`, of these documents.
        lacks: from `ready.lacking`.
    """
    incomplete = {document: lack.later for document, lack in lacks.items() if lack.pieces}
    complete = [document for document in documents if document not in incomplete]
    if not complete:
        return Served(incomplete=incomplete)
    if incomplete:
        wanted = ready.only(wanted, complete)
    gone = [document for document in complete if document not in lacks]
    changes = _difference(lake, model, wanted, complete)
    changes = ready.flagged(changes, "urgent", gone).localCheckpoint(eager=False)
    counts = changes.groupBy("deleted").count().collect()
    by_kind = {bool(row["deleted"]): int(row["count"]) for row in counts}
    if by_kind:
        _write(lake, changes, batch)
        _tell(lake, changes, batch)
    return Served(by_kind.get(False, 0), by_kind.get(True, 0), incomplete)


def behind(lake: Lake, model: Model) -> list[Document]:
    """Documents whose passages are not what they should be: what a new start has to go through."""
    difference = _difference(lake, model, ready.wanted_passages(lake, model), None)
    rows = difference.select("feed", "document").distinct().collect()
    return [(row["feed"], row["document"]) for row in rows]


def tell_again(lake: Lake) -> int:
    """Append to the outbox what a crash kept from it: passages of batches it does not know. How many there were."""
    passages, outbox = lake.ensure(PASSAGES), lake.ensure(OUTBOX, table=PASSAGES_OUTBOX)
    told = _newest(lake.read(outbox).agg(F.max("batch")).first())
    left = lake.read(passages).where(F.col("batch") > told)
    batches = [row["batch"] for row in left.select("batch").distinct().collect()]
    for batch in sorted(batches):
        vectors = lake.read(lake.ensure(VECTORS)).select("content_hash", "model", "vector")
        once = vectors.dropDuplicates(["content_hash", "model"])
        rows = left.where(F.col("batch") == batch).join(once, ["content_hash", "model"], "left")
        _tell(lake, rows.withColumn("urgent", F.col("deleted")), batch)
    return len(batches)


def snapshot(lake: Lake, model: Model) -> DataFrame:
    """Every passage served now, as the outbox would tell it: for a store that has to be filled anew."""
    living = lake.read(lake.ensure(PASSAGES)).where((F.col("model") == model.fingerprint) & ~F.col("deleted"))
    return _with_vectors(living.join(ready.once(ready.vectors(lake, model)), "content_hash"))


def last_batch(lake: Lake) -> int:
    """The highest number a batch had in any state table; -1 for none."""
    tables = [lake.ensure(table) for table in (CHUNKS, DOCUMENTS, PASSAGES)]
    return max(_newest(lake.read(table).agg(F.max("batch")).first()) for table in tables)


def _newest(row: Row | None) -> int:
    return int(row[0]) if row is not None and row[0] is not None else -1


def _difference(lake: Lake, model: Model, wanted: DataFrame, documents: Collection[Document] | None) -> DataFrame:
    """Passages to write and to delete, in the columns of `wanted` and `deleted`."""
    held = lake.read(lake.ensure(PASSAGES)).where((F.col("model") == model.fingerprint) & ~F.col("deleted"))
    if documents is not None:
        held = ready.only(held, documents)
    old = held.select(
        F.col("chunk").alias("_chunk"), F.col("feed").alias("_feed"), F.col("document").alias("_document"),
        F.col("body").alias("_body"), F.col("content_hash").alias("_hash"), F.col("position").alias("_position"),
        F.col("changed_at").alias("_changed_at"),
    )  # fmt: skip
    joined = wanted.join(old, F.col("chunk") == F.col("_chunk"), "full")
    gone = F.col("chunk").isNull()
    changed = joined.where(gone | F.col("_chunk").isNull() | (F.col("body") != F.col("_body")))
    return changed.select(
        F.lit(model.fingerprint).alias("model"), F.coalesce("chunk", "_chunk").alias("chunk"),
        F.coalesce("feed", "_feed").alias("feed"), F.coalesce("document", "_document").alias("document"),
        gone.alias("deleted"), F.when(~gone, F.col("body")).alias("body"),
        F.coalesce("content_hash", "_hash").alias("content_hash"),
        F.coalesce("position", "_position").alias("position"),
        F.coalesce("changed_at", "_changed_at").alias("changed_at"), "vector",
    )  # fmt: skip


def _write(lake: Lake, changes: DataFrame, batch: int) -> None:
    names = [part.split()[0] for part in PASSAGES.schema.replace("\n", " ").split(",")]
    values: Assignments = {name: f"s.{name}" for name in names if name != "batch"}
    values["batch"] = F.lit(batch)
    on = "t.model = s.model AND t.chunk = s.chunk"
    merge = lake.table(lake.ensure(PASSAGES)).alias("t").merge(changes.alias("s"), on)
    merge.whenMatchedUpdate(set=values).whenNotMatchedInsert(values=values).execute()


def _tell(lake: Lake, changes: DataFrame, batch: int) -> None:
    """Append the new state of these passages to the outbox, with their vectors."""
    told = _with_vectors(changes, "urgent").withColumns(
        {"batch": F.lit(batch).cast("bigint"), "at": F.current_timestamp(), "day": F.current_date()}
    )
    lake.append(told, lake.ensure(OUTBOX, table=PASSAGES_OUTBOX))


def _with_vectors(passages: DataFrame, *more: str) -> DataFrame:
    """Rows of the outbox: `key, model, deleted, body, position`, and more columns of `passages`."""
    rest = F.to_json(
        F.struct(
            F.base64("vector").alias("vector"), F.col("position"),
            F.date_format("changed_at", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX").alias("changed_at"),
        ),
        {"ignoreNullFields": "false"},
    )  # fmt: skip
    # Both are JSON objects: one text out of two.
    whole = F.concat(F.expr("substring(body, 1, length(body) - 1)"), F.lit(","), F.substring(rest, 2, 2**31 - 1))
    return passages.select(
        F.col("chunk").alias("key"),
        "model",
        "deleted",
        F.when(~F.col("deleted"), whole).alias("body"),
        "position",
        *more,
    )
