"""JSON events, each a document, as document events."""

from collections.abc import Iterator
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config_knowledge import EventFeed
from headrace.ordering.position import RANKS
from headrace.pipelines.document_feeds import FIELDS, as_list, plain_key


def checked(envelopes: DataFrame, feed: EventFeed) -> DataFrame:
    """The same changes with `document`, those without what a document needs turned to rejects.

    Args:
        envelopes: schema `ENVELOPE`; the key is the document's id.
    """
    reason, detail = F.lit(None).cast("string"), F.lit(None).cast("string")
    for wrong, why, said in reversed(list(_problems(feed))):
        reason, detail = F.when(wrong, why).otherwise(reason), F.when(wrong, said).otherwise(detail)
    told = _read(envelopes).withColumns({"_reason": reason, "_detail": detail})
    answer = {
        "op": F.when(F.col("_reason").isNotNull(), "reject").otherwise(F.col("op")),
        "reason": F.coalesce("_reason", "reason"),
        "detail": F.coalesce("_detail", "detail"),
        "document": plain_key(F.col("key")),
    }
    return told.withColumns(answer).drop("_reason", "_detail", "_after")


def _problems(feed: EventFeed) -> Iterator[tuple[Column, str, str]]:
    """(what is wrong, the reject's reason, its detail), the most serious first."""
    op = F.col("op")
    todo = "Send a delete for each document"
    yield op == "truncate", "unknown operation", f"expected an upsert or a delete; found a truncate. {todo}"
    found = "found an empty one. Correct the events, or `id` of the feed"
    yield (
        op.isin("upsert", "delete") & (plain_key(F.col("key")) == ""),
        "empty id",
        f"expected the document's id in the field {feed.id!r}; {found}",
    )
    expected = f"expected the document's text in the field {feed.text!r}"
    yield (
        (op == "upsert") & _field(feed.text).isNull(),
        "no text",
        f"{expected}; found none. Correct `text` of the feed",
    )
    for name in filter(None, (feed.audience_field, feed.tags_field)):
        value = F.trim(_field(name))
        broken = (op == "upsert") & value.startswith("[") & F.from_json(value, "array<string>").isNull()
        # Without its audience everybody may read a document.
        said = f"expected a JSON array, or text split at commas, in the field {name!r}; found an array that is no JSON"
        yield broken, "unreadable list", said


def events(changes: DataFrame, name: str, feed: EventFeed) -> DataFrame:
    """Document events, schema `EVENTS`: one for each change, and a delete of the id a renamed document had before.

    Args:
        changes: upserts and deletes from `checked`.
    """
    told = _read(changes).withColumn("_deleted", F.col("op") == "delete")
    found = [told.select(*_columns(name, feed))]
    if feed.renamed_from:
        old = _field(feed.renamed_from)
        renamed = told.where(~F.col("_deleted") & (old != F.col("document")) & (old != ""))
        # Ranked as a delete: a document that takes the free name at the same source position is above it.
        position = F.regexp_replace("position", r"-\d[0-9a-f]{12}$", f"-{RANKS['delete']}{'0' * 12}")
        gone = renamed.withColumns({"document": old, "position": position, "_deleted": F.lit(True)})
        found.append(gone.select(*_columns(name, feed)))
    return reduce(DataFrame.unionByName, found)


def _columns(name: str, feed: EventFeed) -> list[Column]:
    def said(value: Column) -> Column:
        return F.when(~F.col("_deleted"), value)

    def text(field: str | None, default: str | None = None) -> Column:
        return said(F.coalesce(_field(field), F.lit(default)) if field else F.lit(default))

    def listed(field: str | None, always: tuple[str, ...]) -> Column:
        fixed = F.array(*[F.lit(one) for one in always]).cast("array<string>")
        return fixed if field is None else F.array_distinct(F.array_union(as_list(_field(field)), fixed))

    metadata = [_field(one).alias(one) for one in feed.metadata]
    columns: dict[str, Column] = {
        "feed": F.lit(name),
        "document": F.col("document"),
        "op": F.when(F.col("_deleted"), "delete").otherwise("upsert"),
        "position": F.col("position"),
        "seen": F.lit(False),
        "tag": F.col("position"),
        "changed_at": F.col("changed_at"),
        "media_type": F.lit(feed.media_type),
        "content": said(F.encode(_field(feed.text), "utf-8")),
        "title": text(feed.title),
        "url": text(feed.url),
        "language": text(feed.language_field, feed.language),
        "tags": listed(feed.tags_field, feed.tags),
        "tenant": text(feed.tenant_field, feed.tenant),
        "audience": listed(feed.audience_field, feed.audience),
        "metadata": F.to_json(F.struct(*metadata)) if metadata else F.lit("{}"),
    }
    return [columns.get(field, F.lit(None)).cast(kind).alias(field) for field, kind in FIELDS]


def _read(changes: DataFrame) -> DataFrame:
    return changes.withColumn("_after", F.from_json("after", "map<string, string>"))


def _field(name: str) -> Column:
    """A field of the event as text; arrays and objects as JSON, null where it is not there."""
    return F.col("_after")[name]
