"""What flows may ask of the world. Stores implement these; `pipelines` and the application hand them over.

Nothing here imports Spark or a client library.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from headrace.errors import HeadraceError, Retryable

Vectors = NDArray[np.float32]
"""One row per text, each of length 1."""

Purpose = Literal["document", "query"]
"""Some models embed what is stored and what is asked in different ways."""


class Loaded(NamedTuple):
    """An object as it is now.

    Attributes:
        tag: changes whenever the content may have changed.
        content: None where the tag is the one the caller had already.
    """

    tag: str
    content: bytes | None


Loader = Callable[[str, str | None], Loaded | None]
"""(locator, the tag the caller has) -> what is there; None for nothing. Raises Retryable where the store does not
answer."""


class Model(NamedTuple):
    """What makes vectors: its name, the numbers in one, and the fingerprint that keeps models apart."""

    name: str
    dimension: int
    fingerprint: str


class Throttled(Retryable):
    """The service asks for a pause.

    Attributes:
        retry_after: seconds it asked for; None where it named none.
    """

    def __init__(
        self, *, expected: str, found: str, todo: str, where: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(expected=expected, found=found, todo=todo, where=where)
        self.retry_after = retry_after


class Unacceptable(HeadraceError):
    """The service refuses this input for good, such as a text that is too long; others may pass."""


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors. One per process: it holds a model or a client.

    Attributes:
        model: the model's name, e.g. `amazon.titan-embed-text-v2:0`.
        dimension: numbers per vector.
        fingerprint: everything that changes a vector: model, dimension, prefixes, normalisation. Vectors of
            different fingerprints never mix.
        batch: texts a call takes.
    """

    model: str
    dimension: int
    fingerprint: str
    batch: int

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, each of length 1. At most `batch` texts.

        Raises:
            Throttled, Retryable: the same call may work later.
            Unacceptable: at least one text can never be embedded; the caller tries them one by one.
            Fatal: no call will work (credentials, unknown model).
        """

    def close(self) -> None:
        """Give back what it holds."""


@dataclass(frozen=True, slots=True)
class Projected:
    """One row on its way to a store.

    Attributes:
        key: its identity in the store.
        version: a store keeps the row with the highest; equal is a repeat.
        deleted: the row is gone; the store remembers the version.
        body: its content; None where deleted.
    """

    key: str
    version: int
    deleted: bool
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A row a store did not take. `retry`: the same row may be taken later."""

    key: str
    version: int
    reason: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the rows of one `write`. Stale is success: the store holds the same or a newer version."""

    applied: int = 0
    stale: int = 0
    failed: tuple[Failed, ...] = ()

    def __add__(self, other: "Written") -> "Written":
        return Written(self.applied + other.applied, self.stale + other.stale, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds of one key."""

    key: str
    version: int
    deleted: bool


class Projection(Protocol):
    """The write side of a store: rows by key, each guarded by its version.

    Used in the process that made it. Any method may raise Retryable (the store is away), NotThere (somebody removed
    it; `open` makes it again, empty) or another Fatal.
    """

    def open(self, owner: str) -> None:
        """Create what is missing and claim it for `owner`, the identity of the outbox that feeds it. Repeatable.

        Raises:
            Fatal: it cannot be used as configured: another owner has it, an engine or a dimension does not fit.
        """

    def attach(self, owner: str) -> None:
        """As `open`, but make and claim nothing: for those who only look.

        Raises:
            NotThere: nobody has made it yet.
        """

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held, deletes of unknown keys too."""

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower; how many there were. For the end of a rebuild."""

    def held(self) -> Iterator[Held]:
        """Every key it remembers, in no order, deleted ones included where it keeps them."""

    def newest(self) -> int:
        """The highest version it holds, of a delete it remembers too; -1 for none, and where it cannot say."""

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower; how many there were."""

    def close(self) -> None:
        """Give back what it holds."""


class VectorIndex(Projection, Protocol):
    """A projection of passages that can be searched, in generations.

    Each generation has one model. Readers see the active one. A projection object writes into one generation.
    """

    def generations(self) -> list[str]:
        """Names of the generations there are, oldest first."""

    def active(self) -> str | None:
        """The generation readers see; None before the first."""

    def activate(self, generation: str) -> None:
        """Let readers see another generation, at once for all."""

    def drop(self, generation: str) -> None:
        """Remove a generation that is not active. Raises Fatal for the active one."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a passage must be to be found. Empty means: anything.

    Attributes:
        tenant: only passages of this tenant. None finds only passages of no tenant.
        audience: groups the reader is in; a passage is found when its own audience is empty or shares one.
        tags: all must be there.
        languages: one of them.
        sources: one of the document feeds.
        max_age: since the document's change.
    """

    tenant: str | None = None
    audience: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found. `score`: higher is better, comparable within one answer only. `body` without its vector."""

    key: str
    version: int
    score: float
    body: Mapping[str, Any] = field(default_factory=dict)


class PassageReader(Protocol):
    """The read side of a vector index."""

    def model(self) -> Model:
        """The model of the generation that is read: what a query must be embedded with."""

    def by_words(self, text: str, filters: Filters, limit: int) -> list[Hit]:
        """Best passages by BM25, best first."""

    def by_vector(self, vector: Sequence[float], filters: Filters, limit: int) -> list[Hit]:
        """Best passages by cosine similarity, which is their score, best first."""

    def close(self) -> None:
        """Give back what it holds."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row as a store holds it. `version` is the store's, as it was written."""

    version: int
    body: Mapping[str, Any]


class KeyedReader(Protocol):
    """The read side of a store that holds one row for each key."""

    def read(self, keys: Sequence[str]) -> dict[str, Found]:
        """The rows that are there and not deleted, by key; as of the newest write the store confirmed.

        Raises:
            Retryable: the store does not answer.
            NotThere: nobody has made it yet.
        """

    def close(self) -> None:
        """Give back what it holds."""


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """What a registry holds under one id: what a message was written with.

    Attributes:
        text: the schema as JSON.
        kind: `AVRO`, `JSON`, `PROTOBUF`.
        imported: the schemas it refers to by name, each after those it needs itself.
    """

    text: str
    kind: str = "AVRO"
    imported: tuple[str, ...] = ()


class SchemaLookup(Protocol):
    """A schema registry, as the reader of messages uses it. What it answered once is not asked for again."""

    def schema(self, id: int | UUID) -> WriterSchema | None:
        """The schema of this id; None where the registry answers that it has none.

        Raises:
            Retryable: it does not answer, and was tried for a while.
            Fatal: it refuses (credentials), or is no such registry.
        """
