"""Measures in one SQLite file, for a notebook, Grafana or any program that reads SQLite."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, closing

from headrace.config_measures import SLICES
from headrace.config_publish import SqliteMeasures
from headrace.errors import Fatal
from headrace.ports_measures import Document, Progress, Span, written
from headrace.stores.sqlite_schema import answering, connect, file_identity, is_there, setting, transaction

_MARK = 0x48524D31
"""SQLite's application id of such a file: `HRM1`."""
_COLUMNS = ("measure", "minute", "slice", *SLICES, "numerator", "denominator", "n", "buckets", "counted_at")
_NUMBERS = {"numerator": "real", "denominator": "real", "n": "integer"}
_MAKE = (
    "create table if not exists settings (name text primary key, value text not null) without rowid",
    f"""create table if not exists measures (
        id text primary key, {", ".join(f"{name} {_NUMBERS.get(name, 'text')}" for name in _COLUMNS)}
    ) without rowid""",
    "create index if not exists by_measure on measures (measure, minute)",
    "create index if not exists by_minute on measures (minute)",
)
_PUT = f"insert or replace into measures values ({', '.join('?' * (len(_COLUMNS) + 1))})"
_HELD = "select id from measures where minute between ? and ?"


class SqliteMeasureStore:
    """A `ports_measures.MeasureStore`.

    Nothing is committed before `keep`: a reader sees what was published before or all of what is new.
    """

    def __init__(self, settings: SqliteMeasures) -> None:
        self._path = settings.path
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)

    def look(self) -> bool:
        """Whether the file is there. Raises Fatal for a file that is none of ours."""
        if not is_there(self._path):
            return False
        with _answering(self._path), closing(connect(self._path, write=False)) as connection:
            return _is_ours(connection, self._path)

    def open(self) -> None:
        """Make the file where it is missing. Raises Fatal for a file that is none of ours."""
        self.close()
        with _answering(self._path):
            connection = connect(self._path, write=True)
            try:
                with transaction(connection, "immediate"):
                    _make(connection, self._path)
            except BaseException:
                connection.close()
                raise
        self._connection, self._file = connection, file_identity(self._path)

    def progress(self) -> Progress | None:
        """What `keep` was last given; None in an empty store, also where somebody took the file away."""
        if self._connection is not None and not (is_there(self._path) and file_identity(self._path) == self._file):
            self.open()
        with _answering(self._path):
            told = setting(self._opened(), "progress")
        return None if told is None else Progress(*json.loads(told))

    def put(self, documents: Sequence[Document]) -> None:
        """Write all, over what has the same id."""
        with _answering(self._path):
            self._begun().executemany(_PUT, map(_record, documents))

    def held(self, span: Span) -> set[str]:
        """The ids of its documents in these minutes."""
        with _answering(self._path):
            found = self._opened().execute(_HELD, [written(span.first), written(span.last)])
            return {id for (id,) in found}

    def remove(self, ids: Collection[str]) -> None:
        """Delete these; nothing happens where one is not there."""
        with _answering(self._path):
            self._begun().executemany("delete from measures where id = ?", [(one,) for one in ids])

    def keep(self, progress: Progress) -> None:
        """Remember how far it has come, and commit."""
        with _answering(self._path):
            connection = self._begun()
            connection.execute("insert or replace into settings values ('progress', ?)", [json.dumps(progress)])
            connection.execute("commit")

    def close(self) -> None:
        """Close the file; what was not kept is not written."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Fatal(where=self._path, expected="an open store", found="a closed one", todo="Call `open` first.")
        return self._connection

    def _begun(self) -> sqlite3.Connection:
        connection = self._opened()
        if not connection.in_transaction:
            connection.execute("begin immediate")
        return connection


def _answering(path: str) -> AbstractContextManager[None]:
    return answering(path, what="measures", filled_by="`headrace run track_feedback`")


def _is_ours(connection: sqlite3.Connection, path: str) -> bool:
    """False for an empty file. Raises Fatal for one of something else."""
    (mark,) = connection.execute("pragma application_id").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if mark != _MARK and tables:
        found, todo = "a database of something else", "Name another path under feedback.publish."
        raise Fatal(where=path, expected="a new file, or one with measures", found=found, todo=todo)
    return bool(mark == _MARK)


def _make(connection: sqlite3.Connection, path: str) -> None:
    _is_ours(connection, path)
    for statement in _MAKE:
        connection.execute(statement)
    connection.execute(f"pragma application_id = {_MARK}")


def _record(document: Document) -> tuple[object, ...]:
    body = document.body
    values = {**body, "buckets": json.dumps(body["buckets"]) if "buckets" in body else None}
    return (document.id, *(values.get(name) for name in _COLUMNS))
