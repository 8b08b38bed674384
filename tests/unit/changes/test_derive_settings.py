"""What is wrong with a derived table is said before its first row."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.changes.derive_settings import derivations, fitted
from headrace.config import Config
from headrace.errors import ConfigError
from headrace.lake import struct

COLUMNS = {
    "bookings": "booking_id string, customer_id string, flight_id string, price int, at timestamp",
    "flights": "flight_id string, number string",
    "payments": "booking_id string, no int, paid int",
}
JOINED = "SELECT b.booking_id, f.number FROM bookings b LEFT JOIN flights f USING (flight_id)"
REACH = {"flights": "SELECT booking_id FROM bookings JOIN changed USING (flight_id)"}
OF_CUSTOMERS = {"bookings": "SELECT customer_id FROM bookings JOIN changed USING (booking_id)"}


def config_of(**derive: dict[str, Any]) -> Config:
    keys = {"bookings": ["booking_id"], "flights": ["flight_id"], "payments": ["booking_id", "no"]}
    tables = {name: {"source": "feed", "key": key} for name, key in keys.items()}
    sources = {"feed": {"from": "files", "path": "/in", "format": "debezium"}}
    return Config.model_validate({"lake": "/lake", "sources": sources, "tables": tables, "derive": derive})


def one(sql: str, reach: dict[str, str] | None = None, key: str = "booking_id") -> dict[str, Any]:
    return {"key": [key], "sql": sql, "reach": reach or {}}


def said(spark: SparkSession, **derive: dict[str, Any]) -> str:
    """What the first problem of the settings says; empty where there is none."""
    try:
        for found in derivations(spark, config_of(**derive)):
            fitted(spark, found, {base: struct(COLUMNS[base]) for base in found.bases})
    except ConfigError as error:
        return str(error)
    return ""


WRONG = [
    (one("SELEC 1"), "derive.t.sql: expected one query in Spark SQL; found 'SELEC 1': [PARSE_SYNTAX_ERROR]"),
    (one("DROP TABLE bookings"), "derive.t.sql: expected one query (SELECT); found 'DROP TABLE bookings'"),
    (one("SELECT 1 AS booking_id"), "derive.t.sql: expected a query over tables of the settings; found none in it"),
    (
        one("SELECT booking_id FROM rooms"),
        "derive.t.sql: expected tables of the settings (bookings, flights, payments); found rooms",
    ),
    (
        one(JOINED),
        "derive.t.reach: expected a query for flights; found none, and the key of flights (flight_id) does not hold "
        "booking_id. Say which keys a changed row reaches: reach: {flights: SELECT booking_id FROM bookings JOIN "
        "changed USING (flight_id)}",
    ),
    (
        one("SELECT a.booking_id, b.price FROM bookings a JOIN bookings b USING (customer_id)"),
        "derive.t.reach: expected a query for bookings; found none, and SQL that does not join every bookings on "
        "booking_id",
    ),
    (
        one("SELECT booking_id, row_number() OVER (PARTITION BY customer_id ORDER BY price) AS n FROM bookings"),
        "derive.t.reach: expected a query for bookings",
    ),
    (one("SELECT booking_id, now() AS t FROM bookings"), "found now(). Leave now() out"),
    (one("SELECT booking_id, rand() AS r FROM bookings"), "found rand(). Leave rand() out"),
    (one("SELECT booking_id FROM bookings ORDER BY price LIMIT 3"), "found LIMIT. Leave LIMIT out"),
    (one("SELECT booking_id, colour FROM bookings"), "expected SQL that fits the tables: bookings (booking_id, "),
    (one("SELECT price FROM bookings"), "expected the key column booking_id in the result; found price"),
    (one("SELECT *, price FROM bookings"), "expected a name for each column; found price twice"),
    (one("SELECT booking_id, price AS _position FROM bookings"), "expected names that Headrace does not use itself"),
    (one("SELECT booking_id, NULL AS x FROM bookings"), "expected columns with a type; found x, a bare NULL"),
    (
        one("SELECT booking_id FROM bookings", REACH),
        "derive.t.reach.flights: expected a table of the SQL (bookings); found flights",
    ),
    (
        one(JOINED, {"flights": "SELECT flight_id FROM changed"}),
        "derive.t.reach.flights: expected the key column booking_id in the result; found flight_id",
    ),
    (
        one(JOINED, {"flights": "SELECT booking_id FROM payments, changed"}),
        "derive.t.reach.flights: expected tables of the settings (bookings, flights); found payments",
    ),
]


@pytest.mark.parametrize(("derive", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_wrong_sql_is_refused_with_what_to_do(spark: SparkSession, derive: dict[str, Any], message: str) -> None:
    assert message in said(spark, t=derive)


@pytest.mark.parametrize(
    "derive",
    [
        one(JOINED, REACH),
        one("SELECT booking_id, sum(paid) AS paid FROM payments GROUP BY booking_id;"),
        one("SELECT b.booking_id, p.paid FROM bookings b, payments p WHERE p.booking_id = b.booking_id AND no = 1"),
        one("SELECT booking_id, row_number() OVER (PARTITION BY booking_id ORDER BY no) AS n FROM payments"),
        one("SELECT customer_id, collect_list(price) AS p FROM bookings GROUP BY 1", OF_CUSTOMERS, "customer_id"),
    ],
)  # fmt: skip
def test_what_can_be_kept_by_keys_is_taken(spark: SparkSession, derive: dict[str, Any]) -> None:
    assert said(spark, t=derive) == ""


def test_derived_tables_come_after_those_they_read_and_not_in_a_circle(spark: SparkSession) -> None:
    second = one("SELECT booking_id FROM first")
    found = derivations(spark, config_of(second=second, first=one("SELECT booking_id FROM bookings")))
    assert [table.name for table in found] == ["first", "second"]

    circle = said(spark, first=one("SELECT booking_id FROM second"), second=second)
    assert "derive.first.sql: expected derived tables that do not read themselves" in circle


def test_a_reach_query_that_reads_its_own_table_needs_the_rows_as_they_were(spark: SparkSession) -> None:
    counts = one("SELECT customer_id, count(*) AS n FROM bookings GROUP BY 1", OF_CUSTOMERS, "customer_id")
    (found,) = derivations(spark, config_of(t=counts))
    fit = fitted(spark, found, {"bookings": struct(COLUMNS["bookings"])})
    assert fit.remembered == {"bookings": ["booking_id", "customer_id"]}
    assert fit.by_change == {"bookings"}
