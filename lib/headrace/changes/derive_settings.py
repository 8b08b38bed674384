"""What `derive` asks for, worked out: the tables each SQL reads, their order, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from headrace.changes import derive_plan
from headrace.config import Config
from headrace.config_base import doubled, shared
from headrace.config_derive import CHANGED, Derive
from headrace.config_names import RESERVED
from headrace.errors import ConfigError

_SAME = "a result that stays the same while its tables do, as only changed rows are computed again"


@dataclass(frozen=True, slots=True)
class Derivation:
    """One derived table.

    Attributes:
        bases: the tables its SQL reads, as the settings spell them.
        keys: of each base, its key columns.
        reach: of each base that has one, its query and the tables that query reads.
    """

    name: str
    settings: Derive
    sql: str
    bases: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]]
    reach: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        return self.settings.key


@dataclass(frozen=True, slots=True)
class Fitted:
    """A derivation whose base tables are there.

    Attributes:
        schema: the result's columns.
        remembered: by base, the columns its reach query reads from the base itself: what a changed row led to before
            shows only there.
        by_change: bases of which the reach query needs the changed rows alone.
    """

    schema: StructType
    remembered: Mapping[str, list[str]]
    by_change: frozenset[str]


def derivations(spark: SparkSession, config: Config) -> list[Derivation]:
    """Every derived table, those that others read first.

    Raises:
        ConfigError: the first thing that is wrong with them, as far as it shows without the base tables.
    """
    waiting = {name: _parsed(spark, config, name, one) for name, one in config.derive.items()}
    in_order: list[Derivation] = []
    while waiting:
        ready = [one for one in waiting.values() if not any(base in waiting for base in one.bases)]
        if not ready:
            name = next(iter(waiting))
            found = f"{', '.join(waiting)}, which read each other"
            raise _wrong(f"{name}.sql", "derived tables that do not read themselves", found, "Take one of them apart.")
        in_order += ready
        waiting = {name: one for name, one in waiting.items() if one not in ready}
    return in_order


def fitted(spark: SparkSession, one: Derivation, schemas: Mapping[str, StructType]) -> Fitted:
    """The derivation against its tables as they are.

    Args:
        schemas: of every base table, without Headrace's own columns.

    Raises:
        ConfigError: the SQL does not fit the tables, or rows could change unseen.
    """
    plain = {base: one.key for base in one.bases if base not in one.reach}
    found = _analysed(spark, one, f"{one.name}.sql", one.sql, schemas, plain)
    if found.free:
        todo = f"Leave {found.free} out; what depends on time or on all rows belongs into the query of the reader."
        raise _wrong(f"{one.name}.sql", _SAME, found.free, todo)
    _check_columns(one, found.schema)
    for base in plain:
        if base not in found.tied:
            said = f"none, and SQL that does not join every {base} on {', '.join(one.key)}"
            raise _no_reach(one, base, said)
    remembered, by_change = {}, set()
    for base, (_, tables) in one.reach.items():
        reached = _fitted_reach(spark, one, base, schemas)
        if base in tables:
            # A query that goes by other tables' rows needs no memory: what changed in those they tell themselves.
            keys = [name for name in schemas[base].names if shared([name], one.keys[base])]
            remembered[base] = list(dict.fromkeys([*keys, *reached.used[base]]))
            by_change |= {base} & reached.by_change
    return Fitted(found.schema, remembered, frozenset(by_change))


def _parsed(spark: SparkSession, config: Config, name: str, settings: Derive) -> Derivation:
    sql, bases = _query(spark, f"{name}.sql", settings.sql, [known for known in config.keys() if known != name])
    if not bases:
        raise _wrong(f"{name}.sql", "a query over tables of the settings", "none in it", "Name one after FROM.")
    keys = {base: config.keys()[base] for base in bases}
    reach = {}
    for base, text in settings.reach.items():
        where = f"{name}.reach.{base}"
        if base not in bases:
            todo = f"Remove it, or use {base} in the SQL."
            raise _wrong(where, f"a table of the SQL ({', '.join(bases)})", base, todo)
        reach[base] = _query(spark, where, text, list(bases), more=CHANGED)
    one = Derivation(name, settings, sql, bases, keys, reach)
    for base in bases:
        if base not in reach and shared(one.key, keys[base]) != sorted(one.key):
            found = f"none, and the key of {base} ({', '.join(keys[base])}) does not hold {', '.join(one.key)}"
            raise _no_reach(one, base, found)
    return one


def _query(
    spark: SparkSession, where: str, text: str, known: Sequence[str], more: str = ""
) -> tuple[str, tuple[str, ...]]:
    """The query without a last semicolon, and the tables it reads."""
    sql = text.strip().rstrip(";").rstrip()
    try:
        if not derive_plan.is_query(spark, sql):
            raise _wrong(where, "one query (SELECT)", repr(text), "Correct it.")
        named = derive_plan.tables_of(spark, sql)
    except ParseException as error:
        raise _said(where, "one query in Spark SQL", text, error) from error
    spelled = {name.casefold(): name for name in known}
    found = []
    for name in named:
        if more and name.casefold() == more:
            continue
        if name.casefold() not in spelled:
            todo = "Only tables of the settings tell when they change."
            raise _wrong(where, f"tables of the settings ({', '.join(known)})", name, todo)
        found.append(spelled[name.casefold()])
    return sql, tuple(dict.fromkeys(found))


def _fitted_reach(
    spark: SparkSession, one: Derivation, base: str, schemas: Mapping[str, StructType]
) -> derive_plan.Analysed:
    where, (sql, tables) = f"{one.name}.reach.{base}", one.reach[base]
    keys = StructType([column for column in schemas[base] if shared([column.name], one.keys[base])])
    over = {table: schemas[table] for table in tables} | {CHANGED: keys}
    found = _analysed(spark, one, where, sql, over, {})
    if found.free:
        raise _wrong(where, "every key that a change may reach", found.free, f"Leave {found.free} out.")
    _check_key(one, where, found.schema)
    return found


def _analysed(
    spark: SparkSession,
    one: Derivation,
    where: str,
    sql: str,
    schemas: Mapping[str, StructType],
    plain: Mapping[str, Sequence[str]],
) -> derive_plan.Analysed:
    try:
        return derive_plan.analyse(spark, sql, schemas, one.key, plain)
    except AnalysisException as error:
        columns = "; ".join(f"{table} ({', '.join(schema.names)})" for table, schema in schemas.items())
        raise _said(where, f"SQL that fits the tables: {columns}", sql, error) from error


def _check_columns(one: Derivation, schema: StructType) -> None:
    where = f"{one.name}.sql"
    for first, again in doubled(schema.names):
        found = f"{first} twice" if first == again else f"{first} and {again}"
        raise _wrong(where, "a name for each column", found, f"Write {again} AS another name.")
    for name in shared(schema.names, RESERVED):
        raise _wrong(where, "names that Headrace does not use itself", name, f"Write {name} AS another name.")
    for field_ in schema.fields:
        if field_.dataType.typeName() == "void":
            raise _wrong(where, "columns with a type", f"{field_.name}, a bare NULL", "Write CAST(NULL AS STRING).")
    _check_key(one, where, schema)


def _check_key(one: Derivation, where: str, schema: StructType) -> None:
    for column in one.key:
        if not shared([column], schema.names):
            todo = f"Select it, or correct derive.{one.name}.key."
            raise _wrong(where, f"the key column {column} in the result", ", ".join(schema.names), todo)


def _no_reach(one: Derivation, base: str, found: str) -> ConfigError:
    todo = f"Say which keys a changed row reaches: {_example(one, base)}"
    return _wrong(f"{one.name}.reach", f"a query for {base}", found, todo)


def _example(one: Derivation, base: str) -> str:
    """A `reach` query, with the base's own names where it is easy to guess right."""
    other = next((name for name in one.bases if name != base and name not in one.reach), None)
    columns, of = ", ".join(one.key), ", ".join(one.keys[base])
    return f"reach: {{{base}: SELECT {columns} FROM {other or base} JOIN {CHANGED} USING ({of})}}"


def _said(where: str, expected: str, text: str, error: PySparkException) -> ConfigError:
    said = str(error).strip().partition("\n")[0].partition(" SQLSTATE")[0].rstrip(".")
    return _wrong(where, expected, f"{text!r}: {said}", "Correct it.")


def _wrong(where: str, expected: str, found: str, todo: str) -> ConfigError:
    return ConfigError(where=f"derive.{where}", expected=expected, found=found, todo=todo)
