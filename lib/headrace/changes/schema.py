"""What is known of a table's columns: declared, told by the payload or learned from values, and remembered.

A schema only grows: columns are added, types widen. It never goes back, so two batches cannot make it flip.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from headrace.changes.columns import free_name, needs_mapping
from headrace.changes.widen import delta_widens, grows, wider, wider_key
from headrace.config import Table
from headrace.lake import Lake, local_rows, quoted, struct
from headrace.tables import CARRIED, CHANGED_AT, POSITION, SCHEMAS

WIDENING = "delta.enableTypeWidening"


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column as the source names it (`source`) and as Headrace does (`name`).

    `partial` is set once an event left the column out; from then on its position is tracked apart from its row's.
    """

    source: str
    name: str
    type: str
    declared: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The columns of one table at the source, in the order they were first seen."""

    columns: tuple[SourceColumn, ...] = ()
    version: int = 0
    partial: bool = False
    """Whether an event ever left a column out. A column first heard of after that starts as partial: rows may be stored
    that do not know it."""
    key: tuple[str, ...] = ()
    """The key columns as the source names them: they grow only where their text stays the same."""

    @classmethod
    def declared(cls, key: Iterable[str], types: Mapping[str, str]) -> "TableSchema":
        """Where every table starts: its declared columns."""
        schema = cls(key=tuple(key))
        for source, kind in types.items():
            schema = schema._with(source, kind, declared=True)
        return schema

    def learn(self, news: Iterable[tuple[str, str]]) -> "TableSchema":
        """The schema after hearing of (source column, type) pairs; the same object where nothing is new.

        A declared type stands. A type that no type can widen to is passed over: the values that do not fit are refused
        one by one.
        """
        schema = self
        for source, kind in news:
            found = schema.find(source)
            if found is None:
                schema = schema._with(source, kind)
            elif not found.declared and (width := self._wider(found, kind)) not in (None, found.type):
                schema = schema._replace(replace(found, type=str(width)))
        return schema

    def with_partial(self, sources: Iterable[str]) -> "TableSchema":
        """The schema with these columns marked as sometimes left out."""
        schema = replace(self, partial=True) if not self.partial else self
        for source in sorted(set(sources)):
            found = schema.find(source)
            if found is not None and not found.partial:
                schema = schema._replace(replace(found, partial=True))
        return schema

    def find(self, source: str) -> SourceColumn | None:
        """The column of that name at the source."""
        return next((column for column in self.columns if column.source == source), None)

    def types(self) -> dict[str, str]:
        """Type by source column."""
        return {column.source: column.type for column in self.columns}

    def _wider(self, column: SourceColumn, kind: str) -> str | None:
        return (wider_key if column.source in self.key else wider)(column.type, kind)

    def _with(self, source: str, kind: str, *, declared: bool = False) -> "TableSchema":
        name = free_name(source, {column.name for column in self.columns})
        return replace(self, columns=(*self.columns, SourceColumn(source, name, kind, declared, self.partial)))

    def _replace(self, new: SourceColumn) -> "TableSchema":
        return replace(self, columns=tuple(new if c.source == new.source else c for c in self.columns))


class SchemaRegistry:
    """The schemas of all tables, kept in the lake's `schemas` table."""

    def __init__(self, lake: Lake, tables: Mapping[str, Table], declared: Mapping[str, Mapping[str, str]]) -> None:
        self._schemas = {
            name: TableSchema.declared(table.key, declared.get(name, {})) for name, table in tables.items()
        }
        for name, schema in self._load(lake).items():
            if name in self._schemas:
                known = replace(schema, key=tables[name].key)
                self._schemas[name] = _redeclared(known, declared.get(name, {}))

    def get(self, table: str) -> TableSchema:
        """What is known of a table now."""
        return self._schemas[table]

    def known(self) -> dict[str, dict[str, str]]:
        """Types by table and source column, for the decoder to say only what is new."""
        return {name: schema.types() for name, schema in self._schemas.items()}

    def save(self, lake: Lake, changed: Mapping[str, TableSchema]) -> None:
        """Remember new schemas, in the lake first."""
        if not changed:
            return
        rows = []
        for name, schema in changed.items():
            newer = replace(schema, version=schema.version + 1)
            self._schemas[name] = newer
            rows.append((name, newer.version, msgspec.json.encode(newer).decode(), datetime.now(UTC)))
        relative = lake.ensure(SCHEMAS)
        lake.append(local_rows(lake.spark, rows, SCHEMAS.schema), relative)

    def _load(self, lake: Lake) -> dict[str, TableSchema]:
        if not lake.exists(SCHEMAS.path):
            return {}
        newest = lake.read(SCHEMAS.path).groupBy("table").agg(F.max_by("body", "version").alias("body"))
        return {row["table"]: msgspec.json.decode(row["body"], type=TableSchema) for row in newest.collect()}


def _redeclared(schema: TableSchema, types: Mapping[str, str]) -> TableSchema:
    """A remembered schema under today's settings: what is declared wins, all else is kept as found."""
    columns = tuple(
        replace(column, type=types.get(column.source, column.type), declared=column.source in types)
        for column in schema.columns
    )
    known = replace(schema, columns=columns)
    for source, kind in types.items():
        if known.find(source) is None:
            known = known._with(source, kind, declared=True)
    return known


def ensure_table(
    lake: Lake, relative: str, columns: list[StructField], system: StructType, properties: Mapping[str, str]
) -> bool:
    """Create the Delta table, or add and widen its columns; True when it was created or changed.

    Business columns come first, then the system columns. A column the source no longer sends stays. Where Delta cannot
    widen a type in its metadata the table is rewritten once.
    """
    wanted = {field.name: field for field in columns}
    if not lake.exists(relative):
        mapping = {"delta.columnMapping.mode": "name"} if needs_mapping(list(wanted)) else {}
        lake.create(relative, StructType([*columns, *system.fields]), {**mapping, **properties})
        return True
    present = {field.name.lower(): field for field in lake.read(relative).schema.fields}
    added = [field for field in [*columns, *system.fields] if field.name.lower() not in present]
    changed = False
    if added:
        _add_columns(lake, relative, added, set(wanted), present)
        changed = True
    for field in columns:
        old = present.get(field.name.lower())
        if old is not None and old.dataType != field.dataType:
            changed = _widen(lake, relative, old, field) or changed
    return changed


def _add_columns(
    lake: Lake, relative: str, added: list[StructField], business: set[str], present: Mapping[str, StructField]
) -> None:
    if needs_mapping([field.name for field in added]):
        lake.execute(
            f"ALTER TABLE {lake.sql_name(relative)} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', "
            "'delta.minReaderVersion' = '3', 'delta.minWriterVersion' = '7')"
        )
    first_system = min(
        (index for index, field in enumerate(present.values()) if field.name in (POSITION, "_valid_from")), default=0
    )
    last = list(present.values())[first_system - 1].name if first_system else None
    clauses = []
    for field in added:
        place = f" AFTER {quoted(last)}" if last and field.name in business else ""
        clauses.append(f"{quoted(field.name)} {field.dataType.simpleString()}{place}")
        if place:
            last = field.name
    # One statement a column: AFTER may only name a column that is there already.
    for clause in clauses:
        lake.execute(f"ALTER TABLE {lake.sql_name(relative)} ADD COLUMNS ({clause})")


def _widen(lake: Lake, relative: str, old: StructField, new: StructField) -> bool:
    before, after = old.dataType.simpleString(), new.dataType.simpleString()
    if not grows(before, after):
        return False
    if delta_widens(before, after):
        lake.set_mark(relative, WIDENING, "true")
        lake.execute(f"ALTER TABLE {lake.sql_name(relative)} ALTER COLUMN {quoted(old.name)} TYPE {after}")
        return True
    table = lake.read(relative)
    rewritten = table.withColumn(old.name, F.col(quoted(old.name)).cast(new.dataType))
    rewritten.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(lake.path(relative))
    return True


def system_columns(partial: bool) -> StructType:
    """The columns Headrace adds to an ordered table."""
    carried = f", {CARRIED} map<string, string>" if partial else ""
    return struct(f"{POSITION} string, {CHANGED_AT} timestamp{carried}")
