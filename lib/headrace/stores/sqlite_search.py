"""The read side of the embedded index. Every query sees one state of the file: the active generation and its rows."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock

import msgspec
import numpy as np
from numpy.typing import NDArray

from headrace.config_indexes import SqliteIndex
from headrace.errors import Unreachable
from headrace.ports import Filters, Hit, Model, Vectors
from headrace.stores import sqlite_schema as schema
from headrace.stores.passage_rows import query_vector, query_words

_BLOCK = 4096  # vectors held in memory at a time


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class SqlitePassageReader:
    """A `ports.PassageReader` on an index that another process may write. Threads take turns.

    Args:
        settings: the file.
        clock: what `max_age` is counted back from.
        generation: one to read instead of the active one.
    """

    def __init__(
        self, settings: SqliteIndex, clock: Callable[[], datetime] = now, generation: str | None = None
    ) -> None:
        self._path, self._clock, self._generation = settings.path, clock, generation
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._lock = Lock()

    def model(self) -> Model:
        """What a query must be embedded with."""
        with self._reading() as (connection, number):
            return self._model(connection, number)

    def by_words(self, text: str, filters: Filters, limit: int) -> list[Hit]:
        """Best passages by BM25; a word in a title or heading counts for more."""
        words = query_words(text)
        if not words or limit < 1:
            return []
        condition, values = conditions(filters, self._clock())
        match = " OR ".join(f'"{word}"' for word in words)
        with self._reading() as (connection, number):
            statement = f"""
                select p.key, p.version, p.body, -bm25(words_{number}, 2.0, 1.5, 1.0) as score
                from words_{number} as w join passages_{number} as p on p.id = w.rowid
                where words_{number} match ? and {condition} order by score desc, p.key limit ?"""
            found = connection.execute(statement, [match, *values, limit]).fetchall()
        return [Hit(key, version, score, msgspec.json.decode(body)) for key, version, body, score in found]

    def by_vector(self, vector: Sequence[float], filters: Filters, limit: int) -> list[Hit]:
        """Best passages by cosine similarity: exact, over every passage that passes the filters."""
        if limit < 1:
            return []
        condition, values = conditions(filters, self._clock())
        with self._reading() as (connection, number):
            asked = query_vector(vector, self._model(connection, number).dimension, self._path)
            rows = connection.execute(f"select p.id, p.vector from passages_{number} as p where {condition}", values)
            return _hits(connection, number, nearest(rows, asked, limit))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        with self._lock, schema.answering(self._path):
            # A file that was removed and built again has the same name only.
            file = schema.file_identity(self._path)
            if self._connection is None or file != self._file:
                self._close()
                self._connection, self._file = schema.connect(self._path, write=False), file
            with schema.transaction(self._connection, "deferred"):
                yield self._connection, self._active(self._connection)

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


def nearest(rows: sqlite3.Cursor, asked: Vectors, limit: int) -> list[tuple[int, float]]:
    """Ids and cosine similarities of the best, best first, in bounded memory. Ties: the lower id."""
    ids: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    scores: NDArray[np.float32] = np.empty(0, dtype=np.float32)
    while block := rows.fetchmany(_BLOCK):
        matrix = np.frombuffer(b"".join(vector for _, vector in block), dtype="<f4").reshape(len(block), -1)
        ids = np.concatenate([ids, np.fromiter((number for number, _ in block), np.int64, len(block))])
        scores = np.concatenate([scores, matrix @ asked])
        order = np.lexsort((ids, -scores))[:limit]
        ids, scores = ids[order], scores[order]
    return [(int(number), float(score)) for number, score in zip(ids, scores, strict=True)]


def _hits(connection: sqlite3.Connection, number: int, best: Sequence[tuple[int, float]]) -> list[Hit]:
    statement = f"select key, version, body from passages_{number} where id = ?"
    found = []
    for identity, score in best:
        key, version, body = connection.execute(statement, [identity]).fetchone()
        found.append(Hit(key, version, score, msgspec.json.decode(body)))
    return found
