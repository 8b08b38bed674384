"""Settings of `index_knowledge`: where documents come from, how they are cut and embedded, which indexes hold them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Duration, Name, Names, Positive, Settings, Text, Timeout, unknown_name
from headrace.config_embed import (
    BedrockEmbed,
    Budget,
    Embed,
    EmbedBase,
    HttpEmbed,
    LangChainEmbed,
    MiniLmEmbed,
    SageMakerEmbed,
    StaticEmbed,
)
from headrace.config_indexes import (
    Index,
    IndexBase,
    KafkaIndex,
    KendraIndex,
    KinesisIndex,
    OpenSearchIndex,
    PgvectorIndex,
    ServerlessVectorIndex,
    SqliteIndex,
    clash,
    linked,
)

__all__ = [
    "BedrockEmbed",
    "Budget",
    "Chunk",
    "Embed",
    "EmbedBase",
    "EventFeed",
    "Feed",
    "FeedBase",
    "FolderFeed",
    "HttpEmbed",
    "Index",
    "IndexBase",
    "KafkaIndex",
    "KendraIndex",
    "KinesisIndex",
    "Knowledge",
    "LangChainEmbed",
    "MiniLmEmbed",
    "OpenSearchIndex",
    "Parse",
    "PgvectorIndex",
    "SageMakerEmbed",
    "ServerlessVectorIndex",
    "SqliteIndex",
    "StaticEmbed",
    "TableFeed",
    "stream_source",
]


EMBED = "embed"


class FeedBase(Settings):
    """What every feed of documents has in common.

    Attributes:
        audience: groups that may read its documents; empty means everybody. A document's own comes on top.
        tenant: the tenant all its documents belong to.
        tags: tags of all its documents.
        language: ISO 639-1 code; detected where not given.
    """

    audience: Names = ()
    tenant: str | None = None
    tags: Names = ()
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None


class FolderFeed(FeedBase):
    """A watched folder, on disk or in S3, that is listed every `every`: 2 seconds, with `events` 10 minutes.

    Attributes:
        events: a source of `format: objects` that tells of changes sooner than the listing does. Listing then only
            finds what was there before, and what an event was lost for.
        events_path: what the events call `path`, as `s3://bucket/folder`, where it is not that itself: a bucket seen as
            a folder on disk.
        include, exclude: patterns with `*` on the path below `path`; what no parser knows is passed over.
    """

    kind: Literal["folder"] = Field(alias="from")
    path: Text
    events: str | None = None
    events_path: Annotated[str, Field(pattern=r"^s3://[^/]+(/.*)?$")] | None = None
    every: Timeout = timedelta(seconds=2)
    include: Names = ("*",)
    exclude: Names = ()

    @model_validator(mode="before")
    @classmethod
    def _events_make_listings_rare(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("events") and value.get("every") is None:
            return {**value, "every": "10m"}
        return value

    @model_validator(mode="after")
    def _events_name_the_folder(self) -> "FolderFeed":
        if self.events and not self.events_path and not self.path.startswith("s3://"):
            expected = "the bucket and folder that the events speak of, as path is a folder on disk"
            raise Contradiction("events_path", expected, "nothing", "events_path: s3://bucket/notes")
        return self


class TableFeed(FeedBase):
    """Rows of an ordered table, each a document.

    Attributes:
        text: the columns that make its text, in order, each under its name as a heading where there are several.
        title, url, language_column, tags_column, audience_column, tenant_column: columns with these; lists are
            arrays, JSON arrays or text split at commas.
        metadata: columns that travel with every passage and are not embedded.
    """

    kind: Literal["table"] = Field(alias="from")
    table: str
    text: Annotated[Names, Field(min_length=1)]
    title: str | None = None
    url: str | None = None
    language_column: str | None = None
    tags_column: str | None = None
    audience_column: str | None = None
    tenant_column: str | None = None
    metadata: Names = ()


class EventFeed(FeedBase):
    """JSON events from a stream, each a document: a source of `format: json` with position and operation.

    Attributes:
        id, text, title, url, language_field, tags_field, audience_field, tenant_field: fields of the event.
        media_type: of its text.
        renamed_from: the field with the id the document had before; that one goes.
        metadata: fields that travel with every passage.
    """

    kind: Literal["events"] = Field(alias="from")
    source: str
    id: str = "id"
    text: str = "text"
    title: str | None = "title"
    url: str | None = "url"
    media_type: str = "text/markdown"
    renamed_from: str | None = None
    language_field: str | None = None
    tags_field: str | None = None
    audience_field: str | None = None
    tenant_field: str | None = None
    metadata: Names = ()


Feed = Annotated[FolderFeed | TableFeed | EventFeed, Field(discriminator="kind")]


def stream_source(feed: Feed) -> str | None:
    """The source whose stream a feed reads; None where it reads none."""
    if isinstance(feed, EventFeed):
        return feed.source
    return feed.events if isinstance(feed, FolderFeed) else None


class Parse(Settings):
    """Limits of a document. What exceeds one is rejected with its reason.

    Attributes:
        max_bytes: of the document as it is stored.
        max_unpacked: times its size a packed document (DOCX) may grow to.
        max_pages: of a PDF.
        max_characters: of the text that comes out.
        max_depth: elements inside one another (HTML, XML, JSON).
        seconds: a parser may take for one document.
    """

    max_bytes: Positive = 50_000_000
    max_unpacked: Positive = 100
    max_pages: Positive = 2_000
    max_characters: Positive = 5_000_000
    max_depth: Positive = 200
    seconds: Annotated[float, Field(gt=0)] = 60


class Chunk(Settings):
    """How documents are cut.

    Attributes:
        tokens: the most a passage holds, by a counter that never undercounts by much and needs no model.
        heading: put the path of headings before the text that is embedded.
    """

    tokens: Annotated[int, Field(ge=16, le=8192)] = 200
    heading: bool = True


class Knowledge(Settings):
    """Documents in, an index in step with them.

    Attributes:
        documents: feeds, by name.
        indexes: all of them get every passage; readers ask the first unless they name another.
        embed: the model a new lake starts with.
        models: more of them by name, to change to with `headrace rebuild vectors --model NAME`.
        trigger: time between two looks for changes.
        keep_outbox: how long what was published stays in the outbox; an index further behind is rebuilt.
    """

    documents: Annotated[dict[Name, Feed], Field(min_length=1)]
    indexes: Annotated[dict[Name, Index], Field(min_length=1)]
    parse: Parse = Parse()
    chunk: Chunk = Chunk()
    embed: Embed = StaticEmbed()
    models: dict[Name, Embed] = Field(default_factory=dict)
    trigger: Duration = timedelta(seconds=2)
    keep_outbox: Timeout = timedelta(days=7)

    def all_models(self) -> dict[str, Embed]:
        """Every model of the settings by name; that of `embed` is called so."""
        return {EMBED: self.embed, **self.models}

    def sources(self) -> frozenset[str]:
        """The sources its feeds read."""
        return frozenset(source for feed in self.documents.values() if (source := stream_source(feed)))

    def readers(self, source: str) -> list[str]:
        """The feeds that read a source."""
        return [name for name, feed in self.documents.items() if stream_source(feed) == source]

    def misfits(self, tables: Sequence[str], formats: Mapping[str, str]) -> Iterator[Contradiction]:
        """What does not fit: tables and sources that are not there or of no use, two indexes in one place.

        Args:
            formats: the format of each source, by its name.
        """
        for name, feed in self.documents.items():
            where = f"knowledge.documents.{name}"
            if isinstance(feed, TableFeed) and feed.table not in tables:
                yield unknown_name(f"{where}.table", feed.table, "tables", sorted(tables))
            if isinstance(feed, EventFeed):
                yield from _of_format(f"{where}.source", feed.source, "json", formats)
            if isinstance(feed, FolderFeed) and feed.events is not None:
                yield from _of_format(f"{where}.events", feed.events, "objects", formats)
        if EMBED in self.models:
            found = "the name of the model under knowledge.embed"
            yield Contradiction(f"knowledge.models.{EMBED}", "another name", found, "better: {provider: minilm}")
        yield from self._one_place_each()

    def _one_place_each(self) -> Iterator[Contradiction]:
        names = list(self.indexes)
        for at, name in enumerate(names):
            for first in names[:at]:
                both = self.indexes[first], self.indexes[name]
                if key := clash(*both):
                    example = "path: ./passages_2.db" if key == "path" else f"{key}: passages_2"
                    same = "the same, by a link, as" if linked(*both) else "the same as"
                    where, found = f"knowledge.indexes.{name}.{key}", f"{same} knowledge.indexes.{first}"
                    yield Contradiction(where, "a place of its own for each index", found, example)
                    break


def _of_format(where: str, source: str, wanted: str, formats: Mapping[str, str]) -> Iterator[Contradiction]:
    if formats.get(source) != wanted:
        found = f"{source}, of format: {formats[source]}" if source in formats else source
        fit = sorted(name for name in formats if formats[name] == wanted)
        yield unknown_name(where, found, f"sources of format: {wanted}", fit)
