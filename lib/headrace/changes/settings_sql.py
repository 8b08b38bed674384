"""The SQL that people write into the settings of a table; what is wrong with it is told by the key it stands under."""

import re
from collections.abc import Callable, Iterator
from functools import partial

from pyspark.errors import AnalysisException, ParseException, PySparkException, SparkRuntimeException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.changes import expectations
from headrace.config import Table
from headrace.errors import ConfigError

_MANY_ROWS = ("INVALID_WHERE_CONDITION", "UNSUPPORTED_GENERATOR", "WINDOW_FUNCTION", "_LEGACY_ERROR_TEMP_1034")
"""What Spark says of aggregate, window and generator functions where only one row is at hand."""
_NO_SUCH_FUNCTION = ("UNRESOLVED_ROUTINE", "WRONG_NUM_ARGS")
_OVER_ONE_ROW = "a SQL expression over one row, without aggregate, window and generator functions"
_MOST_COLUMNS = 100


def kept(table: Table) -> Column:
    """Whether a row belongs to the table."""
    return F.lit(True) if table.where is None else F.coalesce(F.expr(table.where), F.lit(False))


def unreadable(spark: SparkSession, name: str, table: Table) -> Iterator[ConfigError]:
    """The expressions of a table that are not SQL over one row, and patterns that are none."""
    for key, text, made in _expressions(table):
        try:
            _resolve(spark, made)
        except ParseException as error:
            yield _wrong(f"tables.{name}.{key}", "a SQL expression", text, error, "Correct it.")
        except AnalysisException as error:
            # What else may be wrong is only told where the columns are known.
            said = error.getCondition() or ""
            if said.startswith(_MANY_ROWS):
                yield _wrong(f"tables.{name}.{key}", _OVER_ONE_ROW, text, error, "Correct it.")
            elif said.startswith(_NO_SUCH_FUNCTION):
                yield _wrong(f"tables.{name}.{key}", "functions that Spark SQL has", text, error, "Correct it.")
    for number, rule in enumerate(table.expect):
        if rule.pattern is None:
            continue
        try:
            spark.range(1).select(F.lit("").rlike(rule.pattern)).collect()
        except SparkRuntimeException as error:
            where = f"tables.{name}.expect[{number}].pattern"
            yield _wrong(where, "a regular expression as Java writes it", rule.pattern, error, "Correct it.")


def _resolve(spark: SparkSession, made: Callable[[], Column]) -> None:
    """Have Spark look at an expression whose columns are not known: each that it asks for is there, and is null."""
    rows = spark.range(0)
    for _ in range(_MOST_COLUMNS):
        try:
            rows.where(made().isNotNull())  # a condition takes no function over many rows
            return
        except AnalysisException as error:
            asked = _column_asked_for(error)
            if asked is None or asked in rows.columns:
                raise
        rows = rows.withColumn(asked, F.lit(None))


def _column_asked_for(error: AnalysisException) -> str | None:
    if not (error.getCondition() or "").startswith("UNRESOLVED_COLUMN"):
        return None
    found = re.match(r"`((?:[^`]|``)+)`", (error.getMessageParameters() or {}).get("objectName", ""))
    return found[1].replace("``", "`") if found else None


def unfitting(name: str, table: Table, rows: DataFrame) -> ConfigError | None:
    """The first expression that does not fit the source's typed columns, such as one that names no column."""
    for key, text, made in _expressions(table):
        try:
            rows.where(made().isNotNull())
        except AnalysisException as error:
            known = ", ".join(column for column in rows.columns if not column.startswith("_"))
            todo = f"Correct it, or declare a column that is yet to come: tables.{name}.types."
            return _wrong(f"tables.{name}.{key}", f"SQL over the columns {known}", text, error, todo)
    return None


def _expressions(table: Table) -> Iterator[tuple[str, str, Callable[[], Column]]]:
    """Key in the table's settings, text, and how it is made a column."""
    if table.where is not None:
        yield "where", table.where, lambda: ~kept(table)
    for column, text in table.columns.items():
        yield f"columns.{column}", text, partial(F.expr, text)
    for number, rule in enumerate(table.expect):
        yield f"expect[{number}]", expectations.described(rule), partial(expectations.holds, rule)


def _wrong(where: str, expected: str, text: str, error: PySparkException, todo: str) -> ConfigError:
    said = str(error).strip().partition("\n")[0].partition(" SQLSTATE")[0].rstrip(".")
    return ConfigError(where=where, expected=expected, found=f"{text!r}: {said}", todo=todo)
