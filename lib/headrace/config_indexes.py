"""Settings of the indexes that hold passages."""

import os
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import (
    Contradiction,
    Duration,
    Names,
    OneOf,
    OptionText,
    Positive,
    Role,
    Settings,
    Text,
    Timeout,
    Url,
    on_a_disk,
)
from headrace.config_kafka import MskIam, Region, check_options
from headrace.config_postgres import check_iam_url


class IndexBase(Settings):
    """What every index has in common.

    Attributes:
        rows_per_write, bytes_per_write: the most one request holds.
        writers: tasks that write side by side.
        attempts: tries before a row goes to `rejects`.
        placed_by: the keys that say where it lies.
    """

    placed_by: ClassVar[tuple[str, ...]]
    rows_per_write: Positive = 500
    bytes_per_write: Positive = 5_000_000
    writers: Annotated[int, Field(ge=1, le=64)] = 2
    attempts: Positive = 8


class SqliteIndex(IndexBase):
    """One file: exact vector search and FTS5. For a laptop, tests, and up to some 100,000 passages.

    Those who search it hold its vectors in memory.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("path",)
    store: Literal["sqlite"] = "sqlite"
    path: Text
    writers: Annotated[Literal[1], OneOf] = 1

    @model_validator(mode="after")
    def _on_a_disk(self) -> "SqliteIndex":
        on_a_disk(self.path, "path: ./passages.db")
        return self


class OpenSearchServer(Settings):
    """An OpenSearch server, self-run or a managed domain, and an index on it.

    Attributes:
        auth: `none`, `basic` (user, password) or `aws` (SigV4).
        refresh: how soon a write is seen.
    """

    hosts: Annotated[Names, Field(min_length=1)]
    index: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,100}$")]
    auth: Literal["none", "basic", "aws"] = "none"
    user: str | None = None
    password: SecretStr | None = None
    region: str | None = None
    role: Role | None = None
    ca_file: Text | None = None
    verify: bool = True
    shards: Positive = 1
    replicas: Annotated[int, Field(ge=0)] = 0
    refresh: Duration = timedelta(seconds=1)
    timeout: Timeout = timedelta(seconds=30)

    @model_validator(mode="after")
    def _credentials(self) -> "OpenSearchServer":
        examples = {"user": "user: headrace", "password": "password: {secret: env:OPENSEARCH_PASSWORD}"}
        missing = [key for key in examples if getattr(self, key) is None]
        if self.auth == "basic" and missing:
            expected, key = "user and password with auth: basic", missing[0]
            raise Contradiction(key, expected, f"no {' and no '.join(missing)}", examples[key])
        if self.auth != "basic" and len(missing) < len(examples):
            found = f"user or password, which auth: {self.auth} does not use"
            raise Contradiction("auth", "auth: basic with user and password", found, "auth: basic")
        return self


class OpenSearchIndex(OpenSearchServer, IndexBase):
    """OpenSearch with k-NN.

    Attributes:
        index: the alias readers use; generations are `<index>__<generation>`.
        serverless: of a search collection; a vector collection refuses document ids and is not this.
        engine: `lucene` runs everywhere; `faiss` where the server has its native library.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("hosts", "index")
    store: Literal["opensearch"]
    serverless: bool = False
    engine: Literal["lucene", "faiss"] = "lucene"


class PgvectorIndex(IndexBase):
    """PostgreSQL with pgvector, such as Aurora.

    Attributes:
        table: name of the view readers use; generations are tables `<table>__<generation>`.
        hnsw: build an HNSW index; without one, search is exact. It is built after a first load.
        auth: `password`, which stands in the URL, or `iam`: Aurora's and RDS's tokens for the URL's user.
        region, role: for `iam`; the process's own where not given.
        ca_file: certificates (PEM) to trust; the server's is then checked, its name too.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("url", "table")
    store: Literal["pgvector"]
    url: SecretStr
    table: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,40}$")] = "passages"
    hnsw: bool = True
    auth: Literal["password", "iam"] = "password"
    region: Region | None = None
    role: Role | None = None
    ca_file: Text | None = None

    @model_validator(mode="after")
    def _signed_in(self) -> "PgvectorIndex":
        if self.auth == "iam":
            check_iam_url(self.url.get_secret_value(), self.ca_file)
        for key in ("region", "role"):
            if getattr(self, key) and self.auth != "iam":
                raise Contradiction(key, "auth: iam beside it", f"auth: {self.auth}", "auth: iam")
        return self


class KafkaIndex(IndexBase):
    """A topic of passages with their vectors, for OpenSearch Ingestion or anything else that reads Kafka.

    Attributes:
        auth: how to sign in to Amazon MSK with IAM; every other way is set by `options`.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("servers", "topic")
    store: Literal["kafka"]
    servers: Text
    topic: Text
    auth: MskIam | None = None
    options: dict[str, OptionText | SecretStr] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way_in(self) -> "KafkaIndex":
        check_options(self.auth, self.options)
        return self


class KinesisIndex(IndexBase):
    """A Kinesis stream of passages with their vectors, for whatever reads it. Tested against emulators only."""

    placed_by: ClassVar[tuple[str, ...]] = ("stream",)
    store: Literal["kinesis"]
    stream: Text
    region: str | None = None
    endpoint: Url | None = None
    role_arn: Role | None = None
    external_id: str | None = None


class ServerlessVectorIndex(IndexBase):
    """A vector collection of OpenSearch Serverless, which refuses document ids: weaker. Tested against stubs only."""

    placed_by: ClassVar[tuple[str, ...]] = ("host", "index")
    store: Literal["opensearch_serverless_vector"]
    host: Text
    index: Text
    region: Text
    role: Role | None = None


class KendraIndex(IndexBase):
    """Amazon Kendra, which has no versions: written in order by one task. Tested against stubs only."""

    placed_by: ClassVar[tuple[str, ...]] = ("index_id",)
    store: Literal["kendra"]
    index_id: Text
    data_source_id: str | None = None
    region: str | None = None
    role: Role | None = None
    writers: Annotated[Literal[1], OneOf] = 1


Index = Annotated[
    SqliteIndex | OpenSearchIndex | PgvectorIndex | KafkaIndex | KinesisIndex | ServerlessVectorIndex | KendraIndex,
    Field(discriminator="store"),
]


def clash(one: Index, other: Index) -> str:
    """The key that would tell two indexes in the same place apart; empty where they are in different ones."""
    if one.store != other.store:
        return ""
    if isinstance(one, SqliteIndex) and isinstance(other, SqliteIndex):
        return "path" if _one_file(one.path, other.path) else ""
    same = all(_overlap(getattr(one, key), getattr(other, key)) for key in one.placed_by)
    return one.placed_by[-1] if same else ""


def linked(one: Index, other: Index) -> bool:
    """Whether two indexes in one file name it by two paths, of which one is a link."""
    if not (isinstance(one, SqliteIndex) and isinstance(other, SqliteIndex)):
        return False
    return os.path.abspath(one.path) != os.path.abspath(other.path)


def _one_file(one: str, other: str) -> bool:
    """Whether both are the same file, by a link too."""
    try:
        return os.path.realpath(one) == os.path.realpath(other) or os.path.samefile(one, other)
    except (OSError, ValueError):  # neither is there yet
        return False


def _overlap(one: object, other: object) -> bool:
    # Two indexes may name different hosts of one cluster.
    return bool(set(one) & set(other)) if isinstance(one, tuple) and isinstance(other, tuple) else one == other
