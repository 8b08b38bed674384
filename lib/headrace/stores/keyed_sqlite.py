"""One SQLite file as a store of rows by key.

The guard is `on conflict do update .. where excluded.version > version`; deletes stay as rows without body until they
are purged. How far they were purged is kept, and what is older comes in only where its key is held: a late row revives
nothing. The highest version is kept beside the rows, in the same transaction: to look for it would read the file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from threading import Lock

import msgspec

from headrace.config_keyed_stores import SqliteRows
from headrace.errors import Fatal
from headrace.ports import Found, Held, Projected, Written
from headrace.served_rows import MOST_FILTERS, ROW
from headrace.stores import sqlite_schema as schema
from headrace.stores.keyed_rows import (
    FORMAT,
    MOST_BODY_BYTES,
    Row,
    askable,
    body_of,
    check_claim,
    check_format,
    checked,
    not_open,
    not_there,
)

_MARK = 0x48524B31
"""SQLite's application id of such a file: `HRK1`."""
SERVED = f"not deleted and key >= '{ROW}' and key < '{chr(ord(ROW[0]) + 1)}'"
"""SQL: a row of a served table. A query must say it in these words to use the indexes."""
FOUND_BY = "json_extract(body, '$.find[{}]')"
"""SQL: a row's term at a place."""
_MAKE = (
    "create table if not exists settings (name text primary key, value text not null) without rowid",
    # The body stands last: SQLite then finds version and deletedness without reading it.
    """create table if not exists rows (
        id integer primary key, key text not null unique, version integer not null, deleted integer not null, body text
    )""",
    # Partial, so that a profile costs nothing more.
    *(
        f"create index if not exists found_by_{place} on rows ({FOUND_BY.format(place)}, key) where {SERVED}"
        for place in range(MOST_FILTERS)
    ),
)
_UPSERT = """
insert into rows (key, version, deleted, body) values (?, ?, ?, ?)
on conflict (key) do update set version = excluded.version, deleted = excluded.deleted, body = excluded.body
where excluded.version > version
"""
_SWEEP = "update rows set version = ?1 - 1, deleted = 1, body = null where not deleted and version < ?1"
_RAISE = "update settings set value = max(cast(value as integer), ?) where name = 'newest'"
_NEWEST_AGAIN = "update settings set value = (select coalesce(max(version), -1) from rows) where name = 'newest'"
_PURGE = "delete from rows where deleted and version < ?1"
_PURGED = """insert into settings values ('purged', ?1)
on conflict (name) do update set value = max(cast(value as integer), cast(excluded.value as integer))"""
_HELD = "select 1 from rows where key = ?"
_READ = "select key, version, body from rows where not deleted and key in (select value from json_each(?))"


class SqliteStore:
    """The write side; a `ports.Projection`. Several processes take turns."""

    def __init__(self, settings: SqliteRows) -> None:
        self._path = settings.path
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)

    def open(self, owner: str) -> None:
        """Make the file where it is missing, and claim it for `owner`."""
        self.close()
        with answering(self._path):
            connection = schema.connect(self._path, write=True)
            try:
                with schema.transaction(connection, "immediate"):
                    self._claim(connection, owner)
            except BaseException:
                connection.close()
                raise
        self._connection, self._file = connection, schema.file_identity(self._path)

    def attach(self, owner: str) -> None:
        """Use the file there is."""
        self.close()
        connection = _reading(self._path)
        try:
            with answering(self._path):
                self._check_owner(connection, owner)
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, schema.file_identity(self._path)

    def _claim(self, connection: sqlite3.Connection, owner: str) -> None:
        (mark,) = connection.execute("pragma application_id").fetchone()
        (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
        if mark != _MARK and tables:
            raise _foreign(self._path)
        check_format(_format(connection), self._path)
        for statement in _MAKE:
            connection.execute(statement)
        connection.execute(f"pragma application_id = {_MARK}")
        connection.execute(f"pragma user_version = {FORMAT}")
        connection.execute("insert or ignore into settings values ('owner', ?), ('newest', '-1')", [owner])
        self._check_owner(connection, owner)

    def _check_owner(self, connection: sqlite3.Connection, owner: str) -> None:
        claimed = schema.setting(connection, "owner") or ""
        release = f"remove {self._path}, and the store is filled again"
        check_claim(owner, claimed, _format(connection), self._path, release)

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held, all in one transaction."""
        connection = self._opened()
        taken, failed, replaced = checked(rows, MOST_BODY_BYTES)
        if not taken:
            return Written(failed=tuple(failed))
        with answering(self._path), schema.transaction(connection, "immediate"):
            records = [(row.key, row.version, row.text is None, row.text) for row in _known(connection, taken)]
            applied = connection.executemany(_UPSERT, records).rowcount if records else 0
            # Where the highest was stale, what is held of its key was higher already.
            connection.execute(_RAISE, [max(row.version for row in taken)])
        return Written(applied, len(taken) - applied + replaced, tuple(failed))

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        return self._change(_SWEEP, before_version)

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower. No key that is not held is taken with such a version any more."""
        return self._change(_PURGE, before_version, purged=True)

    def _change(self, statement: str, before_version: int, purged: bool = False) -> int:
        connection = self._opened()
        with answering(self._path), schema.transaction(connection, "immediate"):
            if purged:
                connection.execute(_PURGED, [before_version])
            changed = connection.execute(statement, [before_version]).rowcount
            connection.execute(_NEWEST_AGAIN)
            return changed

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included, as they stand at the first step."""
        self._opened()
        # A connection of its own: the caller may write while it reads.
        with answering(self._path), closing(schema.connect(self._path, write=False)) as connection:
            for key, version, deleted in connection.execute("select key, version, deleted from rows"):
                yield Held(key, version, bool(deleted))

    def newest(self) -> int:
        """The highest version held; -1 for none."""
        connection = self._opened()
        with answering(self._path):
            return int(schema.setting(connection, "newest") or -1)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise not_open(self._path)
        # SQLite goes on writing into a file that was removed or replaced.
        if not schema.is_there(self._path) or schema.file_identity(self._path) != self._file:
            raise not_there(self._path)
        return self._connection


class SqliteReader:
    """The read side; a `ports.KeyedReader`. The file stays open; one that took its place is seen.

    Threads share it.
    """

    def __init__(self, settings: SqliteRows) -> None:
        self._path = settings.path
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._lock = Lock()

    def read(self, keys: Sequence[str]) -> dict[str, Found]:
        """The rows that are there and not deleted, as of the last commit."""
        asked = msgspec.json.encode(askable(keys)).decode()
        with self._lock:
            connection = self._current()
            with answering(self._path):
                found = connection.execute(_READ, [asked]).fetchall()
        return {key: Found(version, body_of(text)) for key, version, text in found}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _current(self) -> sqlite3.Connection:
        if not schema.is_there(self._path):
            self._close()
            raise not_there(self._path)
        there = schema.file_identity(self._path)
        if self._connection is None or there != self._file:
            self._close()
            self._connection, self._file = _reading(self._path), there
        return self._connection


def _known(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[Row]:
    """The rows without those that may have been deleted by what was purged."""
    purged = int(schema.setting(connection, "purged") or 0)
    return [row for row in rows if row.version >= purged or connection.execute(_HELD, [row.key]).fetchone()]


def _reading(path: str) -> sqlite3.Connection:
    """A connection to a file that is such a store."""
    if not schema.is_there(path):
        raise not_there(path)
    with answering(path):
        connection = schema.connect(path, write=False)
        try:
            (mark,) = connection.execute("pragma application_id").fetchone()
            (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
            if not tables:
                raise not_there(path)  # its maker is between making the file and making the tables
            if mark != _MARK:
                raise _foreign(path)
            check_format(_format(connection), path)
        except BaseException:
            connection.close()
            raise
        return connection


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def answering(path: str) -> AbstractContextManager[None]:
    """SQLite's errors in Headrace's words."""
    again = ": the job that feeds it fills it again; but remembered conversations are lost without a copy"
    return schema.answering(path, what="store", filled_by="the job that feeds it", again=again)


def _foreign(path: str) -> Fatal:
    found = "a database of something else"
    todo = "Name another path: Headrace shares no file with other programs, nor profiles with an index."
    return Fatal(expected="a file of rows by key written by Headrace", found=found, todo=todo, where=path)
