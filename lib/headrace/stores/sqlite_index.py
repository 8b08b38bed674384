"""The embedded index: one SQLite file with exact vector search and FTS5.

The guard is `on conflict do update .. where excluded.version > version`; deletes stay as rows without content.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import msgspec

from headrace.config_indexes import SqliteIndex
from headrace.ports import Failed, Held, Model, Projected, Written
from headrace.stores import sqlite_schema as schema
from headrace.stores.generations import (
    check_model,
    check_owner,
    checked_generation,
    not_open,
    not_there,
    still_active,
)
from headrace.stores.passage_rows import Row, checked, first_model, too_large

_UPSERT = """
insert into passages_{n} (key, version, deleted, tenant, source, language, changed_at, tags, audience, vector, body)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (key) do update set
    version = excluded.version, deleted = excluded.deleted, tenant = excluded.tenant, source = excluded.source,
    language = excluded.language, changed_at = excluded.changed_at, tags = excluded.tags,
    audience = excluded.audience, vector = excluded.vector, body = excluded.body
where excluded.version > version
"""
_SWEEP = """
update passages_{n} set version = ? - 1, deleted = 1, tenant = null, source = null, language = null,
    changed_at = null, tags = null, audience = null, vector = null, body = null
where not deleted and version < ?
"""


class SqliteVectorIndex:
    """The write side of one generation; a `ports.VectorIndex`. Several processes take turns.

    Args:
        settings: the file.
        generation: what `write`, `sweep`, `held` and `purge` work on.
        model: what its vectors are made with; None takes what the first passage says.
    """

    def __init__(self, settings: SqliteIndex, generation: str, model: Model | None = None) -> None:
        self._path, self._most_bytes = settings.path, settings.bytes_per_write
        self._generation, self._wanted = checked_generation(generation), model
        self._connection: sqlite3.Connection | None = None
        self._number = 0
        self._file = (0, 0)

    def open(self, owner: str) -> None:
        """Make the file and the generation where they are missing, and claim the file for `owner`."""
        self.close()
        with schema.answering(self._path):
            connection = schema.connect(self._path, write=True)
            try:
                with schema.transaction(connection, "immediate"):
                    self._claim(connection, owner)
            except BaseException:
                connection.close()
                raise
        self._connection, self._file = connection, schema.file_identity(self._path)

    def attach(self, owner: str) -> None:
        """Use the file and the generation there are."""
        self.close()
        if not schema.is_there(self._path):
            raise not_there(self._generation, self._path)
        with schema.answering(self._path):
            connection = schema.connect(self._path, write=False)
            try:
                schema.check_format(connection, self._path)
                self._check_owner(connection, owner)
                number = schema.number_of(connection, self._generation)
            except BaseException:
                connection.close()
                raise
        self._connection, self._number, self._file = connection, number or 0, schema.file_identity(self._path)
        if number is None:
            raise not_there(self._generation, self._path)

    def _claim(self, connection: sqlite3.Connection, owner: str) -> None:
        schema.make_meta(connection, self._path)
        connection.execute("insert or ignore into settings values ('owner', ?)", [owner])
        self._check_owner(connection, owner)
        number = schema.number_of(connection, self._generation)
        self._number = number or schema.make_generation(connection, self._generation)
        schema.complete(connection, self._number)
        kept = schema.model_of(connection, self._number)
        if self._wanted and kept:
            check_model(kept, self._wanted, self._path)
        elif self._wanted:
            self._settle(connection, self._wanted)

    def _check_owner(self, connection: sqlite3.Connection, owner: str) -> None:
        claimed = schema.setting(connection, "owner") or ""
        check_owner(claimed, owner, self._path, f"remove {self._path}, and the index is built again")

    def _settle(self, connection: sqlite3.Connection, model: Model) -> None:
        statement = "update generations set model = ?, dimension = ?, fingerprint = ? where number = ?"
        connection.execute(statement, [*model, self._number])

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held, all in one transaction."""
        connection = self._opened()
        with schema.answering(self._path), schema.transaction(connection, "immediate"):
            self._check_number(connection)
            kept = schema.model_of(connection, self._number)
            taken, failed, replaced = checked(rows, kept)
            fitting, records = self._records(taken, failed)
            new = first_model(fitting)
            if kept is None and new is not None:
                self._settle(connection, new)
            applied = connection.executemany(_UPSERT.format(n=self._number), records).rowcount if records else 0
            schema.forget_changes(connection, self._number)
        return Written(applied, len(records) - applied + replaced, tuple(failed))

    def _records(self, rows: Sequence[Row], failed: list[Failed]) -> tuple[list[Row], list[tuple[object, ...]]]:
        fitting: list[Row] = []
        records: list[tuple[object, ...]] = []
        for row in rows:
            try:
                record = _record(row)
            except (TypeError, ValueError) as error:
                failed.append(Failed(row.key, row.version, f"expected a body of JSON values; {error}", retry=False))
                continue
            problem = too_large(row, len(str(record[-1])), self._most_bytes)
            if problem:
                failed.append(problem)
                continue
            fitting.append(row)
            records.append(record)
        return fitting, records

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        return self._change(_SWEEP, [before_version, before_version])

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included, as they stand at the first step."""
        self._opened()
        with schema.answering(self._path), closing(schema.connect(self._path, write=False)) as connection:
            self._check_number(connection)
            for key, version, deleted in connection.execute(
                f"select key, version, deleted from passages_{self._number}"
            ):
                yield Held(key, version, bool(deleted))

    def newest(self) -> int:
        """The highest version held; -1 for none."""
        connection = self._opened()
        with schema.answering(self._path):
            self._check_number(connection)
            (found,) = connection.execute(f"select max(version) from passages_{self._number}").fetchone()
            return -1 if found is None else int(found)

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower."""
        return self._change("delete from passages_{n} where deleted and version < ?", [before_version])

    def _change(self, statement: str, values: list[int]) -> int:
        connection = self._opened()
        with schema.answering(self._path), schema.transaction(connection, "immediate"):
            self._check_number(connection)
            changed = connection.execute(statement.format(n=self._number), values).rowcount
            schema.forget_changes(connection, self._number)
            return changed

    def generations(self) -> list[str]:
        """Names of the generations there are, oldest first."""
        with schema.answering(self._path):
            return [name for (name,) in self._opened().execute("select name from generations order by number")]

    def active(self) -> str | None:
        """The generation readers see."""
        with schema.answering(self._path):
            return schema.setting(self._opened(), "active")

    def activate(self, generation: str) -> None:
        """Let readers see another generation: their next query does."""
        connection = self._opened()
        with schema.answering(self._path), schema.transaction(connection, "immediate"):
            if schema.number_of(connection, generation) is None:
                raise not_there(generation, self._path)
            connection.execute("insert or replace into settings values ('active', ?)", [generation])

    def drop(self, generation: str) -> None:
        """Remove a generation that is not active; its room in the file is used again."""
        connection = self._opened()
        with schema.answering(self._path), schema.transaction(connection, "immediate"):
            if schema.setting(connection, "active") == generation:
                raise still_active(generation, self._path)
            number = schema.number_of(connection, generation)
            if number is not None:
                schema.drop_generation(connection, number)

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
            raise not_there(self._generation, self._path)
        return self._connection

    def _check_number(self, connection: sqlite3.Connection) -> None:
        # Another process may have dropped the generation, and made one of the same name since.
        if schema.number_of(connection, self._generation) != self._number:
            raise not_there(self._generation, self._path)


def _record(row: Row) -> tuple[object, ...]:
    if row.body is None or row.vector is None:
        return (row.key, row.version, 1, None, None, None, None, None, None, None, None)
    body = row.body
    return (
        row.key,
        row.version,
        0,
        body.get("tenant"),
        body["source"],
        body.get("language"),
        row.changed_at.timestamp() if row.changed_at else None,
        _json(body.get("tags") or ()),
        _json(body.get("audience") or ()),
        row.vector.astype("<f4").tobytes(),
        _json(body),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8")
