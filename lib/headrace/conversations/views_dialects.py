"""What differs between the engines that read the lake with SQL."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Tables = Callable[[str, str, Sequence[str]], Iterator[str]]
"""(schema, root of the lake, tables) -> statements that make them known."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One engine.

    Attributes:
        notes: what its user must know.
        quote: around a name that is a word of SQL.
        unfold: rows of `measures` with one for each bucket; `{place}` is the schema and a dot.
        view: the statement for a name and a query.
        tables: statements before the views.
    """

    title: str
    notes: tuple[str, ...]
    quote: str
    unfold: str
    view: str
    tables: Tables

    def quoted(self, name: str) -> str:
        """The name, whatever it means in SQL."""
        return f"{self.quote}{name}{self.quote}"

    def unfolded(self, place: str) -> str:
        """SQL for the counts of buckets as rows: measure, minute, bucket, counted."""
        lake = f"{place[:-1]}_lake." if place else ""
        return self.unfold.format(place=place, schema_lake=lake)

    def create(self, name: str, select: str) -> str:
        """The statement that makes a view."""
        return self.view.format(name=name, select=select)


def _text(value: str) -> str:
    return value.replace("'", "''")


def _duckdb(schema: str, lake: str, tables: Sequence[str]) -> Iterator[str]:
    yield "INSTALL delta"
    yield "LOAD delta"
    place = f"{schema}." if schema else ""
    if schema:
        yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
    for name in tables:
        yield f"CREATE OR REPLACE VIEW {place}{name} AS SELECT * FROM delta_scan('{_text(lake)}/{name}')"


def _databricks(schema: str, lake: str, tables: Sequence[str]) -> Iterator[str]:
    yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
    for name in tables:
        yield f"CREATE TABLE IF NOT EXISTS {schema}.{name} USING DELTA LOCATION '{_text(lake)}/{name}'"


def _athena(schema: str, lake: str, tables: Sequence[str]) -> Iterator[str]:
    yield f"CREATE DATABASE IF NOT EXISTS {schema}"
    for name in tables:
        # Athena takes the columns from the table's own log.
        where = f"LOCATION '{_text(lake)}/{name}/' TBLPROPERTIES ('table_type' = 'DELTA')"
        yield f"CREATE EXTERNAL TABLE IF NOT EXISTS {schema}.{name} {where}"


def _redshift(schema: str, lake: str, tables: Sequence[str]) -> Iterator[str]:
    catalog = f"FROM DATA CATALOG DATABASE '{schema}' IAM_ROLE default"
    yield f"CREATE EXTERNAL SCHEMA IF NOT EXISTS {schema}_lake {catalog}"
    yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
    for name in tables:
        columns = f"SELECT * FROM {schema}_lake.{name}"
        yield f"CREATE OR REPLACE VIEW {schema}.{name} AS {columns} WITH NO SCHEMA BINDING"


_MARKS = "The lake's tables use deletion vectors; docs/views.md says what that means here."
_PLAIN = "CREATE OR REPLACE VIEW {name} AS\n{select}"
_UNNEST = (
    "SELECT measure, minute, bucket, counted FROM {place}measures CROSS JOIN UNNEST(buckets) AS b (bucket, counted)"
)
DIALECTS = {
    "duckdb": Dialect(
        "DuckDB",
        ("The extension `delta` reads deletion vectors; DuckDB fetches it once.",),
        '"',
        "SELECT measure, minute, entry.key AS bucket, entry.value AS counted "
        "FROM (SELECT measure, minute, UNNEST(MAP_ENTRIES(buckets)) AS entry FROM {place}measures)",
        _PLAIN,
        _duckdb,
    ),
    "databricks": Dialect(
        "Databricks SQL",
        (),
        "`",
        "SELECT measure, minute, bucket, counted FROM {place}measures "
        "LATERAL VIEW EXPLODE(buckets) b AS bucket, counted",
        _PLAIN,
        _databricks,
    ),
    "athena": Dialect("Amazon Athena", (_MARKS,), '"', _UNNEST, _PLAIN, _athena),
    "redshift": Dialect(
        "Amazon Redshift Spectrum",
        (_MARKS, "The tables are those that AWS Glue's catalogue knows; make them with --dialect athena first."),
        '"',
        # Spectrum joins a map with its own row; an extra level of a view may not hide it.
        "SELECT m.measure, m.minute, b.key AS bucket, b.value AS counted FROM {schema_lake}measures m, m.buckets b",
        "CREATE OR REPLACE VIEW {name} AS\n{select}\nWITH NO SCHEMA BINDING",
        _redshift,
    ),
}
