"""Runs a derived table's queries over the lake's current rows."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from uuid import uuid4

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from headrace.changes import reached
from headrace.changes.columns import col
from headrace.changes.derive_settings import Derivation, Fitted
from headrace.changes.some_keys import Keys, typed_keys
from headrace.config_base import shared
from headrace.config_derive import CHANGED
from headrace.lake import Lake, quoted
from headrace.tables import SYSTEM_COLUMNS, TABLES


def base_schema(lake: Lake, base: str) -> StructType | None:
    """The columns a query may use: all but Headrace's own. None where the table is not there."""
    relative = TABLES.format(table=base)
    if not lake.exists(relative):
        return None
    return StructType([field for field in lake.read(relative).schema if field.name not in SYSTEM_COLUMNS])


def rows(lake: Lake, one: Derivation, schemas: Mapping[str, StructType]) -> DataFrame:
    """The SQL over the current rows."""
    return _run(lake, one.sql, {base: _stored(lake, base, schemas[base]) for base in one.bases})


def base_keys(schema: StructType, one: Derivation, base: str, texts: DataFrame) -> Keys:
    """The keys of a base table, typed and under its own spelling, from their texts (column `key`)."""
    spelled = {field.name.casefold(): (field.name, field.dataType.simpleString()) for field in schema}
    return Keys.of(typed_keys(texts.select("key"), [spelled[name.casefold()] for name in one.keys[base]]))


def touched(
    lake: Lake, one: Derivation, fitted: Fitted, schemas: Mapping[str, StructType], changed: Mapping[str, Keys]
) -> Keys:
    """The derived keys that changed keys of base tables lead to: by the rows as they are, and as they were."""
    types = {field.name.casefold(): field.dataType for field in fitted.schema}
    found = []
    for base, keys in changed.items():
        if base not in one.reach:
            found.append(keys.frame)
            continue
        found.append(_reached(lake, one, fitted, schemas, base, keys, before=False))
        if base in fitted.remembered:
            found.append(_reached(lake, one, fitted, schemas, base, keys, before=True))
    parts = [frame.select(*[col(name).cast(types[name.casefold()]).alias(name) for name in one.key]) for frame in found]
    return Keys.of(reduce(DataFrame.unionByName, parts))


def _reached(
    lake: Lake,
    one: Derivation,
    fitted: Fitted,
    schemas: Mapping[str, StructType],
    base: str,
    keys: Keys,
    *,
    before: bool,
) -> DataFrame:
    sql, tables = one.reach[base]
    relations = {table: _stored(lake, table, schemas[table]) for table in tables}
    with _views(lake) as view:
        if base in fitted.remembered:
            current = lake.read(TABLES.format(table=base))
            columns = fitted.remembered[base]
            if before:
                own = reached.rows(lake, one.name, base, schemas[base], columns, keys)
                if base not in fitted.by_change:
                    others = current.join(keys.hinted(keys.frame), keys.frame.columns, "left_anti")
                    own = own.unionByName(others.select(*map(col, columns)))
                relations[base] = view(own)
            elif base in fitted.by_change:
                relations[base] = view(keys.among(current).select(*map(col, columns)))
        relations[CHANGED] = view(keys.hinted(keys.frame))
        return _run(lake, sql, relations).select(*map(col, one.key))


def _stored(lake: Lake, table: str, schema: StructType) -> str:
    columns = ", ".join(quoted(name) for name in schema.names)
    return f"SELECT {columns} FROM {lake.sql_name(TABLES.format(table=table))}"


def _run(lake: Lake, sql: str, relations: Mapping[str, str]) -> DataFrame:
    """A query whose tables are what is given, whatever the session's catalogue calls so."""
    named = ", ".join(f"{quoted(name)} AS ({relation})" for name, relation in relations.items())
    return lake.spark.sql(f"WITH {named} SELECT * FROM (\n{sql}\n)")


@contextmanager
def _views(lake: Lake) -> Iterator[Callable[[DataFrame], str]]:
    """Gives frames names for as long as a query is made; its plan then holds the frames themselves."""
    made: list[str] = []

    def view(frame: DataFrame) -> str:
        name = f"headrace_{uuid4().hex}"
        frame.createOrReplaceTempView(name)
        made.append(name)
        return f"SELECT * FROM {name}"

    try:
        yield view
    finally:
        for name in made:
            lake.spark.catalog.dropTempView(name)


def key_columns(schema: StructType, names: tuple[str, ...]) -> list[str]:
    """Key columns as the schema spells them, in the key's order."""
    return [shared(schema.names, [name])[0] for name in names]
