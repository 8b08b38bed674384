"""A seeded random workload on five PostgreSQL tables that between them hold every column type people use.

Several transactions are open at a time on different rows, some are rolled back, some roll back to a savepoint: so the
log positions of different rows interleave as in a busy database, while each row's own positions only rise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from psycopg import Connection, sql

from . import values
from .values import Make

Key = tuple[object, ...]
Row = dict[str, object]


@dataclass(frozen=True)
class Column:
    """One column: its PostgreSQL type, a generator of values, and, when it may be TOASTed, one of large values."""

    name: str
    type: str
    make: Make
    large: Make | None = None
    nulls: float = 0.15


@dataclass
class Table:
    """One table, the keys of its living rows and of rows deleted once: the workload is the only writer, it knows."""

    name: str
    key: list[str]
    columns: list[Column]
    alive: dict[Key, None] = field(default_factory=dict)
    dead: list[Key] = field(default_factory=list)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def five_tables() -> list[Table]:
    """The five tables of the travel company, before the workload changes their schema."""
    v, int2, int4 = values, (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1)
    key_column = Column("id", "int4", v.whole(1, 2**31 - 1), nulls=0)
    return [
        Table(
            "bookings",
            ["id"],
            [
                key_column,
                Column("customer", "uuid", v.identifier),
                Column("status", "booking_status", v.one_of("held", "paid", "flown", "can celled"), nulls=0),
                Column("price", "numeric(12,2)", v.decimal(12, 2)),
                Column("guests", "int2", v.whole(*int2)),
                Column("points", "int4", v.whole(*int4)),
                Column("notes", "text", v.text, v.large_text),
                Column("changed", "timestamp", v.moment),
                Column("updated", "timestamptz", v.zoned, nulls=0),
            ],
        ),
        Table(
            "customers",
            ["id"],
            [
                Column("id", "uuid", v.identifier, nulls=0),
                Column("name", "varchar(80)", v.short(80), nulls=0),
                Column("country", "char(3)", v.short(3)),
                Column("vip", "bool", v.flag),
                Column("born", "date", v.day),
                Column("tags", "text[]", v.list_of(v.text)),
                Column("settings", "jsonb", v.document, v.large_document),
                Column("address", "inet", v.address),
            ],
        ),
        Table(
            "flights",
            ["airline", "number", "day"],
            [
                Column("airline", "char(3)", v.one_of("LX", "LH", "BA"), nulls=0),
                Column("number", "int4", v.whole(1, 9999), nulls=0),
                Column("day", "date", v.day, nulls=0),
                Column("departs", "timestamp(3)", v.moment),
                Column("gate_opens", "time", v.clock),
                Column("gate_closes", "time(3)", v.clock),
                Column("distance", "real", v.single),
                Column("delay", "interval", v.span),
                Column("seats", "int4[]", v.list_of(v.whole(*int4))),
                Column("message", "json", v.document, v.large_document),
            ],
        ),
        Table(
            "hotels",
            ["hotel_id"],
            [
                Column("hotel_id", "int8", v.whole(1, 2**63 - 1), nulls=0),
                Column("rating", "double precision", v.double),
                Column("photo", "bytea", v.raw, v.large_bytes),
                Column("description", "text", v.text, v.large_text),
                Column("rooms", "int4[]", v.list_of(v.whole(*int4)), v.large_list(v.whole(*int4), 800)),
                Column(
                    "big_rooms", "int8[]", v.list_of(v.whole(-(2**63), 2**63 - 1)), v.large_list(v.whole(0, 2**62), 400)
                ),
                Column("amenities", "text[]", v.list_of(v.text), v.large_list(v.large_text, 2)),
                Column("extra", "numeric", v.any_decimal),
            ],
        ),
        Table(
            "prices",
            ["id"],
            [
                Column("id", "int8", v.whole(1, 10**12), nulls=0),
                Column("amount", "numeric(9,4)", v.decimal(9, 4), nulls=0),
                Column("Select", "text", v.text),
                Column("seen", "timestamptz", v.zoned),
            ],
        ),
    ]


class Workload:
    """Runs random committed changes against the five tables; the same seed gives the same changes.

    `connect` opens a connection that is not in autocommit mode.
    """

    def __init__(self, connect: Callable[[], "Connection[Any]"], seed: int, sessions: int = 3) -> None:
        self.rng = Random(seed)
        self.sessions = [_Session(connect()) for _ in range(sessions)]
        self.tables = {table.name: table for table in five_tables()}
        self.locked: set[tuple[str, Key]] = set()
        self.changes = 0

    def create(self, rows: int = 50) -> None:
        """Creates the tables, with `rows` rows each for the connector's snapshot."""
        session = self.sessions[0]
        session.execute("create type booking_status as enum ('held', 'paid', 'flown', 'can celled')")
        for table in self.tables.values():
            columns = [sql.SQL("{} ").format(sql.Identifier(c.name)) + sql.SQL(c.type) for c in table.columns]
            key = sql.SQL(", ").join(map(sql.Identifier, table.key))
            body = sql.SQL(", ").join([*columns, sql.SQL("primary key ({})").format(key)])
            session.execute(sql.SQL("create table {} ({})").format(sql.Identifier(table.name), body))
            for column in table.columns:
                if column.large:
                    alter = sql.SQL("alter table {} alter column {} set storage external")
                    session.execute(alter.format(sql.Identifier(table.name), sql.Identifier(column.name)))
            for _ in range(rows):
                self._insert(session, table)
        self._commit(session)

    def run(self, changes: int) -> None:
        """Commits about `changes` further row changes (never fewer, at most one transaction more)."""
        goal = self.changes + changes
        for _ in self.steps():
            if self.changes >= goal:
                break
        self.settle()

    def steps(self) -> Iterator[int]:
        """Works for ever; yields the number of committed changes after each statement."""
        while True:
            session = self.rng.choice(self.sessions)
            if session.open and self.rng.random() < 0.3:
                self._end(session)
            else:
                self._change(session)
            yield self.changes

    def settle(self) -> None:
        """Commits what is open."""
        for session in self.sessions:
            if session.open:
                self._commit(session)

    def truncate(self, name: str) -> None:
        """Empties one table with TRUNCATE."""
        self._ddl(sql.SQL("truncate {}").format(sql.Identifier(name)))
        table = self.tables[name]
        table.dead.extend(table.alive)
        table.alive.clear()
        self.changes += 1

    def add_column(self, name: str, column: Column) -> None:
        """Adds a column without a default: a default would fill old rows without a single change event."""
        self._ddl(
            sql.SQL("alter table {} add column {} ").format(sql.Identifier(name), sql.Identifier(column.name))
            + sql.SQL(column.type)
        )
        self.tables[name].columns.append(column)

    def widen(self, name: str, column: str, wider: str, make: Make) -> None:
        """Changes a column's type to a wider one; `make` gives values that need the new width."""
        table = self.tables[name]
        self._ddl(
            sql.SQL("alter table {} alter column {} type ").format(sql.Identifier(name), sql.Identifier(column))
            + sql.SQL(wider)
        )
        at = next(i for i, old in enumerate(table.columns) if old.name == column)
        old = table.columns[at]
        table.columns[at] = Column(column, wider, make, old.large, old.nulls)

    def evolve(self) -> None:
        """The schema changes of the chain test: one added column, three widened types (one is a key)."""
        self.add_column("customers", Column("loyalty", "int4", values.whole(0, 2**31 - 1)))
        self.widen("bookings", "points", "int8", values.whole(-(2**63), 2**63 - 1))
        self.widen("bookings", "price", "numeric(16,2)", values.decimal(16, 2))
        self.widen("bookings", "id", "int8", values.whole(1, 2**40))

    def close(self) -> None:
        """Commits and closes the connections."""
        self.settle()
        for session in self.sessions:
            session.connection.close()

    def _ddl(self, statement: sql.Composable) -> None:
        self.settle()  # DDL and TRUNCATE wait for every open transaction of the table
        self.sessions[0].execute(statement)
        self._commit(self.sessions[0])

    def _end(self, session: "_Session") -> None:
        if self.rng.random() < 0.12:
            session.connection.rollback()
            session.undo(self.tables)
            self._release(session)
        else:
            self._commit(session)

    def _commit(self, session: "_Session") -> None:
        session.connection.commit()
        self.changes += session.done
        self._release(session)

    def _release(self, session: "_Session") -> None:
        self.locked -= session.locks
        session.reset()

    def _change(self, session: "_Session") -> None:
        table = self.rng.choice(list(self.tables.values()))
        kind = self.rng.choices(["insert", "update", "delete", "move", "undone"], [30, 48, 12, 7, 3])[0]
        if kind == "insert" or len(table.alive) < 5:
            self._insert(session, table)
        elif kind == "update":
            self._update(session, table)
        elif kind == "delete":
            self._delete(session, table)
        elif kind == "move":
            self._move(session, table)
        else:
            self._undone(session, table)

    def _undone(self, session: "_Session", table: Table) -> None:
        """An insert that a rollback to a savepoint takes back: no event may come of it."""
        row = self._new_row(table)
        session.execute("savepoint undone")
        session.execute(*_insert_statement(table, row))
        session.execute("rollback to savepoint undone")

    def _new_row(self, table: Table) -> Row:
        while True:
            row = {column.name: self._value(column) for column in table.columns}
            if table.dead and self.rng.random() < 0.3:  # a deleted row comes back under its old key
                row.update(zip(table.key, self.rng.choice(table.dead), strict=True))
            key = tuple(row[name] for name in table.key)
            if key not in table.alive and (table.name, key) not in self.locked:
                return row

    def _value(self, column: Column) -> object:
        if self.rng.random() < column.nulls:
            return None
        return column.large(self.rng) if column.large and self.rng.random() < 0.35 else column.make(self.rng)

    def _insert(self, session: "_Session", table: Table) -> None:
        row = self._new_row(table)
        session.execute(*_insert_statement(table, row))
        self._lock(session, table, tuple(row[name] for name in table.key), alive=True)

    def _free_key(self, table: Table) -> Key | None:
        for _ in range(10):
            key = self.rng.choice(list(table.alive))
            if (table.name, key) not in self.locked:
                return key
        return None

    def _update(self, session: "_Session", table: Table) -> None:
        key = self._free_key(table)
        if key is None:
            return
        others = [column for column in table.columns if column.name not in table.key]
        chosen = self.rng.sample(others, self.rng.randint(1, len(others)))
        if self.rng.random() < 0.5:  # leave every value that is stored apart untouched: markers appear
            chosen = [column for column in chosen if not column.large] or [c for c in others if not c.large][:1]
        session.execute(*_update_statement(table, key, {c.name: self._value(c) for c in chosen}))
        self._lock(session, table, key, alive=True)

    def _delete(self, session: "_Session", table: Table) -> None:
        key = self._free_key(table)
        if key is not None:
            session.execute(*_delete_statement(table, key))
            self._lock(session, table, key, alive=False)

    def _move(self, session: "_Session", table: Table) -> None:
        """A primary-key change, mostly with nothing else: values stored apart travel as markers under the new key."""
        key = self._free_key(table)
        if key is None:
            return
        row = self._new_row(table)
        new = {name: row[name] for name in table.key}
        if self.rng.random() < 0.3:
            extra = next(c for c in table.columns if c.name not in table.key and not c.large)
            new[extra.name] = self._value(extra)
        session.execute(*_update_statement(table, key, new))
        self._lock(session, table, key, alive=False)
        self._lock(session, table, tuple(row[name] for name in table.key), alive=True, counts=False)

    def _lock(self, session: "_Session", table: Table, key: Key, alive: bool, counts: bool = True) -> None:
        session.touch(table, key)
        self.locked.add((table.name, key))
        if alive:
            table.alive[key] = None
        else:
            table.alive.pop(key, None)
            table.dead.append(key)
        session.done += counts


class _Session:
    """One connection with the rows its open transaction has touched."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self.connection = connection
        self.reset()

    def reset(self) -> None:
        self.locks: set[tuple[str, Key]] = set()
        self.before: list[tuple[str, Key, bool]] = []
        self.open, self.done = False, 0

    def execute(self, statement: Any, parameters: list[object] | None = None) -> None:
        self.connection.execute(statement, parameters)
        self.open = True

    def touch(self, table: Table, key: Key) -> None:
        self.locks.add((table.name, key))
        self.before.append((table.name, key, key in table.alive))

    def undo(self, tables: dict[str, Table]) -> None:
        for name, key, was_alive in reversed(self.before):
            if was_alive:
                tables[name].alive[key] = None
            else:
                tables[name].alive.pop(key, None)


def _placeholder(table: Table, name: str) -> sql.Composable:
    return sql.SQL("%s::") + sql.SQL(table.column(name).type)


def _where(table: Table) -> sql.Composable:
    return sql.SQL(" and ").join(sql.SQL("{} = ").format(sql.Identifier(k)) + _placeholder(table, k) for k in table.key)


def _insert_statement(table: Table, row: Row) -> tuple[sql.Composable, list[object]]:
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join(_placeholder(table, name) for name in row)
    head = sql.SQL("insert into {} ({}) values (").format(sql.Identifier(table.name), names)
    return head + marks + sql.SQL(")"), list(row.values())


def _update_statement(table: Table, key: Key, new: Row) -> tuple[sql.Composable, list[object]]:
    sets = sql.SQL(", ").join(sql.SQL("{} = ").format(sql.Identifier(n)) + _placeholder(table, n) for n in new)
    head = sql.SQL("update {} set ").format(sql.Identifier(table.name))
    return head + sets + sql.SQL(" where ") + _where(table), [*new.values(), *key]


def _delete_statement(table: Table, key: Key) -> tuple[sql.Composable, list[object]]:
    return sql.SQL("delete from {} where ").format(sql.Identifier(table.name)) + _where(table), list(key)
