"""The read side of the embedded index. Every query sees one state of the file: the active generation and its rows."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock

import msgspec

from headrace.config_indexes import SqliteIndex
from headrace.errors import Unreachable
from headrace.ports import Filters, Hit, Model
from headrace.stores import sqlite_schema as schema
from headrace.stores.passage_rows import query_vector, query_words
from headrace.stores.sqlite_pool import Connections, File
from headrace.stores.sqlite_vectors import HeldVectors, held, nearest
from headrace.stores.sqlite_words import Words


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class SqlitePassageReader:
    """A `ports.PassageReader` on an index that another process may write. Threads may share it.

    Vectors are kept in memory, and those that changed are read again before each question.

    Args:
        settings: the file.
        clock: what `max_age` is counted back from.
        generation: one to read instead of the active one.
    """

    def __init__(
        self, settings: SqliteIndex, clock: Callable[[], datetime] = now, generation: str | None = None
    ) -> None:
        self._path, self._clock, self._generation = settings.path, clock, generation
        self._connections = Connections(settings.path)
        self._held: HeldVectors | None = None
        self._by_vector = Lock()

    def model(self) -> Model:
        """What a query must be embedded with."""
        with self._reading() as (connection, number, _):
            return self._model(connection, number)

    def by_words(self, text: str, filters: Filters, limit: int) -> list[Hit]:
        """Best passages by BM25; a word in a title or heading counts for more."""
        words = query_words(text)
        if not words or limit < 1:
            return []
        condition, values = conditions(filters, self._clock())
        with self._reading() as (connection, number, _):
            return _hits(connection, number, Words(connection, number, condition, values, limit).best(words))

    def by_vector(self, vector: Sequence[float], filters: Filters, limit: int) -> list[Hit]:
        """Best passages by cosine similarity: exact, over every passage that passes the filters."""
        if limit < 1:
            return []
        # One at a time: what is held follows the file from one question to the next, and never back.
        with self._by_vector, self._reading() as (connection, number, file):
            dimension = self._model(connection, number).dimension
            asked = query_vector(vector, dimension, self._path)
            before, self._held = self._held, None  # half brought up to date, it would be lost
            self._held = held(connection, number, dimension, file, before)
            at = self._clock()
            if self._held is not None:
                return _hits(connection, number, self._held.nearest(asked, filters, at, limit))
            condition, values = conditions(filters, at)
            rows = connection.execute(f"select p.id, p.vector from passages_{number} as p where {condition}", values)
            return _hits(connection, number, nearest(rows, asked, limit))

    def close(self) -> None:
        """Close the file and forget what is held."""
        with self._by_vector:
            self._held = None
        self._connections.close()

    @contextmanager
    def _reading(self) -> Iterator[tuple[sqlite3.Connection, int, File]]:
        with schema.answering(self._path), self._connections.taken() as (connection, file):
            yield connection, self._active(connection), file

    def _active(self, connection: sqlite3.Connection) -> int:
        name = self._generation or schema.setting(connection, "active")
        number = None if name is None else schema.number_of(connection, name)
        if number is None:
            todo = "Run `headrace run index_knowledge` until its first passages are published."
            raise Unreachable(expected="a generation to read", found="none is active yet", todo=todo, where=self._path)
        return number

    def _model(self, connection: sqlite3.Connection, number: int) -> Model:
        found = schema.model_of(connection, number)
        if found is None:
            todo = "Publish a passage, or name the model when the generation is opened."
            raise Unreachable(expected="a generation with a model", found="it is empty", todo=todo, where=self._path)
        return found


def conditions(filters: Filters, at: datetime) -> tuple[str, list[object]]:
    """The filters as SQL on `p`, and its values."""
    parts = ["not p.deleted", "p.tenant is ?"]
    found: list[object] = [filters.tenant]
    groups = f"value in ({_marks(filters.audience)})"
    parts.append(f"(p.audience = '[]' or exists (select 1 from json_each(p.audience) where {groups}))")
    found += filters.audience
    for tag in filters.tags:
        parts.append("exists (select 1 from json_each(p.tags) where value = ?)")
        found.append(tag)
    for column, allowed in (("language", filters.languages), ("source", filters.sources)):
        if allowed:
            parts.append(f"p.{column} in ({_marks(allowed)})")
            found += allowed
    if filters.max_age is not None:
        parts.append("p.changed_at >= ?")
        found.append((at - filters.max_age).timestamp())
    return " and ".join(parts), found


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _hits(connection: sqlite3.Connection, number: int, best: Sequence[tuple[int, float]]) -> list[Hit]:
    statement = f"select key, version, body from passages_{number} where id = ?"
    found = []
    for identity, score in best:
        key, version, body = connection.execute(statement, [identity]).fetchone()
        found.append(Hit(key, version, score, msgspec.json.decode(body)))
    return found
