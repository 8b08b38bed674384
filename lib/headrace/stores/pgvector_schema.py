"""The tables of passages in PostgreSQL, connections to it, and its errors in Headrace's words.

| name | what |
|---|---|
| `<table>` | view of the active generation's living passages, for people and other programs |
| `<table>__<generation>` | one generation, deleted rows included |
| `<table>_headrace` | the owner's claim, the active generation |
| `<table>_generations` | the model of each generation |
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

from headrace.config_indexes import PgvectorIndex
from headrace.errors import Fatal, HeadraceError, MissingDependency, Unreachable
from headrace.ports import Model
from headrace.stores.postgres_login import login, refusal

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

_SECONDS_TO_CONNECT = 10
_MOST_IN_GRAPH = 2_000  # numbers per vector; pgvector's HNSW takes no more
_WRONG = ("authentication failed", "does not exist", "no pg_hba.conf entry", "invalid connection option", 'missing "="')

META: tuple[LiteralString, ...] = (
    "create extension if not exists vector",
    "create table if not exists {settings} (name text primary key, value text not null)",
    """create table if not exists {generations} (
        number int generated always as identity primary key, name text not null unique,
        model text, dimension int, fingerprint text)""",
)
GENERATION: tuple[LiteralString, ...] = (
    """create table {table} (
        key text collate "C" primary key, version bigint not null, deleted boolean not null,
        tenant text, source text, language text, changed_at timestamptz, tags text[], audience text[],
        body jsonb, embedding vector, words tsvector)""",
    "create index on {table} using gin (words)",
)
# Vectors without a fixed length: a view may then be replaced by one of another model, and keeps its grants.
VIEW: LiteralString = """create or replace view {view} as
    select key, version, tenant, source, language, changed_at, tags, audience, body, embedding
    from {table} where not deleted"""
INCOMING: LiteralString = """create temp table if not exists headrace_incoming (
    key text, version bigint, deleted boolean, tenant text, source text, language text, changed_at timestamptz,
    tags text[], audience text[], body jsonb, embedding vector, title text, heading text, passage text
    ) on commit delete rows"""
UPSERT: LiteralString = """insert into {table} as held
    (key, version, deleted, tenant, source, language, changed_at, tags, audience, body, embedding, words)
    select key, version, deleted, tenant, source, language, changed_at, tags, audience, body, embedding,
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', heading), 'B')
        || to_tsvector('simple', passage)
    from headrace_incoming order by key
    on conflict (key) do update set
        version = excluded.version, deleted = excluded.deleted, tenant = excluded.tenant, source = excluded.source,
        language = excluded.language, changed_at = excluded.changed_at, tags = excluded.tags,
        audience = excluded.audience, body = excluded.body, embedding = excluded.embedding, words = excluded.words
    where excluded.version > held.version"""
SWEEP: LiteralString = """update {table} set version = %s - 1, deleted = true, tenant = null, source = null,
    language = null, changed_at = null, tags = null, audience = null, body = null, embedding = null, words = null
    where not deleted and version < %s"""


class Names:
    """The names of one index, quoted."""

    def __init__(self, settings: PgvectorIndex) -> None:
        self._table = settings.table

    def sql(self, text: LiteralString, generation: str = "", **numbers: int) -> "Composed":
        """A statement with its names filled in."""
        from psycopg import sql

        return sql.SQL(text).format(
            view=sql.Identifier(self._table),
            settings=sql.Identifier(f"{self._table}_headrace"),
            generations=sql.Identifier(f"{self._table}_generations"),
            table=sql.Identifier(f"{self._table}__{generation}"),
            graph=sql.Identifier(f"{self._table}__{generation}_v"[-63:]),
            **{name: sql.Literal(number) for name, number in numbers.items()},
        )


def connect(settings: PgvectorIndex) -> "Connection[Any]":
    """A connection in autocommit."""
    try:
        import psycopg
    except ModuleNotFoundError as error:
        todo = 'Run `pip install "headrace[pgvector]"`.'
        raise MissingDependency(expected="psycopg", found=f"no module {error.name}", todo=todo) from error
    # A token opens connections for minutes only: each connection asks for its own.
    signed = login(settings)
    with answering(settings):
        return psycopg.connect(
            settings.url.get_secret_value(),
            **signed,
            autocommit=True,
            connect_timeout=_SECONDS_TO_CONNECT,
            application_name="headrace",
            # Behind a pooler, a statement prepared on one server connection is unknown on the next.
            prepare_threshold=None,
        )


@contextmanager
def answering(settings: PgvectorIndex) -> Iterator[None]:
    """psycopg's errors as Unreachable (away, busy, a deadlock) or Fatal (login, rights, a wrong table)."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _translated(error, settings) from error


def _translated(error: Any, settings: PgvectorIndex) -> HeadraceError:
    import psycopg

    where, said = f"pgvector table {settings.table}", " ".join(str(error).split())[:300]
    if isinstance(error, psycopg.errors.UndefinedFile | psycopg.errors.FeatureNotSupported) and "vector" in said:
        todo = "Install pgvector on the server; Aurora and RDS bring it with PostgreSQL 15.2 and newer."
        return Fatal(expected="a server with the extension vector", found=said, todo=todo, where=where)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        if refused := refusal(settings, said, where):
            return refused
        if any(sign in said for sign in _WRONG):
            todo = "Correct user, password or database in `url`."
            return Fatal(expected="a login PostgreSQL takes", found=said, todo=todo, where=where)
        todo = "Check that the server runs, and host and port in `url`."
        return Unreachable(expected="an answer from PostgreSQL", found=said, todo=todo, where=where)
    todo = "Correct the settings of this index, the user's rights, or what else uses these names."
    return Fatal(expected="a statement PostgreSQL takes", found=said, todo=todo, where=where)


def one(connection: "Connection[Any]", statement: "Composed", values: list[object] | None = None) -> Any:
    """The first row; None where there is none."""
    return connection.execute(statement, values or []).fetchone()


def is_there(connection: "Connection[Any]", settings: PgvectorIndex, generation: str) -> bool:
    """Whether a generation has its table."""
    find = "select 1 from pg_class where relname = %s and pg_table_is_visible(oid)"
    return connection.execute(find, [f"{settings.table}__{generation}"]).fetchone() is not None


def model_of(connection: "Connection[Any]", names: Names, generation: str) -> Model | None:
    """The model of a generation; None before its first passage."""
    statement = names.sql("select model, dimension, fingerprint from {generations} where name = %s")
    found = one(connection, statement, [generation])
    return None if found is None or found[0] is None else Model(*found)


def setting(connection: "Connection[Any]", names: Names, name: str, lock: bool = False) -> str | None:
    """A value of the settings' table."""
    text: LiteralString = "select value from {settings} where name = %s"
    found = one(connection, names.sql(text + " for update" if lock else text), [name])
    return None if found is None else str(found[0])


def check_name_is_free(connection: "Connection[Any]", settings: PgvectorIndex) -> None:
    """Raises Fatal where something else than a view has the view's name."""
    statement = "select relkind from pg_class where oid = to_regclass(quote_ident(%s))"
    found = connection.execute(statement, [settings.table]).fetchone()
    if found is not None and found[0] != "v":
        raise Fatal(
            expected="a free name for a view",
            found="a table of that name",
            todo="Name another table: this name becomes a view of the active generation.",
            where=f"pgvector table {settings.table}",
        )


def build_graph(connection: "Connection[Any]", settings: PgvectorIndex, generation: str) -> None:
    """Build the HNSW index of a generation where it is wanted, possible and missing."""
    names = Names(settings)
    model = model_of(connection, names, generation)
    if not settings.hnsw or model is None or model.dimension > _MOST_IN_GRAPH:
        return
    text: LiteralString = (
        "create index concurrently if not exists {graph} on {table} "
        "using hnsw ((embedding::vector({dimension})) vector_cosine_ops)"
    )
    invalid = "select 1 from pg_index where indexrelid = to_regclass(%s) and not indisvalid"
    name = names.sql("{graph}", generation).as_string(connection)
    if connection.execute(invalid, [name]).fetchone():
        connection.execute(names.sql("drop index concurrently {graph}", generation))  # a crash left it
    connection.execute(names.sql(text, generation, dimension=model.dimension))
