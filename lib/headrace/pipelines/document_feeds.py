"""Where document events come from: watched folders, rows of ordered tables."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType

from headrace.changes.columns import col, key_text
from headrace.config_knowledge import FolderFeed, TableFeed
from headrace.errors import Unreachable
from headrace.knowledge.documents import EVENTS, DocumentEvent
from headrace.knowledge.parse import known
from headrace.lake import Lake
from headrace.stores import objects
from headrace.stores.objects import Found
from headrace.tables import CHANGED_AT, DOCUMENTS, POSITION, TABLES

FIELDS = [part.split() for part in EVENTS.replace("\n", " ").split(",")]
AWAY_SECONDS = 2.0
"""The longest pause before a folder that did not answer is listed again."""
LONGEST_PAUSE_SECONDS = 600.0


class Remembered(Protocol):
    """Which folder was listed, kept over restarts."""

    def get(self) -> str | None:
        """What was kept."""

    def keep(self, folder: str) -> None:
        """Keep it."""


@dataclass(slots=True)
class _Again:
    """When a document that could not be loaded is told again, and the pause before that."""

    at: float = math.inf
    pause: float = 1.0


class FolderWatch:
    """Finds what changed in a folder by listing it and comparing with what was known.

    A listing sees the truth at its time, so nothing is lost when a change falls into a stop or an event never comes.
    """

    def __init__(self, name: str, feed: FolderFeed, tags: Mapping[str, str], remembered: Remembered) -> None:
        self.name, self._feed, self._tags, self._remembered = name, feed, dict(tags), remembered
        self._folder = remembered.get()
        self._next = 0.0
        self._again: dict[str, _Again] = {}

    def due(self) -> bool:
        """Whether it is time for the next listing."""
        return time.monotonic() >= self._next

    def look(self) -> list[DocumentEvent]:
        """Events for what differs from the last look. Raises Unreachable; nothing is taken for deleted then."""
        position, there = self._list(self._tags)
        differing = [one for one in there.values() if one.tag and self._tags.get(one.name) != one.tag]
        gone = [name for name in self._tags if name not in there]
        for name in [*gone, *(one.name for one in differing)]:
            self._again.pop(name, None)
        now = time.monotonic()
        again = [there[name] for name, one in self._again.items() if one.at <= now and there[name].tag]
        for one in again:
            self._again[one.name].at = math.inf
        # One that is no document is not tried at every look; a new start tries it once more.
        self._tags = {name: one.tag or self._tags[name] for name, one in there.items() if one.tag or name in self._tags}
        return self._events([*differing, *again], gone, position)

    def try_again(self, name: str) -> None:
        """It was told, but could not be loaded: tell of it again after a pause, which doubles."""
        if name in self._tags:
            one = self._again.setdefault(name, _Again())
            one.pause = min(2 * one.pause, LONGEST_PAUSE_SECONDS)
            one.at = time.monotonic() + one.pause

    def _check_same(self, known: Mapping[str, str], there: Mapping[str, Found]) -> None:
        """Raise Unreachable where another folder is at the place of the one listed before, and an empty one."""
        folder = objects.identity(self._feed.path)
        if folder is None:
            return
        if known and not there and self._folder not in (None, folder):
            raise Unreachable(
                where=self._feed.path,
                expected="the folder that was listed before",
                found="another one, which is empty, as where a disk is not mounted; nothing is deleted",
                todo="Mount it. If the folder is new and its old documents are gone for good, put a document into it.",
            )
        if self._folder != folder:
            self._remembered.keep(folder)
            self._folder = folder

    def _list(self, documents: Mapping[str, str]) -> tuple[str, dict[str, Found]]:
        """The position of a listing, and what it found by name.

        Args:
            documents: those known before, by name.
        """
        began = time.time_ns() // 1000
        feed = self._feed
        pause = feed.every.total_seconds()
        self._next = time.monotonic() + min(pause, AWAY_SECONDS)
        found = objects.listing(feed.path, feed.include, feed.exclude)
        there = {one.name: one for one in found if known(one.name, None)}
        self._check_same(documents, there)
        self._next = time.monotonic() + pause
        # Below every position of an event: those are the source's own, this is only the time of the listing.
        return f"0-{began:020d}", there

    def _events(self, differing: Iterable[Found], gone: Iterable[str], position: str) -> list[DocumentEvent]:
        upserts = [
            replace(self._told("upsert", one.name, one.locator, position), tag=one.tag, changed_at=one.changed_at)
            for one in differing
        ]
        return upserts + [DocumentEvent(self.name, name, "delete", position, True) for name in gone]

    def _told(self, op: str, name: str, locator: str, position: str) -> DocumentEvent:
        feed = self._feed
        return DocumentEvent(
            self.name, name, op, position, True, locator=locator, language=feed.language, tags=list(feed.tags),
            tenant=feed.tenant, audience=list(feed.audience),
        )  # fmt: skip


def stored_tags(lake: Lake, feed: str, fingerprint: str) -> dict[str, str]:
    """The tags of a feed's living documents, as they were last applied; none that fits where it was in another way."""
    rows = lake.read(lake.ensure(DOCUMENTS)).where((F.col("feed") == feed) & ~F.col("deleted"))
    tag = F.when(F.col("fingerprint") == fingerprint, F.col("tag")).otherwise(F.lit("")).alias("tag")
    return {row["document"]: row["tag"] for row in rows.select("document", tag).collect()}


def row_events(lake: Lake, name: str, feed: TableFeed, key: Sequence[str], keys: DataFrame) -> DataFrame:
    """Events for the rows of an ordered table that have changed, schema `EVENTS`.

    Args:
        key: the table's key columns.
        keys: `key, position` of what changed.
    """
    newest = keys.groupBy("key").agg(F.max("position").alias("position"))
    keyed = _keyed(lake, feed, key).join(F.broadcast(newest), F.col("_key") == F.col("key"), "right")
    gone = F.col("_key").isNull()
    position = F.when(gone, F.col("position")).otherwise(F.col(POSITION))
    return keyed.select(*_event(keyed, name, feed, gone, position, F.coalesce("_key", "key")))


def all_row_events(lake: Lake, name: str, feed: TableFeed, key: Sequence[str], fingerprint: str) -> DataFrame:
    """Events for every row that differs from its document, and for documents whose row is gone: the start of a feed.

    Args:
        fingerprint: a document that was applied in another way differs.
    """
    rows = _keyed(lake, feed, key)
    events = rows.select(*_event(rows, name, feed, F.lit(False), F.col(POSITION), F.col("_key")))
    documents = lake.read(lake.ensure(DOCUMENTS)).where((F.col("feed") == name) & ~F.col("deleted"))
    stored = documents.select(
        F.col("document").alias("_document"), F.col("tag").alias("_tag"),
        (F.col("fingerprint") == fingerprint).alias("_same_way"),
    )  # fmt: skip
    gone = stored.join(events, F.col("_document") == F.col("document"), "left_anti")
    said = {"feed": F.lit(name), "document": F.col("_document"), "op": F.lit("delete"), "position": F.col("_tag")}
    # No position tells of the delete; the table was read whole, which is as good as a listing.
    said |= {"seen": F.lit(True), "metadata": F.lit("{}")}
    deletes = gone.select(*[said.get(field, F.lit(None)).cast(kind).alias(field) for field, kind in FIELDS])
    news = events.join(stored, F.col("_document") == F.col("document"), "left")
    same = F.col("tag").eqNullSafe(F.col("_tag")) & F.coalesce("_same_way", F.lit(False))
    return news.where(~same).select(*events.columns).unionByName(deletes)


def _keyed(lake: Lake, feed: TableFeed, key: Sequence[str]) -> DataFrame:
    rows = lake.read(TABLES.format(table=feed.table))
    return rows.withColumn("_key", key_text([col(column) for column in key]))


def _event(rows: DataFrame, name: str, feed: TableFeed, gone: Column, position: Column, key: Column) -> list[Column]:
    def listed(column: str | None, always: tuple[str, ...]) -> Column:
        fixed = F.array(*[F.lit(one) for one in always]).cast("array<string>")
        if column is None:
            return fixed
        is_array = isinstance(rows.select(col(column)).schema[0].dataType, ArrayType)
        return F.array_distinct(F.array_union(as_list(col(column), is_array), fixed))

    def text(column: str | None, default: str | None = None) -> Column:
        return F.coalesce(col(column).cast("string"), F.lit(default)) if column else F.lit(default).cast("string")

    fields: dict[str, Column] = {
        "feed": F.lit(name),
        "document": plain_key(key),
        "op": F.when(gone, "delete").otherwise("upsert"),
        "position": position,
        "seen": F.lit(False),
        "tag": position,
        "changed_at": F.col(CHANGED_AT),
        "media_type": F.lit("text/markdown"),
        "content": F.when(~gone, F.encode(_text(feed), "utf-8")),
        "title": text(feed.title),
        "url": text(feed.url),
        "language": text(feed.language_column, feed.language),
        "tags": listed(feed.tags_column, feed.tags),
        "tenant": text(feed.tenant_column, feed.tenant),
        "audience": listed(feed.audience_column, feed.audience),
        "metadata": F.to_json(F.struct(*[col(one).cast("string").alias(one) for one in feed.metadata]))
        if feed.metadata
        else F.lit("{}"),
    }
    return [fields.get(field, F.lit(None)).cast(kind).alias(field) for field, kind in FIELDS]


def _text(feed: TableFeed) -> Column:
    if len(feed.text) == 1:
        return F.coalesce(col(feed.text[0]).cast("string"), F.lit(""))
    parts = [
        F.when(
            F.trim(col(column).cast("string")) != "",
            F.concat(F.lit(f"## {column.replace('_', ' ')}\n\n"), col(column).cast("string")),
        )
        for column in feed.text
    ]
    return F.concat_ws("\n\n", *parts)


def as_list(column: Column, is_array: bool = False) -> Column:
    """An array as it is; a JSON array of texts, or a text split at commas.

    What only looks like JSON is split as well, null in an array is an empty text, and so is a text of commas alone: an
    audience that cannot be read must not become an empty one, which is everybody.
    """
    nothing = F.array().cast("array<string>")
    if is_array:
        return F.coalesce(_of_texts(column.cast("array<string>")), nothing)
    text = F.trim(column.cast("string"))
    from_json = F.when(text.startswith("["), _of_texts(F.from_json(text, "array<string>")))
    # Not F.trim itself: transform would hand it each text's place as the letters to trim.
    split = F.filter(F.transform(F.split(text, ","), lambda one: F.trim(one)), lambda one: one != "")
    unreadable = F.when((text != "") & (F.size(split) == 0), F.array(F.lit("")))
    return F.coalesce(from_json, unreadable, split, nothing)


def _of_texts(array: Column) -> Column:
    return F.transform(array, lambda one: F.coalesce(one, F.lit("")))


def plain_key(key: Column) -> Column:
    """The value of a key of one column, the JSON array of a longer one."""
    values = F.from_json(key, "array<string>")
    return F.when(F.size(values) == 1, values[0]).otherwise(key)
