"""Settings of the stores that hold one row for each key: profiles, and what else is looked up at prompt time."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, OneOf, Positive, Settings, Text, Timeout, on_a_disk
from headrace.config_postgres import is_loopback

_SET_BESIDE = frozenset(
    ["tls", "ssl", "tlscafile", "tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames",
     "authmechanism", "authsource"]
)  # fmt: skip


class KeyedStoreBase(Settings):
    """What every such store has in common.

    Attributes:
        rows_per_write: the most one request holds.
        writers: requests that are under way side by side.
        attempts: tries before a row goes to `rejects`.
        keep_deleted: for how long the store remembers that a row is gone, so that no late row revives it.
        placed_by: the keys that say where it lies, the one to change last.
        forgets_by_itself: deletes go by a time to live; elsewhere the job takes them away.
    """

    placed_by: ClassVar[tuple[str, ...]]
    forgets_by_itself: ClassVar[bool] = False
    rows_per_write: Positive = 200
    writers: Annotated[int, Field(ge=1, le=64)] = 4
    attempts: Positive = 8
    keep_deleted: Timeout = timedelta(days=30)


class SqliteRows(KeyedStoreBase):
    """One file. For a laptop, tests, and one machine."""

    placed_by: ClassVar[tuple[str, ...]] = ("path",)
    store: Literal["sqlite"] = "sqlite"
    path: Text
    writers: Annotated[Literal[1], OneOf] = 1

    @model_validator(mode="after")
    def _on_a_disk(self) -> "SqliteRows":
        on_a_disk(self.path, "path: ./profiles.db")
        return self


class DocumentDbRows(KeyedStoreBase):
    """Amazon DocumentDB, or MongoDB.

    Attributes:
        uri: with user and password, a secret; with `auth: iam` without.
        auth: `password`, or `iam`: the process's own AWS credentials (DocumentDB 5.0 and newer).
        ca_file: the certificates to trust, such as AWS' bundle, on disk or in S3; the system's where not given, which
            do not know DocumentDB's.
        tls: off only for a server on this machine.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("uri", "database", "collection")
    forgets_by_itself: ClassVar[bool] = True
    store: Literal["documentdb"]
    uri: SecretStr
    auth: Literal["password", "iam"] = "password"
    database: Text = "headrace"
    collection: Text = "profiles"
    tls: bool = True
    ca_file: Text | None = None
    timeout: Timeout = timedelta(seconds=10)

    @model_validator(mode="after")
    def _safe(self) -> "DocumentDbRows":
        parts = urlsplit(self.uri.get_secret_value())
        example = 'uri: {secret: "aws:prod/documentdb#uri"}'
        options = {name.lower() for name in parse_qs(parts.query, keep_blank_values=True)}
        for name in sorted(options & _SET_BESIDE):
            raise Contradiction("uri", "an address without options that are set beside it", name, example)
        if self.auth == "iam" and "@" in parts.netloc:
            expected = "no user and no password with auth: iam, which uses the job's role"
            raise Contradiction("uri", expected, "some", example)
        hosts = parts.netloc.rpartition("@")[2].split(",")
        if not self.tls and not all(is_loopback(urlsplit(f"//{host}").hostname or "") for host in hosts):
            raise Contradiction("tls", "true for a server on another machine", "false", "tls: true")
        return self


class DynamoDbRows(KeyedStoreBase):
    """A table of Amazon DynamoDB with the string key `pk` and time to live on `expires`.

    Attributes:
        endpoint: URL of a VPC endpoint or an emulator.
        create: make the table where there is none, paid by request. Terraform makes it otherwise.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("region", "endpoint", "table")
    forgets_by_itself: ClassVar[bool] = True
    store: Literal["dynamodb"]
    table: Text
    region: str | None = None
    endpoint: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    create: bool = False
    timeout: Timeout = timedelta(seconds=10)


class NeptuneGraph(KeyedStoreBase):
    """The identity graph in Amazon Neptune, or any Gremlin server: persons, records and identifiers, without facts.

    Attributes:
        url: `wss://HOST:8182/gremlin`.
        auth: `aws` signs in with IAM.
    """

    placed_by: ClassVar[tuple[str, ...]] = ("url",)
    store: Literal["neptune"]
    url: Text
    auth: Literal["none", "aws"] = "none"
    region: str | None = None
    timeout: Timeout = timedelta(seconds=30)


KeyedStore = SqliteRows | DocumentDbRows | DynamoDbRows

ProfileStore = Annotated[KeyedStore | NeptuneGraph, Field(discriminator="store")]


def one_place_each(where: str, stores: Mapping[str, KeyedStoreBase]) -> Iterator[Contradiction]:
    """Stores that lie in the place of an earlier one; `where` is the key they stand under."""
    seen: dict[tuple[object, ...], str] = {}
    for name, store in stores.items():
        first = seen.setdefault(_place(store), name)
        if first != name:
            key = store.placed_by[-1]
            found = f"the same as {where}.{first}"
            yield Contradiction(f"{where}.{name}.{key}", "a place of its own", found, f"{key}: ...")


def taken_places(
    where: str, stores: Mapping[str, KeyedStoreBase], by: str, others: Mapping[str, KeyedStoreBase]
) -> Iterator[Contradiction]:
    """Stores that lie in the place of one that another job fills; `where` and `by` are the keys they stand under."""
    taken = {_place(store): name for name, store in others.items()}
    for name, store in stores.items():
        if (other := taken.get(_place(store))) is not None:
            key = store.placed_by[-1]
            found = f"the same as {by}.{other}"
            yield Contradiction(f"{where}.{name}.{key}", "a place of its own", found, f"{key}: ...")


def _place(store: KeyedStoreBase) -> tuple[object, ...]:
    return (type(store), *(_plain(getattr(store, key)) for key in store.placed_by))


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
