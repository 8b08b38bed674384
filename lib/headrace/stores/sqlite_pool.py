"""Connections for reading one SQLite file, each taken by one thread at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from headrace.stores import sqlite_schema as schema

_KEPT = 8
File = tuple[int, int]


class Connections:
    """Makes connections as they are needed and keeps some. Each is in a transaction: it sees one state of the file."""

    def __init__(self, path: str) -> None:
        self._path, self._lock = path, Lock()
        self._idle: list[sqlite3.Connection] = []
        self._file: File = (0, 0)

    @contextmanager
    def taken(self) -> Iterator[tuple[sqlite3.Connection, File]]:
        """A connection for one use, and which file it reads."""
        file = schema.file_identity(self._path)
        with self._lock:
            if file != self._file:
                # A file that was removed and built again has the same name only.
                self._empty()
                self._file = file
            connection = self._idle.pop() if self._idle else None
        connection = connection or schema.connect(self._path, write=False)
        try:
            with schema.transaction(connection, "deferred"):
                yield connection, file
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, file)

    def close(self) -> None:
        """Close those that nobody uses. The next use makes one again."""
        with self._lock:
            self._empty()
            self._file = (0, 0)

    def _give_back(self, connection: sqlite3.Connection, file: File) -> None:
        with self._lock:
            if file == self._file and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def _empty(self) -> None:
        while self._idle:
            self._idle.pop().close()
