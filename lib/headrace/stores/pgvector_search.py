"""The read side of passages in PostgreSQL. Every query sees one state: the active generation and its rows."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

import msgspec

from headrace.config_indexes import PgvectorIndex
from headrace.errors import Unreachable
from headrace.ports import Filters, Hit, Model
from headrace.stores import pgvector_schema as schema
from headrace.stores.passage_rows import folded, query_vector, query_words

if TYPE_CHECKING:
    from psycopg import Connection

_WORDS: LiteralString = """select key, version, body, ts_rank('{{0.3, 0.4, 0.6, 1.0}}', words, question, 1) as score
    from {table}, to_tsquery('simple', %s) as question
    where words @@ question and """
_NEAREST: LiteralString = """select key, version, body, 1 - (embedding::vector({dimension}) <=> %s::vector) as score
    from {table} where """
_ORDER: LiteralString = " order by embedding::vector({dimension}) <=> %s::vector limit %s"
_CANDIDATES = 200  # of the graph search; pgvector's own 40 would miss good ones
Answer = TypeVar("Answer")


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class PgvectorPassageReader:
    """A `ports.PassageReader`. Threads take turns on one connection.

    PostgreSQL has no BM25: `by_words` ranks with `ts_rank`, which does not know how rare a word is.

    Args:
        settings: server and table.
        clock: what `max_age` is counted back from.
        generation: one to read instead of the active one.
    """

    def __init__(
        self, settings: PgvectorIndex, clock: Callable[[], datetime] = now, generation: str | None = None
    ) -> None:
        self._settings, self._clock, self._generation = settings, clock, generation
        self._names = schema.Names(settings)
        self._where = f"pgvector table {settings.table}"
        self._connection: Connection[Any] | None = None
        self._lock = Lock()

    def model(self) -> Model:
        """What a query must be embedded with."""
        return self._read(self._model)

    def by_words(self, text: str, filters: Filters, limit: int) -> list[Hit]:
        """Best passages by their words; one in a title or heading counts for more."""
        words = folded(" ".join(query_words(text))).split()
        if not words or limit < 1:
            return []
        condition, values = conditions(filters, self._clock())

        def run(connection: "Connection[Any]", generation: str) -> list[Hit]:
            text: LiteralString = _WORDS + condition + " order by score desc, key limit %s"
            statement = self._names.sql(text, generation)
            return _hits(connection.execute(statement, [" | ".join(words), *values, limit]))

        return self._read(run)

    def by_vector(self, vector: Sequence[float], filters: Filters, limit: int) -> list[Hit]:
        """Best passages by cosine similarity: by the HNSW index where there is one, exact where it finds too few."""
        if limit < 1:
            return []
        condition, values = conditions(filters, self._clock())

        def run(connection: "Connection[Any]", generation: str) -> list[Hit]:
            dimension = self._model(connection, generation).dimension
            asked = msgspec.json.encode(query_vector(vector, dimension, self._where).tolist()).decode("ascii")
            statement = self._names.sql(_NEAREST + condition + _ORDER, generation, dimension=dimension)
            breadth = min(max(_CANDIDATES, 2 * limit), 1_000)
            connection.execute("select set_config('hnsw.ef_search', %s, true)", [str(breadth)])
            found = _hits(connection.execute(statement, [asked, *values, asked, limit]))
            if len(found) < limit:
                # The graph's candidates did not pass the filters, or there are no more.
                connection.execute("set local enable_indexscan = off")
                found = _hits(connection.execute(statement, [asked, *values, asked, limit]))
            return found

        return self._read(run)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, run: "Callable[[Connection[Any], str], Answer]") -> Answer:
        with self._lock:
            if self._connection is not None:
                # A server or pooler may have closed an idle connection; that shows at the first query only.
                with suppress(Unreachable):
                    return self._once(run)
                self._close()
            self._connection = self._connect()
            return self._once(run)

    def _connect(self) -> "Connection[Any]":
        from psycopg import IsolationLevel

        connection = schema.connect(self._settings)
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return connection

    def _once(self, run: "Callable[[Connection[Any], str], Answer]") -> Answer:
        import psycopg

        assert self._connection is not None
        with schema.answering(self._settings), self._connection.transaction():
            try:
                active = self._generation or schema.setting(self._connection, self._names, "active")
            except psycopg.errors.UndefinedTable:
                active = None
            if active is None:
                todo = "Run `headrace run index_knowledge` until its first passages are published."
                raise Unreachable(
                    expected="a generation to read", found="none is active yet", todo=todo, where=self._where
                )
            return run(self._connection, active)

    def _model(self, connection: "Connection[Any]", generation: str) -> Model:
        found = schema.model_of(connection, self._names, generation)
        if found is None:
            todo = "Publish a passage, or name the model when the generation is opened."
            raise Unreachable(expected="a generation with a model", found="it is empty", todo=todo, where=self._where)
        return found


def conditions(filters: Filters, at: datetime) -> tuple[LiteralString, list[object]]:
    """The filters as SQL and its values."""
    # Each in the form the planner has statistics for: it chooses between the graph and the whole table.
    parts: list[LiteralString] = ["not deleted", "tenant is null" if filters.tenant is None else "tenant = %s"]
    values: list[object] = [] if filters.tenant is None else [filters.tenant]
    if filters.audience:
        parts.append("(audience = '{{}}' or audience && %s)")
        values.append(list(filters.audience))
    else:
        parts.append("audience = '{{}}'")
    if filters.tags:
        parts.append("tags @> %s")
        values.append(list(filters.tags))
    if filters.languages:
        parts.append("language = any(%s)")
        values.append(list(filters.languages))
    if filters.sources:
        parts.append("source = any(%s)")
        values.append(list(filters.sources))
    if filters.max_age is not None:
        parts.append("changed_at >= %s")
        values.append(at - filters.max_age)
    return " and ".join(parts), values


def _hits(rows: Any) -> list[Hit]:
    found = [Hit(key, version, float(score), body) for key, version, body, score in rows]
    return sorted(found, key=lambda hit: (-hit.score, hit.key))
