"""What should be served with one model: the pieces of documents with their vectors, and which of these are lacking."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import Lake, local_rows
from headrace.ports import Model
from headrace.tables import CHUNKS, DOCUMENTS, VECTORS

Document = tuple[str, str]
"""Feed and id."""

FEW = 64
"""Documents that are named in a query itself: a join with them would have to be planned and run."""
NAMED = 256
"""Contents that are."""
MANY = 2_000
"""Of up to so many documents the driver asks for the contents first, so that only their vectors are joined."""


def only(rows: DataFrame, documents: Collection[Document]) -> DataFrame:
    """The rows of these documents."""
    if len(documents) <= FEW:
        return rows.where(is_one_of(documents))
    return rows.join(F.broadcast(_frame(rows, documents)), ["feed", "document"], "left_semi")


def flagged(rows: DataFrame, name: str, documents: Collection[Document]) -> DataFrame:
    """With a column that says whether a row is of one of these documents."""
    if len(documents) <= FEW:
        return rows.withColumn(name, is_one_of(documents))
    asked = _frame(rows, documents).withColumn(name, F.lit(True))
    return rows.join(F.broadcast(asked), ["feed", "document"], "left").withColumn(name, F.coalesce(name, F.lit(False)))


def _frame(rows: DataFrame, documents: Collection[Document]) -> DataFrame:
    return local_rows(rows.sparkSession, list(documents), "feed string, document string")


def is_one_of(documents: Collection[Document]) -> Column:
    """Whether a row is of one of these documents, named in the query itself."""
    by_feed: dict[str, list[str]] = {}
    for feed, document in documents:
        by_feed.setdefault(feed, []).append(document)
    each = [(F.col("feed") == feed) & F.col("document").isin(names) for feed, names in by_feed.items()]
    return reduce(Column.__or__, each, F.lit(False))


def wanted_passages(lake: Lake, model: Model, documents: Collection[Document] | None = None) -> DataFrame:
    """The passages that should be served, of these documents or of all; `vector` is null where it is still to be made.

    Returns:
        Columns `model, chunk, feed, document, body, content_hash, position, changed_at, vector, next_try_at, embedded`.
    """
    about = lake.read(lake.ensure(DOCUMENTS)).where("NOT deleted")
    about = about.drop("content_hash", "batch", "fingerprint", "tag", "passages", "deleted", "media_type")
    pieces, made = lake.read(lake.ensure(CHUNKS)), vectors(lake, model)
    if documents is not None:
        about, pieces = only(about, documents), only(pieces, documents)
        if len(documents) <= MANY:
            pieces = pieces.localCheckpoint(eager=False)
            made = _of_contents(made, {row["content_hash"] for row in pieces.select("content_hash").collect()})
    joined = pieces.join(about, ["feed", "document"]).join(once(made), "content_hash", "left")
    return joined.select(
        F.lit(model.fingerprint).alias("model"), "chunk", "feed", "document", _body(model).alias("body"),
        "content_hash", "position", "changed_at", "vector", next_try(model).alias("next_try_at"), "embedded",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lacking:
    """What one document's wanted passages lack. `due`: pieces to embed now; `later`: when all may be tried again."""

    pieces: int
    due: int
    later: datetime | None

    def without_due(self) -> "Lacking":
        """When those that are due have been made."""
        return Lacking(self.pieces - self.due, 0, self.later)


Lacks = Mapping[Document, Lacking]


def lacking(wanted: DataFrame) -> Lacks:
    """By document that has any passage: the vectors that are still to be made."""
    without = F.col("vector").isNull()
    told = wanted.groupBy("feed", "document").agg(
        F.count_if(without).alias("pieces"), F.count_if(_is_due()).alias("due"),
        F.max(F.when(without, F.col("next_try_at"))).alias("later"),
    )  # fmt: skip
    return {(row["feed"], row["document"]): Lacking(row["pieces"], row["due"], row["later"]) for row in told.collect()}


def due(wanted: DataFrame) -> DataFrame:
    """`content_hash, embedded` of what can be embedded now."""
    return wanted.where(_is_due()).groupBy("content_hash").agg(F.any_value("embedded").alias("embedded"))


def _is_due() -> Column:
    return F.col("vector").isNull() & may_try(F.col("next_try_at"))


def may_try(at: Column) -> Column:
    """Whether it is time to try again; null is at once."""
    return at.isNull() | (at <= F.current_timestamp())


def with_vectors(wanted: DataFrame, made: DataFrame) -> DataFrame:
    """With vectors the driver just got: `content_hash, vector` and more."""
    news = F.broadcast(made.select("content_hash", F.col("vector").alias("_made")))
    joined = wanted.join(news, "content_hash", "left")
    return joined.withColumn("vector", F.coalesce("vector", "_made")).drop("_made")


def next_try(model: Model) -> Column:
    """Of a chunk: when this model may be tried again; null for at once."""
    return F.try_element_at("failures", F.lit(model.fingerprint))["next_try_at"]


def vectors(lake: Lake, model: Model) -> DataFrame:
    """The cache's vectors of one model: `content_hash, vector`. One may stand there twice, after a crash."""
    found = lake.read(lake.ensure(VECTORS)).where(F.col("model") == model.fingerprint)
    return found.select("content_hash", "vector")


def once(found: DataFrame) -> DataFrame:
    """Each content's vector once: two of one content are the same."""
    return found.dropDuplicates(["content_hash"])


def _of_contents(found: DataFrame, contents: Collection[str]) -> DataFrame:
    """Those of these contents, so that only they are carried to where they are joined."""
    if len(contents) <= NAMED:
        return found.where(F.col("content_hash").isin(list(contents)))
    asked = local_rows(found.sparkSession, [(content,) for content in contents], "content_hash string")
    return found.join(F.broadcast(asked), "content_hash", "left_semi")


def _body(model: Model) -> Column:
    text: dict[str, Column] = {
        "source": F.col("feed"),
        "metadata": F.coalesce(
            F.from_json("metadata", "map<string,string>"), F.from_json(F.lit("{}"), "map<string,string>")
        ),
        "model": F.lit(model.name),
        "dimension": F.lit(model.dimension),
        "fingerprint": F.lit(model.fingerprint),
    }
    names = (
        "source", "document", "title", "url", "language", "heading", "text", "start", "end", "ordinal", "tags",
        "audience", "tenant", "modality", "metadata", "content_hash", "model", "dimension", "fingerprint",
    )  # fmt: skip
    fields = [text.get(name, F.col(name)).alias(name) for name in names]
    return F.to_json(F.struct(*fields), {"ignoreNullFields": "false"})
