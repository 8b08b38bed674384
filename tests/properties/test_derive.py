"""Derived tables equal their SQL over the base tables after every batch, and every row that changed is told.

Random histories over three tables and two sources: inserts, updates, moves, deletes, changed keys, truncates, late and
doubled events, repeated batches and restarts. Expected rows come from plain Python over the base tables' rows.
"""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.lake import Lake
from headrace.testing import delete, envelopes, moved, truncate, upsert

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
WORLDS, BATCHES, EVENTS = (20, 16, 200) if SOAK else (1, 4, 60)
SOURCE_OF = {"bookings": "sales", "flights": "travel", "customers": "travel"}
KEYS = {"bookings": "booking_id", "flights": "flight_id", "customers": "customer_id"}
DERIVE = {
    "trips": {
        "key": ["booking_id"],
        "sql": """
            SELECT b.booking_id, b.customer_id, b.price, f.name AS flight, c.name AS customer
            FROM bookings b LEFT JOIN flights f ON f.flight_id = b.flight_id
            LEFT JOIN customers c ON c.customer_id = b.customer_id""",
        "reach": {
            "flights": "SELECT booking_id FROM bookings JOIN changed USING (flight_id)",
            "customers": "SELECT booking_id FROM bookings JOIN changed USING (customer_id)",
        },
    },
    "totals": {
        "key": ["customer_id"],
        "sql": """
            SELECT customer_id, count(*) AS bookings, sum(price) AS total FROM bookings
            WHERE customer_id IS NOT NULL GROUP BY customer_id""",
        "reach": {"bookings": "SELECT customer_id FROM bookings JOIN changed USING (booking_id)"},
    },
    "boards": {
        "key": ["flight"],
        "sql": """
            SELECT flight, count(*) AS seats, max(customer) AS last FROM trips
            WHERE flight IS NOT NULL GROUP BY flight""",
        "reach": {"trips": "SELECT flight FROM trips JOIN changed USING (booking_id)"},
    },
}  # fmt: skip
Rows = dict[str, dict[str, Any]]
Table = dict[tuple[Any, ...], tuple[Any, ...]]


def expected(bookings: Rows, flights: Rows, customers: Rows) -> dict[str, Table]:
    """Every derived table's rows by key, the slow and obvious way."""
    trips: Table = {}
    for number, one in bookings.items():
        flight = flights.get(one["flight_id"], {}).get("name")
        customer = customers.get(one["customer_id"], {}).get("name")
        trips[(number,)] = (number, one["customer_id"], one["price"], flight, customer)
    sums: dict[str, list[int]] = defaultdict(list)
    for one in bookings.values():
        if one["customer_id"] is not None:
            sums[one["customer_id"]].append(one["price"])
    boards: dict[str, list[str | None]] = defaultdict(list)
    for trip in trips.values():
        if trip[3] is not None:
            boards[trip[3]].append(trip[4])
    return {
        "trips": trips,
        "totals": {(one,): (one, len(prices), sum(prices)) for one, prices in sums.items()},
        "boards": {
            (one,): (one, len(names), max((name for name in names if name), default=None))
            for one, names in boards.items()
        },
    }


@dataclass
class Events:
    """Makes changes at random; each is newer at the source than the one before."""

    random: Random
    at: int = 0
    late: list[Change] = field(default_factory=list)

    def some(self, source: str, count: int) -> list[Change]:
        """A batch of one source: late ones of before, doubled ones, some held back."""
        made = [change for _ in range(count) for change in self._one(source)]
        doubled = self.random.sample(made, len(made) // 8)
        back = [change for change in self.late if SOURCE_OF[change.table] == source]
        self.late = [change for change in self.late if change not in back]
        held = self.random.sample(made, len(made) // 8)
        self.late += held
        batch = [change for change in made if change not in held] + doubled + back
        self.random.shuffle(batch)
        return batch

    def _one(self, source: str) -> tuple[Change, ...]:
        self.at += 1
        table = self.random.choice([name for name, own in SOURCE_OF.items() if own == source])
        key = {KEYS[table]: self._number(table)}
        chance = self.random.random()
        if chance < 0.005:
            return (truncate(table, at=self.at),)
        if chance < 0.2:
            return (delete(table, key, at=self.at),)
        if chance < 0.3:
            new = {KEYS[table]: self._number(table)} | self._values(table)
            return moved(table, key, new, at=self.at) if new[KEYS[table]] != key[KEYS[table]] else ()
        return (upsert(table, key | self._values(table), at=self.at),)

    def _number(self, table: str) -> str:
        return f"{table[0]}{self.random.randrange(40 if table == 'bookings' else 8)}"

    def _values(self, table: str) -> dict[str, Any]:
        if table != "bookings":
            return {"name": f"{table[0]}-{self.random.randrange(5)}", "unused": self.random.random()}
        maybe = self.random.random() < 0.9
        return {
            "customer_id": self._number("customers") if maybe else None,
            "flight_id": self._number("flights") if self.random.random() < 0.9 else None,
            "price": self.random.randrange(100),
        }


def config_of(folder: Path) -> Config:
    where = {"from": "files", "path": "/in", "format": "debezium"}
    tables = {name: {"source": SOURCE_OF[name], "key": [key]} for name, key in KEYS.items()}
    sources = {"sales": where, "travel": where}
    return Config.model_validate({"lake": str(folder), "sources": sources, "tables": tables, "derive": DERIVE})


def base_rows(lake: Lake) -> dict[str, Rows]:
    found = {}
    for name, key in KEYS.items():
        there = lake.exists(f"tables/{name}")
        rows = lake.read(f"tables/{name}").collect() if there else []
        found[name] = {row[key]: row.asDict() for row in rows}
    return found


def derived_rows(lake: Lake, name: str) -> Table:
    rows = lake.read(f"tables/{name}").drop("_position", "_changed_at").collect()
    assert len({row[0] for row in rows}) == len(rows)
    return {(row[0],): tuple(row) for row in rows}


def told(lake: Lake, batch: str) -> dict[str, set[str]]:
    rows = lake.read("changed_keys").where((F.col("batch") == batch) & F.col("table").isin(list(DERIVE))).collect()
    found: dict[str, set[str]] = {name: set() for name in DERIVE}
    for row in rows:
        found[row["table"]].add(row["key"])
    return found


def changed(before: Table, now: Table) -> set[str]:
    return {f'["{key[0]}"]' for key in before.keys() | now.keys() if before.get(key) != now.get(key)}


@settings(max_examples=WORLDS, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**63))
def test_derived_tables_equal_their_sql_after_every_batch_and_changes_are_told(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    random = Random(seed)
    events = Events(random)
    config = config_of(tmp_path_factory.mktemp("derive"))
    lake = Lake(spark, config.lake)
    applier = Applier(spark, config)
    everything = ([upsert("bookings", {"booking_id": "b0", "customer_id": "c0", "flight_id": "f0", "price": 1}, at=1)],
                  [upsert("flights", {"flight_id": "f0", "name": "f-0", "unused": 0.5}, at=2),
                   upsert("customers", {"customer_id": "c0", "name": "c-0", "unused": 0.5}, at=3)])  # fmt: skip
    events.at = 3
    before: dict[str, Table] = {name: {} for name in DERIVE}
    for number in range(BATCHES):
        source = ("sales", "travel")[number % 2]
        batch = [*(everything[number] if number < 2 else []), *events.some(source, EVENTS)]
        frame = envelopes(spark, batch, config, source=source)
        applier.apply(frame, f"{source}/{number}")
        now = expected(**base_rows(lake))
        if number == 0:  # the other source has sent nothing: there is nothing to join with
            before["totals"] = now["totals"]
            continue
        news = told(lake, f"{source}/{number}")
        for name in DERIVE:
            assert derived_rows(lake, name) == now[name], (number, name)
            assert news[name] == changed(before[name], now[name]), (number, name)
        before = now
        if number % 3 == 2:  # a new process, and the batch comes again
            applier = Applier(spark, config)
            applier.apply(envelopes(spark, batch, config, source=source), f"{source}/{number}-again")
            assert told(lake, f"{source}/{number}-again") == {name: set() for name in DERIVE}
            assert {name: derived_rows(lake, name) for name in DERIVE} == now
