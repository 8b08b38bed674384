"""Envelope rows of one table -> its typed rows, each with what is wrong with it."""

import re
from dataclasses import dataclass
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField

from headrace.changes import expectations, settings_sql
from headrace.changes.columns import col, free_name, key_misfit, key_text, misfit, typed
from headrace.changes.schema import SourceColumn, TableSchema
from headrace.config import Table
from headrace.lake import quoted
from headrace.ordering.collapse import CHANGED_AT, KEY, OP, POSITION, PROBLEM, SENT, UNHEARD, WARNING

REASON = "_reason"
_EVENT = ("source", "source_table", "key", "arrived_at", "message_key", "message", "headers", "origin")
PASSED_ON = tuple(f"_event_{name}" for name in _EVENT)
"""Where a row came from: the envelope's columns, kept for `rejects` under a name no business column has."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table's rows look like today.

    Attributes:
        columns: business columns with their types, in the table's order.
        key: the key columns' names in the table.
        partial: business columns that an event may leave out, and `UNHEARD` once an event left any out.
    """

    columns: tuple[StructField, ...]
    key: tuple[str, ...]
    partial: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.columns]

    @property
    def key_known(self) -> bool:
        """Whether every key column has been seen, so that the table can be made."""
        return bool(self.key)


class Typing:
    """How the events of one table become its rows, under one schema.

    The expressions are made once and used for every batch: each part of one is a call into Java, thousands for a table
    of many columns.
    """

    def __init__(self, name: str, table: Table, schema: TableSchema) -> None:
        self.schema = schema
        self._name = name
        self._table, self._key = table, _key_names(table, schema)
        self._projected = _projection(table, schema)
        self._shape: Shape | None = None
        # An event's own columns step aside first: a business column may be called `key` or `source`.
        self._named = [
            F.from_json("after", "map<string, string>").alias("_texts"),
            F.col("op").alias(OP), F.col("position").alias(POSITION), F.col("changed_at").alias(CHANGED_AT),
            F.col("sent").alias("_sent_at_source"),
            *[F.col(name).alias(kept) for name, kept in zip(_EVENT, PASSED_ON, strict=True)],
        ]  # fmt: skip
        texts = {column.name: F.try_element_at("_texts", F.lit(column.source)) for column in schema.columns}
        values = [typed(texts[column.name], column.type).alias(column.name) for column in schema.columns]
        system = (OP, POSITION, CHANGED_AT, "_sent_at_source", *PASSED_ON)
        self._values = [F.col("_texts"), *map(F.col, system), *values]
        self._checks = {
            "_misfit": _misfits(schema, texts, table),
            KEY: key_text([col(name) for name in self._key]),
        }
        self._kept = _kept(table)
        self._judged = _judged(table)
        self._result = [
            *[value.alias(name) for name, value, _ in self._projected],
            *map(F.col, (KEY, OP, POSITION, CHANGED_AT)), _sent(self._projected, schema).alias(SENT),
            *map(F.col, (PROBLEM, REASON, WARNING, *PASSED_ON)),
        ]  # fmt: skip

    def rows(self, events: DataFrame) -> tuple[DataFrame, Shape]:
        """Type, check and project events.

        Args:
            events: upserts and deletes of this table, schema `ENVELOPE` (only `op, position, after, sent, changed_at`
                and the columns of `PASSED_ON` are read).

        Returns:
            A DataFrame of the business columns, `_key, _op, _position, _changed_at, _sent`, `_problem` (null for a good
            row), `_reason`, `_warning` and `PASSED_ON`; and its shape. An upsert that breaks `where` has become a
            delete.

        Raises:
            ConfigError: SQL of the settings does not fit the columns.
        """
        rows = events.select(*self._named).select(*self._values).withColumns(self._checks)
        try:
            kept = rows if self._kept is None else rows.withColumn(OP, self._kept)
            result = kept.withColumns(self._judged).select(*self._result)
        except AnalysisException as error:
            raise settings_sql.unfitting(self._name, self._table, rows) or error from error
        if self._shape is None:
            self._shape = self._shaped(result)
        return result, self._shape

    def _shaped(self, result: DataFrame) -> Shape:
        types = result.schema
        fields = tuple(StructField(name, types[index].dataType) for index, (name, _, _) in enumerate(self._projected))
        partial = {column.name for column in self.schema.columns if column.partial}
        names = [name for name, _, inputs in self._projected if inputs & partial and name not in self._table.key]
        if self.schema.partial:
            names.append(UNHEARD)
        return Shape(fields, self._key, tuple(names))


def _key_names(table: Table, schema: TableSchema) -> tuple[str, ...]:
    found = [schema.find(source) for source in table.key]
    return tuple(column.name for column in found if column is not None) if all(found) else ()


def _misfits(schema: TableSchema, texts: dict[str, Column], table: Table) -> Column:
    """The first value that does not fit its column, described, unless it is masked; null where all fit."""
    masked = {column.casefold() for column in table.mask}
    found = [
        F.when(
            (key_misfit if column.source in table.key else misfit)(texts[column.name], col(column.name), column.type),
            F.concat(
                F.lit(f"column {column.source}: expected {column.type}, found "),
                F.lit("a value that is masked")
                if column.source.casefold() in masked
                else F.concat(F.lit("'"), F.left(texts[column.name], F.lit(40)), F.lit("'")),
                F.lit(f". {_todo(column)}, then run `headrace replay`."),
            ),
        )
        for column in schema.columns
        if column.type != "string"
    ]
    return F.coalesce(*found, F.lit(None).cast("string"))


def _todo(column: SourceColumn) -> str:
    if not column.type.startswith(("date", "timestamp")):
        return "Declare a wider type under types"
    read = "to_date" if column.type == "date" else "to_timestamp"
    return (
        f"Write it in ISO 8601 at the source, or declare {column.source}: string under types and read it under "
        f"columns, such as {read}({quoted(column.name)}, 'dd.MM.yyyy')"
    )


def _kept(table: Table) -> Column | None:
    """The operation, an upsert that breaks `where` being a delete; None where there is no `where`."""
    if table.where is None:
        return None
    return F.when((F.col(OP) == "upsert") & ~settings_sql.kept(table), F.lit("delete")).otherwise(F.col(OP))


def _judged(table: Table) -> dict[str, Column]:
    """`_problem`, `_reason` and `_warning`. Deletes have no values to judge but their key."""
    is_upsert = F.col(OP) == "upsert"
    rejecting = F.when(is_upsert, expectations.broken(table.expect, "reject"))
    stopping = F.when(is_upsert, expectations.broken(table.expect, "stop"))
    expected = F.concat(F.lit("expected "), F.coalesce(rejecting, stopping))
    reason = (
        F.when(F.col("_misfit").isNotNull(), F.lit("incompatible value"))
        .when(stopping.isNotNull(), F.lit("expectation stopped"))
        .when(rejecting.isNotNull(), F.lit("expectation broken"))
    )
    return {
        PROBLEM: F.coalesce(F.col("_misfit"), expected),
        REASON: reason,
        WARNING: F.when(is_upsert, expectations.broken(table.expect, "warn")),
    }


Projected = list[tuple[str, Column, set[str]]]
"""Name in the table, value, and the typed source columns it is made of."""


def _projection(table: Table, schema: TableSchema) -> Projected:
    dropped = set(table.drop)
    kept = [column for column in schema.columns if column.source not in dropped]
    made = dict(table.columns)
    projected: Projected = []
    for column in kept:
        expression = made.pop(column.name, None)
        if expression is None:
            projected.append((column.name, col(column.name), {column.name}))
        else:
            projected.append((column.name, F.expr(expression), _inputs(expression, schema.columns)))
    for name, expression in made.items():
        free = free_name(name, {taken for taken, _, _ in projected})
        projected.append((free, F.expr(expression), _inputs(expression, schema.columns)))
    return projected


def _inputs(expression: str, columns: tuple[SourceColumn, ...]) -> set[str]:
    words = {word.lower() for word in re.findall(r"`[^`]+`|\w+", expression)}
    return {c.name for c in columns if c.name.lower() in words or f"`{c.name.lower()}`" in words}


def _sent(projected: Projected, schema: TableSchema) -> Column:
    """The table's columns whose inputs were all sent; null for a full image."""
    if not schema.partial:
        return F.lit(None).cast("array<string>")
    at_source = F.col("_sent_at_source")
    source_name = {column.name: column.source for column in schema.columns}
    present = []
    for name, _, inputs in projected:
        sent = [F.array_contains(at_source, source_name[one]) for one in sorted(inputs)]
        present.append(F.when(reduce(lambda left, right: left & right, sent, F.lit(True)), F.lit(name)))
    return F.when(at_source.isNotNull(), F.array_compact(F.array(*present)))
