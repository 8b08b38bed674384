"""Compares PostgreSQL tables with Delta tables row for row, all columns, and knows nothing of Headrace.

    python tests/servers/compare.py --postgres postgresql://postgres@127.0.0.1:5432/postgres --lake ./lake bookings ...

Reads PostgreSQL with typed SQL and Delta with PyPI `deltalake` (with plain Spark where a table has a feature deltalake
does not know, as widened types), brings both sides to the same Python values and prints the first differences. What
each PostgreSQL type is expected to be in Delta stands in `EXPECTED`. Columns that begin with `_` belong to the writer
of the Delta table and are left out.
"""

import argparse
import json
import re
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError
from psycopg import sql

TEXT = r"string"
EXPECTED = {
    "smallint": r"short|integer",
    "integer": r"integer",
    "bigint": r"long",
    "real": r"float",
    "double precision": r"double",
    "boolean": r"boolean",
    "date": r"date",
    "timestamp without time zone": r"timestamp|timestamp_ntz",
    "timestamp with time zone": r"timestamp",
    "bytea": r"binary",
    "numeric": r"decimal\(\d+,\d+\)|string",  # no precision declared: any scale can come
    "smallint[]": r"array<(short|integer)>",
    "integer[]": r"array<integer>",
    "bigint[]": r"array<long>",
    "text[]": r"array<string>",
}
"""PostgreSQL type without its parameters -> Delta types that hold it. Other types (text, varchar, char, uuid, json,
jsonb, inet, enums, time, interval) are text in Delta; numeric(p,s) is a decimal with room for p and s digits."""

INTERVAL = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?"
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One PostgreSQL column: its name, and its type as PostgreSQL prints it, with parameters: numeric(12,2)."""

    name: str
    type: str

    @property
    def kind(self) -> str:
        """The type without its parameters: `timestamp(3) without time zone` -> `timestamp without time zone`."""
        return re.sub(r"\(\d+(,\d+)?\)", "", self.type)


def differences(postgres: str, delta: Path, table: str, schema: str = "public", where: str = "true") -> Iterator[str]:
    """One sentence for each difference between a PostgreSQL table and the rows `where` of the Delta table `delta`."""
    with psycopg.connect(postgres, options="-c timezone=UTC") as connection:
        columns = postgres_columns(connection, schema, table)
        key = _primary_key(connection, schema, table)
        wanted = _keyed(_postgres_rows(connection, schema, table, columns), key)
    types, rows = _delta_rows(delta, where)
    yield from (f"{table}: {problem}" for problem in _type_problems(columns, types))
    names = [column.name for column in columns if column.name in types]
    canonical = {column.name: _canonical(column) for column in columns}
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        values = {name: canonical[name](row[name]) for name in names}
        identity = tuple(values.get(name) for name in key)
        if identity in found:
            yield f"{table} {identity}: twice in Delta"
        found[identity] = values
    yield from (f"{table} {identity}: in PostgreSQL, not in Delta" for identity in wanted if identity not in found)
    for identity, values in found.items():
        if identity not in wanted:
            yield f"{table} {identity}: in Delta, not in PostgreSQL"
            continue
        for name in names:
            if not _same(wanted[identity][name], values[name]):
                expected, actual = _short(wanted[identity][name]), _short(values[name])
                yield f"{table} {identity}.{name}: {expected} in PostgreSQL, {actual} in Delta"


def postgres_columns(connection: "psycopg.Connection[Any]", schema: str, table: str) -> list[Column]:
    """The table's columns in order, with their full types."""
    statement = """select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass and attnum > 0 and not attisdropped
        order by attnum"""
    return [Column(name, kind) for name, kind in connection.execute(statement, [schema, table])]


def _primary_key(connection: "psycopg.Connection[Any]", schema: str, table: str) -> list[str]:
    statement = """select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid
        and a.attnum = any(i.indkey) where i.indisprimary
        and i.indrelid = format('%%I.%%I', %s::text, %s::text)::regclass
        order by array_position(i.indkey::int2[], a.attnum)"""
    return [name for (name,) in connection.execute(statement, [schema, table])]


def _postgres_rows(connection: Any, schema: str, table: str, columns: list[Column]) -> Iterator[Row]:
    picked = sql.SQL(", ").join(_typed(column) for column in columns)
    statement = sql.SQL("select {} from {}").format(picked, sql.Identifier(schema, table))
    canonical = [_canonical(column) for column in columns]
    for values in connection.execute(statement):
        yield {c.name: to(value) for c, to, value in zip(columns, canonical, values, strict=True)}


def _typed(column: Column) -> sql.Composable:
    """The select expression: types the driver would lose something of are spelled out by PostgreSQL itself."""
    name = sql.Identifier(column.name)
    if column.kind == "interval":
        return sql.SQL(
            "case when {0} is not null then array[extract(year from {0}) * 12 + extract(month from {0}), "
            "extract(day from {0}), extract(hour from {0}) * 3600000000 + extract(minute from {0}) * 60000000 "
            "+ extract(microseconds from {0})]::int8[] end"
        ).format(name)
    if column.kind in EXPECTED:
        return name
    # The output function, not a cast: a cast to text strips the blanks of char(n) and adds a mask to inet.
    return sql.SQL("case when {0} is not null then format('%s', {0}) end").format(name)


def _delta_rows(folder: Path, where: str) -> tuple[dict[str, str], Iterator[Row]]:
    types = {field["name"]: _delta_type(field["type"]) for field in delta_schema(folder)["fields"]}
    names = [name for name in types if not name.startswith("_")]
    picked = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    rows = _python_rows(delta_query(folder, f"select {picked} from t where {where}"))
    return {name: types[name] for name in names}, rows


def delta_schema(folder: Path) -> dict[str, Any]:
    """The table's newest schema, from its log: `{"type": "struct", "fields": [...]}`."""
    for commit in sorted((folder / "_delta_log").glob("*[0-9].json"), reverse=True):
        for line in commit.read_text().splitlines():
            action = json.loads(line)
            if "metaData" in action:
                return dict(json.loads(action["metaData"]["schemaString"]))
    return dict(
        json.loads(DeltaTable(str(folder)).schema().to_json())
    )  # the log's beginning is gone: a checkpoint has it


def delta_query(folder: Path, statement: str) -> pa.Table:
    """The answer of a query on the table `t`; by Spark where `deltalake` does not know a feature of the table."""
    try:
        answer = QueryBuilder().register("t", DeltaTable(str(folder))).execute(statement)
    except DeltaError as error:
        if "Unsupported table features" not in str(error):
            raise
        return _by_spark(folder, statement)
    return pa.table(pa.RecordBatchReader.from_stream(answer))


def _by_spark(folder: Path, statement: str) -> pa.Table:
    from delta import configure_spark_with_delta_pip
    from pyspark.sql import SparkSession

    spark = SparkSession.getActiveSession()
    if spark is None:
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension").config(
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        )
        spark = configure_spark_with_delta_pip(builder).getOrCreate()
    spark.read.format("delta").load(str(folder)).createOrReplaceTempView("t")
    return spark.sql(statement.replace('"', "`")).toArrow()


def _python_rows(found: pa.Table) -> Iterator[Row]:
    for batch in found.to_batches():
        yield from pa.table({name: _microseconds(batch[name]) for name in batch.schema.names}).to_pylist()


def _microseconds(values: pa.Array) -> pa.Array:
    """Timestamps as whole microseconds since 1970 in UTC, so that no time zone database is needed."""
    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us", values.type.tz)).cast(pa.int64())
    return values


def _delta_type(described: Any) -> str:
    """`"long"` -> long, `{"type": "array", "elementType": "string", ..}` -> array<string>."""
    return described if isinstance(described, str) else f"{described['type']}<{described.get('elementType')}>"


def _type_problems(columns: list[Column], types: dict[str, str]) -> Iterator[str]:
    for column in columns:
        found = types.get(column.name)
        if found is None:
            yield f"column {column.name} is missing in Delta"
        elif not _fits(column, found):
            yield f"column {column.name} {column.type} is {found} in Delta"
    for name in sorted(set(types) - {column.name for column in columns}):
        yield f"column {name} is in Delta only"


def _fits(column: Column, found: str) -> bool:
    declared = re.fullmatch(r"numeric\((\d+),(\d+)\)", column.type)
    if declared:
        decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", found)
        digits, scale = int(declared[1]), int(declared[2])
        return bool(decimal) and int(decimal[2]) >= scale and int(decimal[1]) - int(decimal[2]) >= digits - scale
    return re.fullmatch(EXPECTED.get(column.kind, TEXT), found) is not None


def _canonical(column: Column) -> Callable[[Any], Any]:
    """The function that brings a value of this column, from either side, to the form that is compared."""
    kind, array = column.kind.removesuffix("[]"), column.kind.endswith("[]")
    one = {
        "real": lambda value: repr(struct.unpack("f", struct.pack("f", value))[0]),
        "double precision": repr,
        "numeric": lambda value: Decimal(value),
        "bytea": bytes,
        "interval": _interval,
        "time without time zone": _clock,
        "timestamp without time zone": _moment,
        "timestamp with time zone": _moment,
    }.get(kind, lambda value: value)
    if array:
        return lambda values: None if values is None else [None if v is None else one(v) for v in values]
    return lambda value: None if value is None else one(value)


def _moment(value: Any) -> int:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return int(value)


def _clock(value: str) -> Any:
    """Microseconds since midnight of HH:MM[:SS[.ffffff]][Z]; 24:00:00 is a time too, though not to Python."""
    found = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?Z?", value)
    if not found:
        return value
    hours, minutes, seconds, fraction = found.groups("0")
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000 + int(fraction.ljust(6, "0"))


def _interval(value: Any) -> Any:
    """Months, days and microseconds, of PostgreSQL's array or of ISO 8601 text (which is what Debezium can send)."""
    if not isinstance(value, str):
        return tuple(value)
    found = INTERVAL.fullmatch(value)
    if not found:
        return value
    years, months, days, hours, minutes = (int(part or 0) for part in found.groups()[:5])
    # Debezium computes seconds as a float: 45.050732 comes as 45.050731999.
    seconds = round(Decimal(f"{found[6] or ''}{found[7] or 0}.{found[8] or 0}") * 1_000_000)
    micros = (hours * 3600 + minutes * 60) * 1_000_000 + seconds
    return (years * 12 + months, days, micros)


def _same(left: Any, right: Any) -> bool:
    """Equal and of the same type: True is not 1, and 1 is not Decimal(1)."""
    return type(left) is type(right) and bool(left == right)


def _keyed(rows: Iterator[Row], key: list[str]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in key): row for row in rows}


def _short(value: Any) -> str:
    shown = value.isoformat() if isinstance(value, date) else repr(value)
    return shown if len(shown) <= 120 else f"{shown[:100]}... ({len(shown)} characters)"


def main() -> int:
    """Prints up to `--show` differences per table; returns 1 when there was one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--postgres", required=True, help="connection URL")
    parser.add_argument("--lake", required=True, type=Path, help="folder that holds tables/<name>")
    parser.add_argument("--show", type=int, default=5, help="differences printed per table")
    parser.add_argument("tables", nargs="+")
    given = parser.parse_args()
    equal = True
    for name in given.tables:
        found = list(differences(given.postgres, given.lake / "tables" / name, name))
        for line in found[: given.show]:
            print(line)
        print(f"{name}: {'equal' if not found else f'{len(found)} differences'}")
        equal = equal and not found
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
