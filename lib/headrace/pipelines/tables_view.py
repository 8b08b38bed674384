"""The lake as its readers see it: current rows of a table, one row by its key."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from headrace.config import Config
from headrace.errors import ConfigError
from headrace.pipelines.table_names import check_plain, no_rows_yet, unknown_table
from headrace.stores.delta_reader import ROWS, DeltaReader, NeedsSpark, literal, quoted
from headrace.tables import CARRIED, SCHEMAS, TABLES


class LakeView(DeltaReader):
    """Reads without Java; a table whose types were widened is read through Spark."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.lake)
        self.config = config

    def query(self, relative: str, sql: str) -> list[dict[str, Any]]:
        """See `DeltaReader.query`."""
        try:
            return super().query(relative, sql)
        except NeedsSpark:
            return self._through_spark(relative, sql)

    def schema(self, table: str) -> list[dict[str, Any]]:
        """The learned columns of a table: `source`, `name`, `type`, `declared`, `partial`; empty if unknown."""
        sql = f"SELECT body FROM {ROWS} WHERE `table` = {literal(table)} ORDER BY version DESC LIMIT 1"
        found = self.query(SCHEMAS.path, sql)
        return list(json.loads(found[0]["body"])["columns"]) if found else []

    def _through_spark(self, relative: str, sql: str) -> list[dict[str, Any]]:
        from pyspark.errors import AnalysisException

        from headrace.pipelines.runtime import spark_session

        print(f"{relative}: a column's type was widened, so it is read through Spark ...", file=sys.stderr)
        spark = spark_session("headrace", s3=self.root.startswith("s3"), settings=self.config.spark)
        spark.read.format("delta").load(f"{self.root}/{relative}").createOrReplaceTempView(ROWS)
        try:
            # Through Arrow: collect() hands timestamps out in the machine's own zone, without saying so.
            rows: list[dict[str, Any]] = spark.sql(sql).toArrow().to_pylist()
            return rows
        except AnalysisException as error:
            found = str(error).splitlines()[0]
            todo = "Correct the SQL; odd names stand in backticks."
            raise ConfigError(where=relative, expected="SQL that fits the table", found=found, todo=todo) from error


def current_rows(
    view: LakeView, table: str, *, where: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Rows of an ordered table, business columns first, without `_carried`.

    Raises:
        ConfigError: there is no such table, or `where` is wrong.
    """
    relative = table_path(view, table)
    names = [name for name, _ in view.columns(relative) if name != CARRIED]
    sql = f"SELECT {', '.join(map(quoted, names))} FROM {ROWS}"
    sql += f" WHERE {where}" if where else ""
    return view.query(relative, sql + (f" LIMIT {limit}" if limit is not None else ""))


def table_path(view: LakeView, table: str) -> str:
    """Where an ordered table lies in the lake. Raises ConfigError for what is no name and for what is not there."""
    check_plain("table", table)
    relative = TABLES.format(table=table)
    if view.exists(relative):
        return relative
    there = view.tables("tables")
    known = list(view.config.keys())
    if table in known:
        raise no_rows_yet("table", table, there)
    raise unknown_table("table", table, list(dict.fromkeys([*known, *there])))


def by_key(view: LakeView, relative: str, key: Sequence[str], texts: Sequence[str], order: str) -> list[dict[str, Any]]:
    """Rows of a table whose key columns, as text, are one of the given forms of the key.

    Args:
        texts: JSON arrays; see `key_forms`.
        order: the column to sort by.
    """
    columns = dict(view.columns(relative))
    if not columns or any(name not in columns for name in key):
        return []
    wanted = []
    for text in texts:
        values = json.loads(text)
        if len(values) == len(key):
            pairs = zip(key, values, strict=True)
            wanted.append(" AND ".join(_equals(name, columns[name], value) for name, value in pairs))
    if not wanted:
        return []
    return view.query(relative, f"SELECT * FROM {ROWS} WHERE {' OR '.join(wanted)} ORDER BY {quoted(order)}")


def key_forms(text: str, kinds: Sequence[str]) -> list[str]:
    """The JSON arrays under which a key may stand in the lake.

    The log keeps a key as the source wrote it, tombstones and history keep the typed value as text, so a date is
    `19753` here and `2024-01-31` there.

    Args:
        text: what a person typed: one value, or a JSON array for a key of several columns. For a key of one column
            an array of any other length is a value itself.
        kinds: Spark types of the key columns, as far as they are known.
    """
    forms: list[list[str]] = [[]]
    for index, value in enumerate(_typed_values(text, len(kinds))):
        kind = kinds[index] if index < len(kinds) else "string"
        forms = [[*form, variant] for form in forms for variant in _variants(value, kind)]
    return [json.dumps(form, ensure_ascii=False, separators=(",", ":")) for form in forms]


def _typed_values(text: str, columns: int) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            values = json.loads(text, parse_float=str, parse_int=str)
        except json.JSONDecodeError as error:
            if columns == 1:
                return [text]
            expected = f'a JSON array of {columns} values, such as ["a", 1]'
            todo = "Put it in single quotes for the shell."
            raise ConfigError(where="KEY", expected=expected, found=f"{text} ({error.msg})", todo=todo) from None
        if isinstance(values, list) and len(values) == columns:
            return [_as_text(value) for value in values]
    if columns > 1:
        expected, todo = (
            f'a JSON array of {columns} values, such as ["a", 1]',
            "The table has a key of several columns.",
        )
        raise ConfigError(where="KEY", expected=expected, found=text, todo=todo)
    return [text]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _variants(value: str, kind: str) -> Iterable[str]:
    found = [value]
    try:
        if kind == "date":
            days = (date.fromisoformat(value) - date(1970, 1, 1)).days
            found.append(str(days))
        elif kind == "timestamp":
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            found += [str(micros), f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}", value.replace(" ", "T"), f"{value}Z"]
    except ValueError:
        pass
    return dict.fromkeys(found)


def _equals(name: str, kind: str, value: str) -> str:
    if kind in ("bigint", "int", "smallint", "tinyint"):
        # Compared as a number so that files are skipped by their statistics.
        return f"{quoted(name)} = {int(value)}" if value.lstrip("-").isdigit() else "false"
    if kind == "string":
        return f"{quoted(name)} = {literal(value)}"
    return f"CAST({quoted(name)} AS STRING) = {literal(value)}"
