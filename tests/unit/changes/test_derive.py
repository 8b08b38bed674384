"""Derived tables: what a batch does to them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.lake import Lake
from headrace.tables import CHANGED_KEYS, REJECTS, TOMBSTONES
from headrace.testing import delete, envelopes, truncate, upsert

TABLES = {
    "bookings": {"source": "feed", "key": ["booking_id"]},
    "flights": {"source": "feed", "key": ["flight_id"]},
}
TRIPS: dict[str, Any] = {
    "key": ["booking_id"],
    "sql": "SELECT b.booking_id, b.status, f.number FROM bookings b LEFT JOIN flights f ON f.flight_id = b.flight_id",
    "reach": {"flights": "SELECT booking_id FROM bookings JOIN changed USING (flight_id)"},
}
TOTALS: dict[str, Any] = {
    "key": ["customer"],
    "sql": "SELECT customer, sum(price) AS total, count(*) AS bookings FROM bookings GROUP BY customer",
    "reach": {"bookings": "SELECT customer FROM bookings JOIN changed USING (booking_id)"},
}


class World:
    """A deployment whose batches are given by hand."""

    def __init__(self, spark: SparkSession, folder: Path, **derive: Any) -> None:
        self.spark, self.folder = spark, folder
        self.number = 0
        self.set(**derive)

    def set(self, tables: dict[str, Any] = TABLES, **derive: Any) -> None:
        """New settings, and a new start."""
        sources = {"feed": {"from": "files", "path": "/in", "format": "debezium"}}
        given = {"lake": str(self.folder), "sources": sources, "tables": tables, "derive": derive}
        self.config = Config.model_validate(given)
        self.lake = Lake(self.spark, str(self.folder))
        self.start()

    def start(self) -> None:
        self.applier = Applier(self.spark, self.config)

    def batch(self, *changes: Change) -> list[tuple[str, str]]:
        """Apply them; the derived keys told in `changed_keys`, with their tables."""
        self.number += 1
        self.applier.apply(envelopes(self.spark, changes, self.config), f"feed/{self.number}")
        return self.told(f"feed/{self.number}")

    def told(self, batch: str) -> list[tuple[str, str]]:
        keys = self.lake.read(CHANGED_KEYS.path).where(F.col("batch") == batch)
        derived = keys.where(F.col("table").isin(list(self.config.derive)))
        return sorted((row["table"], row["key"]) for row in derived.collect())

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        found = self.lake.read(f"tables/{table}").drop("_position", "_changed_at").collect()
        return sorted(map(tuple, found), key=str)

    def rejects(self) -> list[tuple[str, str, str]]:
        path = REJECTS.path.format(job="apply_changes")
        if not self.lake.exists(path):
            return []
        return sorted((row["table"], row["key"], row["reason"]) for row in self.lake.read(path).collect())


def booking(number: str, flight: str | None, at: int, **more: Any) -> Change:
    row = {"booking_id": number, "flight_id": flight, "status": "new", "customer": "ada", "price": 1, **more}
    return upsert("bookings", row, at=at)


def flight(number: str, name: str, at: int) -> Change:
    return upsert("flights", {"flight_id": number, "number": name}, at=at)


def test_a_change_on_either_side_of_a_join_reaches_its_rows(spark: SparkSession, lake: Path) -> None:
    world = World(spark, lake, trips=TRIPS)

    assert world.batch(booking("1", "F", 1), booking("2", "G", 2)) == []  # no flights yet: nothing to join
    assert world.batch(flight("F", "LH1", 3)) == [("trips", '["1"]'), ("trips", '["2"]')]
    assert world.rows("trips") == [("1", "new", "LH1"), ("2", "new", None)]

    assert world.batch(flight("G", "LH2", 4)) == [("trips", '["2"]')]
    assert world.batch(booking("1", "F", 5, price=7)) == []  # a column that the SQL does not show
    assert world.batch(delete("bookings", {"booking_id": "1"}, at=6)) == [("trips", '["1"]')]
    assert world.batch(delete("flights", {"flight_id": "G"}, at=7)) == [("trips", '["2"]')]
    assert world.rows("trips") == [("2", "new", None)]
    assert world.batch(truncate("bookings", at=8)) == [("trips", '["2"]')]
    assert world.rows("trips") == []
    stones = world.lake.read(TOMBSTONES.path.format(table="trips"))
    assert sorted(row["key"] for row in stones.collect()) == ['["1"]', '["2"]']


def test_a_row_that_moves_from_one_group_to_another_changes_both(spark: SparkSession, lake: Path) -> None:
    world = World(spark, lake, totals=TOTALS)

    world.batch(booking("1", None, 1, price=5), booking("2", None, 2, price=7))
    assert world.rows("totals") == [("ada", 12, 2)]
    moved = world.batch(booking("2", None, 3, price=7, customer="bob"))
    assert moved == [("totals", '["ada"]'), ("totals", '["bob"]')]
    assert world.rows("totals") == [("ada", 5, 1), ("bob", 7, 1)]
    world.start()
    assert world.batch(delete("bookings", {"booking_id": "2"}, at=4)) == [("totals", '["bob"]')]
    assert world.rows("totals") == [("ada", 5, 1)]


def test_one_key_given_twice_is_refused_and_the_other_rows_go_on(spark: SparkSession, lake: Path) -> None:
    by_customer = {
        "key": ["customer"],
        "sql": "SELECT customer, booking_id FROM bookings",
        "reach": {"bookings": "SELECT customer FROM bookings JOIN changed USING (booking_id)"},
    }
    world = World(spark, lake, latest=by_customer)

    world.batch(booking("1", None, 1), booking("2", None, 2, customer="bob"))
    world.batch(booking("3", None, 3), booking("4", None, 4, customer=None), booking("5", None, 5, customer="eve"))

    assert world.rows("latest") == [("ada", "1"), ("bob", "2"), ("eve", "5")]
    assert world.rejects() == [
        ("latest", '["ada"]', "derived key twice"), ("latest", "[null]", "derived key null"),
    ]  # fmt: skip


def test_other_sql_computes_all_rows_anew_at_the_start(spark: SparkSession, lake: Path) -> None:
    world = World(spark, lake, totals=TOTALS)
    world.batch(booking("1", None, 1, price=5), booking("2", None, 2, price=7, customer="bob"))
    first = world.lake.read("tables/totals").agg(F.max("_position")).collect()[0][0]

    more = TOTALS | {"sql": "SELECT customer, sum(price) + 1 AS total, count(*) AS bookings FROM bookings GROUP BY 1"}
    world.set(totals=more)
    assert world.rows("totals") == [("ada", 6, 1), ("bob", 8, 1)]
    assert world.told("derive/0") == [("totals", '["ada"]'), ("totals", '["bob"]')]
    assert world.lake.read("tables/totals").agg(F.min("_position")).collect()[0][0] > first

    world.set(totals=TOTALS | {"sql": "SELECT customer, max(status) AS status FROM bookings GROUP BY 1"})
    assert world.rows("totals") == [("ada", "new"), ("bob", "new")]


def test_batches_of_two_sources_at_the_same_moment_see_each_other(spark: SparkSession, lake: Path) -> None:
    tables = {"bookings": TABLES["bookings"], "flights": {"source": "travel", "key": ["flight_id"]}}
    where = {"from": "files", "path": "/in", "format": "debezium"}
    sources = {"feed": where, "travel": where}
    given = {"lake": str(lake), "sources": sources, "tables": tables, "derive": {"trips": TRIPS}}
    config = Config.model_validate(given)
    applier = Applier(spark, config)
    sales = envelopes(spark, [booking("1", "F", 1)], config)
    travel = envelopes(spark, [flight("F", "LH1", 1)], config, source="travel")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(applier.apply, sales, "feed/0"), pool.submit(applier.apply, travel, "travel/0")]:
            done.result()

    rows = Lake(spark, str(lake)).read("tables/trips").select("booking_id", "status", "number").collect()
    assert list(map(tuple, rows)) == [("1", "new", "LH1")]
