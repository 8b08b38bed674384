"""The SQL that people write into the settings of a table; what is wrong with it is told by the key it stands under."""

from collections.abc import Callable, Iterator
from functools import partial

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.changes import expectations
from headrace.config import Table
from headrace.errors import ConfigError


def kept(table: Table) -> Column:
    """Whether a row belongs to the table."""
    return F.lit(True) if table.where is None else F.coalesce(F.expr(table.where), F.lit(False))


def unreadable(spark: SparkSession, name: str, table: Table) -> Iterator[ConfigError]:
    """The expressions of a table that are not SQL."""
    nothing = spark.range(0)
    for key, text, made in _expressions(table):
        try:
            nothing.select(made())
        except ParseException as error:
            yield _wrong(f"tables.{name}.{key}", "a SQL expression", text, error, "Correct it.")
        except AnalysisException:  # its columns are not known yet
            continue


def unfitting(name: str, table: Table, rows: DataFrame) -> ConfigError | None:
    """The first expression that does not fit the source's typed columns, such as one that names no column."""
    for key, text, made in _expressions(table):
        try:
            rows.select(made())
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


def _wrong(where: str, expected: str, text: str, error: AnalysisException, todo: str) -> ConfigError:
    said = str(error).strip().partition("\n")[0].partition(" SQLSTATE")[0].rstrip(".")
    return ConfigError(where=where, expected=expected, found=f"{text!r}: {said}", todo=todo)
