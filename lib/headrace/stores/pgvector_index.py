"""PostgreSQL with pgvector as the write side of passages.

The guard is `on conflict do update .. where excluded.version > version`; rows come by COPY into a temporary table.
Deletes stay as rows without content. The HNSW index is built when a generation is taken into use: with one in place,
loading is some fifty times slower.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, LiteralString

import msgspec

from headrace.config_indexes import PgvectorIndex
from headrace.ports import Failed, Held, Model, Projected, Written
from headrace.stores import pgvector_schema as schema
from headrace.stores.generations import (
    check_model,
    check_owner,
    checked_generation,
    not_open,
    not_there,
    still_active,
)
from headrace.stores.passage_rows import Row, batches, checked, first_model, folded, too_large

if TYPE_CHECKING:
    from psycopg import Connection

_PAGE = 10_000
Record = tuple[Any, ...]


class PgvectorVectorIndex:
    """The write side of one generation; a `ports.VectorIndex`. Many processes may write at a time.

    Args:
        settings: server and table.
        generation: what `write`, `sweep`, `held` and `purge` work on.
        model: what its vectors are made with; None takes what the first passage says.
    """

    def __init__(self, settings: PgvectorIndex, generation: str, model: Model | None = None) -> None:
        self._settings, self._wanted = settings, model
        self._generation = checked_generation(generation)
        self._names = schema.Names(settings)
        self._where = f"pgvector table {settings.table}"
        self._connection: Connection[Any] | None = None

    def open(self, owner: str) -> None:
        """Make what is missing and claim the table for `owner`."""
        self.close()
        connection = schema.connect(self._settings)
        try:
            with schema.answering(self._settings), connection.transaction():
                # `if not exists` alone lets two sessions make the same table and one fail.
                connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [self._where])
                self._make(connection, owner)
            with schema.answering(self._settings):
                connection.execute(schema.INCOMING)
                if schema.setting(connection, self._names, "active") == self._generation:
                    schema.build_graph(connection, self._settings, self._generation)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def attach(self, owner: str) -> None:
        """Use the table there is."""
        self.close()
        connection = schema.connect(self._settings)
        try:
            with schema.answering(self._settings):
                there = schema.is_there(connection, self._settings, self._generation)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        if not there:
            raise not_there(self._generation, self._where)

    def _make(self, connection: "Connection[Any]", owner: str) -> None:
        names = self._names
        for statement in schema.META:
            connection.execute(names.sql(statement))
        connection.execute(names.sql("insert into {settings} values ('owner', %s) on conflict do nothing"), [owner])
        release = f"delete the row `owner` of {self._settings.table}_headrace"
        check_owner(schema.setting(connection, names, "owner") or "", owner, self._where, release)
        schema.check_name_is_free(connection, self._settings)
        add = names.sql("insert into {generations} (name) values (%s) on conflict do nothing")
        connection.execute(add, [self._generation])
        if not schema.is_there(connection, self._settings, self._generation):
            for statement in schema.GENERATION:
                connection.execute(names.sql(statement, self._generation))
        kept = schema.model_of(connection, names, self._generation)
        if self._wanted and kept:
            check_model(kept, self._wanted, self._where)
        elif self._wanted:
            self._settle(connection, self._wanted)

    def _settle(self, connection: "Connection[Any]", model: Model) -> Model:
        """Fix the generation's model: the first writer's, which the others take over."""
        text: LiteralString = (
            "update {generations} set model = %s, dimension = %s, fingerprint = %s where name = %s and model is null"
        )
        connection.execute(self._names.sql(text), [*model, self._generation])
        return schema.model_of(connection, self._names, self._generation) or model

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held."""
        connection = self._opened()
        with schema.answering(self._settings):
            self._check_there(connection)
            kept = schema.model_of(connection, self._names, self._generation)
            taken, failed, replaced = checked(rows, kept)
            new = first_model(taken)
            if kept is None and new is not None:
                taken, failed, replaced = checked(rows, self._settle(connection, new))
            written = Written(stale=replaced)
            records, sizes = self._records(taken, failed)
            for part in batches(sizes, self._settings.rows_per_write, self._settings.bytes_per_write):
                written += self._send(connection, records[part.start : part.stop])
        return written + Written(failed=tuple(failed))

    def _records(self, rows: Sequence[Row], failed: list[Failed]) -> tuple[list[Record], list[int]]:
        records, sizes = [], []
        for row in rows:
            try:
                record = _record(row)
            except (TypeError, ValueError) as error:
                failed.append(Failed(row.key, row.version, f"expected a body of JSON values; {error}", retry=False))
                continue
            size = sum(len(value) for value in record[9:11] if value is not None)
            problem = too_large(row, size, self._settings.bytes_per_write)
            if problem:
                failed.append(problem)
            else:
                records.append(record)
                sizes.append(size)
        return records, sizes

    def _send(self, connection: "Connection[Any]", records: list[Record]) -> Written:
        """One transaction; where PostgreSQL refuses a value, halves until the row stands alone."""
        import psycopg

        try:
            with connection.transaction(), connection.cursor() as cursor:
                with cursor.copy("copy headrace_incoming from stdin") as copy:
                    for record in records:
                        copy.write_row(record)
                applied = cursor.execute(self._names.sql(schema.UPSERT, self._generation)).rowcount
            return Written(applied, len(records) - applied)
        except psycopg.errors.UndefinedTable as error:
            raise not_there(self._generation, self._where) from error
        except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
            if len(records) == 1:
                reason = " ".join(str(error).split())[:300]
                return Written(failed=(Failed(records[0][0], records[0][1], reason, retry=False),))
        middle = len(records) // 2
        return self._send(connection, records[:middle]) + self._send(connection, records[middle:])

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        return self._change(schema.SWEEP, [before_version, before_version])

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower."""
        return self._change("delete from {table} where deleted and version < %s", [before_version])

    def _change(self, text: LiteralString, values: list[int]) -> int:
        connection = self._opened()
        with schema.answering(self._settings):
            self._check_there(connection)
            return connection.execute(self._names.sql(text, self._generation), values).rowcount

    def newest(self) -> int:
        """The highest version held; -1 for none."""
        connection = self._opened()
        with schema.answering(self._settings):
            self._check_there(connection)
            found = schema.one(connection, self._names.sql("select max(version) from {table}", self._generation))
            return -1 if found is None or found[0] is None else int(found[0])

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included, as they stand at the first step."""
        self._opened()
        # A connection of its own: the caller may write while it reads.
        with schema.connect(self._settings) as connection, schema.answering(self._settings):
            self._check_there(connection)
            statement = self._names.sql("select key, version, deleted from {table}", self._generation)
            with connection.transaction(), connection.cursor("headrace_held") as cursor:
                cursor.itersize = _PAGE
                for key, version, deleted in cursor.execute(statement):
                    yield Held(key, version, deleted)

    def generations(self) -> list[str]:
        """Names of the generations there are, oldest first."""
        with schema.answering(self._settings):
            found = self._opened().execute(self._names.sql("select name from {generations} order by number"))
            return [name for (name,) in found]

    def active(self) -> str | None:
        """The generation readers see."""
        with schema.answering(self._settings):
            return schema.setting(self._opened(), self._names, "active")

    def activate(self, generation: str) -> None:
        """Let readers see another generation, all at the same moment; builds its HNSW index first."""
        connection = self._opened()
        with schema.answering(self._settings):
            self._check_there(connection, checked_generation(generation))
            schema.build_graph(connection, self._settings, generation)
            with connection.transaction():
                text: LiteralString = (
                    "insert into {settings} values ('active', %s) on conflict (name) do update set value = %s"
                )
                connection.execute(self._names.sql(text), [generation, generation])
                connection.execute(self._names.sql(schema.VIEW, generation))

    def drop(self, generation: str) -> None:
        """Remove a generation that is not active."""
        connection = self._opened()
        checked_generation(generation)
        with schema.answering(self._settings), connection.transaction():
            if schema.setting(connection, self._names, "active", lock=True) == generation:
                raise still_active(generation, self._where)
            connection.execute(self._names.sql("drop table if exists {table}", generation))
            connection.execute(self._names.sql("delete from {generations} where name = %s"), [generation])

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> "Connection[Any]":
        if self._connection is None:
            raise not_open(self._where)
        return self._connection

    def _check_there(self, connection: "Connection[Any]", generation: str = "") -> None:
        name = generation or self._generation
        if not schema.one(connection, self._names.sql("select 1 from {generations} where name = %s"), [name]):
            raise not_there(name, self._where)


def _record(row: Row) -> Record:
    if row.body is None or row.vector is None:
        return (row.key, row.version, True, None, None, None, None, None, None, None, None, None, None, None)
    body = row.body
    return (
        row.key,
        row.version,
        False,
        body.get("tenant"),
        body["source"],
        body.get("language"),
        row.changed_at,
        list(body.get("tags") or ()),
        list(body.get("audience") or ()),
        msgspec.json.encode(body).decode("utf-8"),
        msgspec.json.encode(row.vector.tolist()).decode("ascii"),
        folded(body.get("title") or ""),
        folded(" ".join(body.get("heading") or ())),
        folded(body["text"]),
    )
