"""The file of the embedded index: its tables, connections to it, and its errors in Headrace's words.

Generation number n is the tables `passages_n` and `words_n`. `words_n` (FTS5) keeps no text of its own: triggers hold
it in step with `passages_n`, in the same transaction, whoever writes. Others note in `changed_n` which rows changed: a
reader that holds rows in memory reads those again.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.errors import Fatal, FormatTooNew, Unreachable
from headrace.ports import Model

FORMAT = 1
_SECONDS_TO_WAIT = 5.0
"""For another program's transaction. The publisher tries again later; meanwhile other indexes are to be served."""
_MAPPED = 1 << 30

_META = """
create table if not exists settings (name text primary key, value text not null) without rowid;
create table if not exists generations (
    number integer primary key autoincrement,
    name text not null unique,
    model text,
    dimension integer,
    fingerprint text
);
"""

_WORDS_OF = "json_extract({0}.body, '$.title'), json_extract({0}.body, '$.heading'), json_extract({0}.body, '$.text')"

_GENERATION = """
create table passages_{n} (
    id integer primary key,
    key text not null unique,
    version integer not null,
    deleted integer not null,
    tenant text,
    source text,
    language text,
    changed_at real,
    tags text,
    audience text,
    vector blob,
    body text
);
create index living_{n} on passages_{n} (tenant) where not deleted;
create virtual table words_{n} using fts5(
    title, heading, text, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
create trigger words_of_new_{n} after insert on passages_{n} when not new.deleted begin
    insert into words_{n} (rowid, title, heading, text) values (new.id, {new});
end;
create trigger words_of_changed_{n} after update on passages_{n} begin
    insert into words_{n} (words_{n}, rowid, title, heading, text) select 'delete', old.id, {old} where not old.deleted;
    insert into words_{n} (rowid, title, heading, text) select new.id, {new} where not new.deleted;
end;
"""
_ADDED = """
create trigger if not exists words_of_removed_{n} after delete on passages_{n} when not old.deleted begin
    insert into words_{n} (words_{n}, rowid, title, heading, text) values ('delete', old.id, {old});
end;
create table if not exists changed_{n} (number integer primary key, id integer not null);
create trigger if not exists changed_by_insert_{n} after insert on passages_{n} begin
    insert into changed_{n} (id) values (new.id);
end;
create trigger if not exists changed_by_update_{n} after update on passages_{n} begin
    insert into changed_{n} (id) values (new.id);
end;
create trigger if not exists changed_by_delete_{n} after delete on passages_{n} begin
    insert into changed_{n} (id) values (old.id);
end;
"""
CHANGES_KEPT = 50_000
"""At least so many ids stay in `changed_n`; a reader that missed more reads everything again."""


def make_meta(connection: sqlite3.Connection, path: str) -> None:
    """Make what every file has. Raises FormatTooNew for a file of a newer Headrace."""
    check_format(connection, path)
    for statement in _META.split(";"):
        connection.execute(statement)
    # A new file may get the number that the file system gave an old one.
    connection.execute("insert or ignore into settings values ('made', hex(randomblob(16)))")
    connection.execute(f"pragma user_version = {FORMAT}")


def check_format(connection: sqlite3.Connection, path: str) -> None:
    """Raises FormatTooNew for a file of a newer Headrace."""
    (found,) = connection.execute("pragma user_version").fetchone()
    if found > FORMAT:
        raise FormatTooNew(
            expected=f"an index of format {FORMAT} or older",
            found=f"format {found}",
            todo="Upgrade Headrace, or let the index be built again under another path.",
            where=path,
        )


def make_generation(connection: sqlite3.Connection, name: str) -> int:
    """Make the tables of a generation; its number."""
    number = int(connection.execute("insert into generations (name) values (?)", [name]).lastrowid or 0)
    script = _GENERATION.format(n=number, new=_WORDS_OF.format("new"), old=_WORDS_OF.format("old"))
    for statement in _statements(script):
        connection.execute(statement)
    complete(connection, number)
    return number


def complete(connection: sqlite3.Connection, number: int) -> None:
    """Give a generation that an earlier Headrace made what it lacks: changes are noted from here on."""
    for statement in _statements(_ADDED.format(n=number, old=_WORDS_OF.format("old"))):
        connection.execute(statement)


def forget_changes(connection: sqlite3.Connection, number: int) -> None:
    """Keep the newest only."""
    # The newest one stays always, so that no number comes twice.
    last = f"(select max(number) from changed_{number})"
    connection.execute(f"delete from changed_{number} where number <= {last} - ?", [CHANGES_KEPT])


def changes(connection: sqlite3.Connection, number: int) -> tuple[int, int] | None:
    """The oldest and the newest number in `changed_n`, (1, 0) of none; None where changes are not noted."""
    if not connection.execute("select 1 from sqlite_master where name = ?", [f"changed_{number}"]).fetchone():
        return None
    first, last = connection.execute(f"select min(number), max(number) from changed_{number}").fetchone()
    return (1, 0) if last is None else (int(first), int(last))


def drop_generation(connection: sqlite3.Connection, number: int) -> None:
    """Remove a generation's tables."""
    connection.execute(f"drop table words_{number}")
    connection.execute(f"drop table passages_{number}")  # its triggers and indexes go with it
    connection.execute(f"drop table if exists changed_{number}")
    connection.execute("delete from generations where number = ?", [number])


def _statements(script: str) -> Iterator[str]:
    # executescript would commit the transaction this belongs to.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def number_of(connection: sqlite3.Connection, name: str) -> int | None:
    """The number of a generation; None where there is none of that name."""
    found = connection.execute("select number from generations where name = ?", [name]).fetchone()
    return None if found is None else int(found[0])


def model_of(connection: sqlite3.Connection, number: int) -> Model | None:
    """The model of a generation; None before its first passage."""
    statement = "select model, dimension, fingerprint from generations where number = ?"
    found = connection.execute(statement, [number]).fetchone()
    return None if found is None or found[0] is None else Model(*found)


def setting(connection: sqlite3.Connection, name: str) -> str | None:
    """A value of the table `settings`."""
    found = connection.execute("select value from settings where name = ?", [name]).fetchone()
    return None if found is None else str(found[0])


def connect(path: str, *, write: bool) -> sqlite3.Connection:
    """A connection in autocommit; a writer makes the file and its folder where they are missing."""
    file = Path(path).expanduser().absolute()
    is_there(path)
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
    mode = "rwc" if write else "ro"
    connection = sqlite3.connect(
        f"{file.as_uri()}?mode={mode}",
        uri=True,
        timeout=_SECONDS_TO_WAIT,
        isolation_level=None,
        check_same_thread=False,
    )
    if write:
        connection.execute("pragma journal_mode = wal")
        # In WAL mode a weaker setting may lose the last commits with the power, though the publisher has moved on.
        connection.execute("pragma synchronous = full")
    else:
        connection.execute(f"pragma mmap_size = {_MAPPED}")  # reading all vectors takes half the time
    return connection


def is_there(path: str) -> bool:
    """Whether there is a file. Raises Fatal for a folder."""
    file = Path(path).expanduser()
    if file.is_dir():
        raise Fatal(expected="a file", found="a folder", todo="Name a file, such as ./search.db.", where=path)
    return file.is_file()


def file_identity(path: str) -> tuple[int, int]:
    """What tells a file from another one of the same name."""
    found = Path(path).expanduser().stat()
    return found.st_dev, found.st_ino


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    """One transaction: `immediate` to write, `deferred` to read one state of the file."""
    connection.execute(f"begin {kind}")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite itself ends it after some errors
            connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def answering(
    path: str, *, what: str = "index", filled_by: str = "`headrace run index_knowledge`", again: str | None = None
) -> Iterator[None]:
    """SQLite's errors as Unreachable (locked, no space, cannot be opened) or Fatal (no such database).

    Args:
        what: the file is, in messages.
        filled_by: what a person runs to make it.
        again: what comes of it where a damaged file is removed; it is built again where not given.
    """
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        todo = (
            f"Run {filled_by} if it was never built; else check that its folder can be made, is writable and has free "
            "space."
        )
        if "locked" in str(error):
            todo = "Another program writes to it; it is tried again."
        raise Unreachable(expected=f"the {what}'s file", found=str(error), todo=todo, where=path) from error
    except sqlite3.DatabaseError as error:
        todo = f"Name another path, or remove the file{again or f' and let the {what} be built again'}."
        found = str(error)
        raise Fatal(expected=f"the {what}'s file, written by Headrace", found=found, todo=todo, where=path) from error
