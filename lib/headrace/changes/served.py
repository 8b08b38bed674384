"""What stores of served rows are told: the current rows of tables, all of them or those of changed keys.

`key` is the store's (`served_rows`); `body` is JSON text that `body_of` makes a row of: Spark writes the values, and
Python the terms they are found by.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from headrace.changes.columns import col, key_text
from headrace.changes.served_columns import ServedRows, unknown_column
from headrace.changes.some_keys import LISTABLE, Keys, typed_keys
from headrace.config_serve import ServedTable
from headrace.lake import Lake
from headrace.served_rows import LONGEST, ROW, row
from headrace.tables import CHANGED_AT, POSITION, SYSTEM_COLUMNS, TABLES

_NONE = "key string, deleted boolean, body string"
_AS_JSON = {
    "ignoreNullFields": "false",
    "timeZone": "UTC",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]XXX",
}
_WHOLE = 2**63
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def snapshot(lake: Lake, tables: Sequence[ServedRows]) -> DataFrame:
    """`key, deleted, body` of every row there is."""
    parts = [_living(lake, one) for one in tables if lake.exists(TABLES.format(table=one.name))]
    return _together(lake, [part.drop("_key") for part in parts])


def changed(lake: Lake, tables: Sequence[ServedRows], told: DataFrame) -> DataFrame:
    """`key, deleted, urgent, body, _commit_version` of the rows whose keys were told.

    Of a key that was told several times the newest commit counts: what is read is the row as it is now.

    Args:
        told: of `changed_keys`, with `_commit_version`.
    """
    mine = told.where(F.col("table").isin([one.name for one in tables]))
    newest = mine.groupBy("table", "key").agg(F.max("_commit_version").alias("_commit_version")).localCheckpoint()
    there = {row["table"] for row in newest.select("table").distinct().collect()}
    parts = [_changed(lake, one, newest.where(F.col("table") == one.name)) for one in tables if one.name in there]
    columns = f"{_NONE}, _commit_version bigint"
    return _together(lake, parts, columns).withColumn("urgent", F.lit(False))


def body_of(tables: Mapping[str, ServedTable], text: str) -> dict[str, Any]:
    """The body of a row, from the text that `snapshot` and `changed` tell."""
    told = json.loads(text)
    served, values = tables[told["t"]], told["v"]
    for name in told["d"]:
        values[name] = _number(values[name])
    changed_at = None if told["c"] is None else _EPOCH + told["c"] * _MICROSECOND
    return row(told["t"], told["k"], values, told["p"], changed_at, served.types())


def newest_position(lake: Lake, table: str) -> str | None:
    """The newest position among a table's rows; None where there are none."""
    relative = TABLES.format(table=table)
    if not lake.exists(relative):
        return None
    found = lake.read(relative).agg(F.max(POSITION)).collect()[0][0]
    return None if found is None else str(found)


def _changed(lake: Lake, one: ServedRows, told: DataFrame) -> DataFrame:
    gone = told.select(_store_key(one.name, F.col("key")).alias("key"), "_commit_version", F.col("key").alias("_key"))
    if not lake.exists(TABLES.format(table=one.name)):
        return gone.select(
            "key", F.lit(True).alias("deleted"), F.lit(None).cast("string").alias("body"), "_commit_version"
        )
    rows = _living(lake, one, told.select("key")).select("_key", "body")
    both = gone.join(rows, "_key", "left")
    return both.select("key", F.col("body").isNull().alias("deleted"), "body", "_commit_version")


def _living(lake: Lake, one: ServedRows, keys: DataFrame | None = None) -> DataFrame:
    rows = lake.read(TABLES.format(table=one.name))
    if wrong := unknown_column(one, rows.columns):
        raise wrong
    types = {field.name.casefold(): field.dataType for field in rows.schema.fields}
    key = [next(name for name in rows.columns if name.casefold() == each.casefold()) for each in one.key]
    if keys is not None:
        kinds = [(name, types[name.casefold()].simpleString()) for name in key]
        # Of other types the text of a key may not give back the very value.
        if all(kind in LISTABLE for _, kind in kinds):
            rows = Keys.of(typed_keys(keys, kinds)).among(rows)
    names = _shown(one.serve, rows.columns)
    decimals = [name for name in names if isinstance(types.get(name.casefold()), DecimalType)]
    values = [_value(name, types, name in decimals) for name in names]
    key_json = key_text([col(name) for name in key])
    body = F.struct(
        F.lit(one.name).alias("t"), key_json.alias("k"), F.col(POSITION).alias("p"),
        F.unix_micros(CHANGED_AT).alias("c"), F.array(*map(F.lit, decimals)).cast("array<string>").alias("d"),
        F.struct(*values).alias("v"),
    )  # fmt: skip
    return rows.select(
        _store_key(one.name, key_json).alias("key"), F.lit(False).alias("deleted"),
        F.to_json(body, _AS_JSON).alias("body"), key_json.alias("_key"),
    )  # fmt: skip


def _shown(served: ServedTable, columns: Sequence[str]) -> list[str]:
    """Names of the columns that are served, as the settings spell them where they do."""
    named = [name for _, name in served.named()]
    if not served.columns:
        spelled = {name.casefold() for name in named}
        others = (name for name in columns if name not in SYSTEM_COLUMNS and name.casefold() not in spelled)
        named = [*named, *others]
    return list({name.casefold(): name for name in reversed(named)}.values())[::-1]


def _value(name: str, types: Mapping[str, Any], decimal: bool) -> Column:
    if name.casefold() not in types:
        return F.lit(None).cast("string").alias(name)
    # As text: JSON's numbers are read as floats.
    return (col(name).cast("string") if decimal else col(name)).alias(name)


def _store_key(table: str, key: Column) -> Column:
    """As `served_rows.row_key`."""
    short = F.when(F.octet_length(key) <= LONGEST, key).otherwise(F.concat(F.lit("#"), F.sha2(key, 256)))
    return F.concat(F.lit(f"{ROW}{table}:"), short)


def _number(text: str | None) -> Any:
    """A decimal as a JSON number where that says the same, else as its text."""
    if text is None:
        return None
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact) if abs(exact) < _WHOLE else text
    return float(text) if Decimal(repr(float(text))) == exact else text


def _together(lake: Lake, parts: Sequence[DataFrame], columns: str = _NONE) -> DataFrame:
    return reduce(DataFrame.unionByName, parts) if parts else lake.spark.createDataFrame([], columns)
