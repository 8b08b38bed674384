"""The comparison itself: it must call equal tables equal, and name any single wrong value."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from .compare import differences, postgres_columns
from .postgres import Postgres
from .workload import Workload

TYPES = {
    "smallint": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us", "UTC"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "bytea": pa.binary(),
    "numeric": pa.decimal128(38, 18),
    "integer[]": pa.list_(pa.int32()),
    "bigint[]": pa.list_(pa.int64()),
    "text[]": pa.list_(pa.string()),
}
ISO_INTERVAL = (
    "'P' || extract(year from {0}) || 'Y' || extract(month from {0}) || 'M' || extract(day from {0}) || 'DT' || "
    "extract(hour from {0}) || 'H' || extract(minute from {0}) || 'M' || extract(second from {0}) || 'S'"
)


@pytest.fixture
def filled(postgres: Postgres) -> Postgres:
    """The five tables after 400 changes and the schema changes."""
    workload = Workload(lambda: postgres.connect(autocommit=False), seed=11)
    workload.create()
    workload.evolve()
    workload.run(400)
    workload.close()
    return postgres


def copy(postgres: Postgres, table: str, folder: Path, change: tuple[str, object] | None = None) -> None:
    """Writes a PostgreSQL table as Delta, with one value of the first row that has one changed."""
    with postgres.connect() as connection:
        columns = postgres_columns(connection, "public", table)
        picked = ", ".join(text_of(c.name, c.kind) for c in columns)
        rows = [list(row) for row in connection.execute(f"select {picked} from {table}").fetchall()]
    if change:
        at = [column.name for column in columns].index(change[0])
        next(row for row in rows if row[at] is not None)[at] = change[1]
    arrays = {c.name: pa.array([row[i] for row in rows], arrow_type(c.type, c.kind)) for i, c in enumerate(columns)}
    write_deltalake(str(folder), pa.table(arrays), mode="overwrite")


def text_of(name: str, kind: str) -> str:
    if kind in TYPES:
        return f'"{name}"'
    if kind == "interval":
        return ISO_INTERVAL.format(name)
    return f'case when "{name}" is not null then format(\'%s\', "{name}") end'


def arrow_type(full: str, kind: str) -> Any:
    declared = re.fullmatch(r"numeric\((\d+),(\d+)\)", full)
    return pa.decimal128(int(declared[1]), int(declared[2])) if declared else TYPES.get(kind, pa.string())


TABLES = ["bookings", "customers", "flights", "hotels", "prices"]


def test_a_faithful_copy_of_every_type_has_no_differences(filled: Postgres, tmp_path: Path) -> None:
    for table in TABLES:
        copy(filled, table, tmp_path / table)
        assert list(differences(filled.url, tmp_path / table, table)) == []


WRONG = {
    "bookings": [("notes", "__debezium_unavailable_value"), ("guests", 7), ("status", "Held"), ("points", 2**40)],
    "customers": [
        ("country", "x"),
        ("vip", None),
        ("tags", []),
        ("settings", json.dumps({})),
        ("address", "10.0.0.5/32"),
    ],
    "flights": [("gate_opens", "00:00:01"), ("distance", 1.5), ("delay", "P0Y1M0DT0H0M0S"), ("seats", [None, None, 1])],
    "hotels": [("photo", b"__debezium"), ("rating", 0.1), ("amenities", ["__debezium_unavailable_value"])],
}


def test_one_wrong_value_of_any_type_is_named(filled: Postgres, tmp_path: Path) -> None:
    for table, changes in WRONG.items():
        for column, value in changes:
            copy(filled, table, tmp_path / table, (column, value))
            (found,) = differences(filled.url, tmp_path / table, table)
            assert f".{column}: " in found


def test_missing_extra_and_wrongly_typed_columns_and_rows_are_named(filled: Postgres, tmp_path: Path) -> None:
    copy(filled, "prices", tmp_path / "prices")
    with filled.connect() as connection:
        connection.execute("insert into prices (id, amount) values (-1, 1), (-2, 1)")
        connection.execute("delete from prices where id = (select max(id) from prices)")
        connection.execute(
            "alter table prices add column added int, drop column seen, alter amount type numeric(20, 4)"
        )
    found = list(differences(filled.url, tmp_path / "prices", "prices"))
    assert [line for line in found if "column" in line] == [
        "prices: column amount numeric(20,4) is decimal(9,4) in Delta",
        "prices: column added is missing in Delta",
        "prices: column seen is in Delta only",
    ]
    assert [re.sub(r"\(\d{5,}", "(n", line) for line in found if "column" not in line] == [
        "prices (-1,): in PostgreSQL, not in Delta",
        "prices (-2,): in PostgreSQL, not in Delta",
        "prices (n,): in Delta, not in PostgreSQL",
    ]
