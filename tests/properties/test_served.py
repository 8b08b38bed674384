"""Whatever comes, in any cut, and wherever the driver dies: the store's rows are the tables' rows.

Random histories of `test_derive`: late and doubled events, moves, deletes, truncates. The driver dies between a write
to a table and what tells of it, and the batch comes again.
"""

import json
import os
import sqlite3
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines.serve_places import UNTOLD
from headrace.pipelines.serving import Serving
from headrace.served_rows import row_key, term
from headrace.testing import envelopes, truncate, upsert
from properties.test_derive import Events, config_of

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
WORLDS, BATCHES, EVENTS = (20, 12, 100) if SOAK else (1, 2, 30)
SERVED = {"flights": ["name"], "bookings": ["customer_id", "price"], "trips": ["flight"]}
DEATHS = (
    ("append changed_keys", False),
    ("delete tables/", True),
    ("execute tables/", True),
    ("append changed_keys", True),
)
"""The write at which the driver dies, and whether it is committed."""


def served_config(folder: Path) -> Config:
    """The tables of `test_derive`, three of them served."""
    data = config_of(folder).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    data["derive"] = {"trips": data["derive"]["trips"]}
    data["serve"] = {"stores": {"live": {"store": "sqlite", "path": str(folder / "live.db")}}}
    for name, filters in SERVED.items():
        place = data["tables"] if name in data["tables"] else data["derive"]
        place[name]["serve"] = {"store": "live", "about": "A row.", "filters": filters}
    return Config.model_validate(data)


def in_store(config: Config) -> dict[str, dict[str, Any]]:
    """Living rows of the store by key, read by SQL alone."""
    assert config.serve is not None
    with sqlite3.connect(config.serve.stores["live"].path) as connection:
        rows = connection.execute("select key, body from rows where not deleted and key like 'r:%'").fetchall()
    return {key: json.loads(body) for key, body in rows}


def in_tables(lake: Lake, config: Config) -> dict[str, dict[str, Any]]:
    """What it should hold: every row of the tables, the slow and obvious way."""
    found = {}
    for name, serve in config.served().items():
        if not lake.exists(f"tables/{name}"):
            continue
        (key_column,) = config.keys()[name]
        for row in lake.read(f"tables/{name}").collect():
            values = {column: value for column, value in row.asDict().items() if not column.startswith("_")}
            key = json.dumps([str(row[key_column])])
            found[row_key(name, key)] = {
                "kind": "row",
                "table": name,
                "key": key,
                "values": values,
                "position": row["_position"],
                "changed_at": row["_changed_at"] and row["_changed_at"].isoformat() + "+00:00",
                "find": [term(name, column, kind, values[column]) for column, kind in serve.types().items()],
            }
    return found


class Deployment:
    """A driver that dies and starts again."""

    def __init__(self, spark: SparkSession, config: Config) -> None:
        self.spark, self.config, self.lake = spark, config, Lake(spark, config.lake)
        self.start()

    def start(self, lake: Lake | None = None) -> None:
        """A new process."""
        self.serving = Serving(lake or self.lake, self.config)
        self.applier = Applier(self.spark, self.config, lake, self.serving.untold)
        self.serving.open(self.applier.bases())

    def apply(self, batch: list[Change], name: str) -> None:
        """One batch of one source."""
        source = name.partition("/")[0]
        self.applier.apply(envelopes(self.spark, batch, self.config, source=source), name)

    def die(self, batch: list[Change], name: str, at: str, after: bool) -> bool:
        """Die in a batch, and start again; whether it did."""
        self.serving.end()
        self.start(CrashingLake(self.spark, self.config.lake, Plan(at, after_commit=after)))
        try:
            self.apply(batch, name)
        except Crash:
            return True
        finally:
            self.serving.end()
            self.start()
        return False

    def publish(self) -> None:
        """Bring the store in step, and compare."""
        self.serving.finish(threading.Event())
        assert in_store(self.config) == in_tables(self.lake, self.config)


@pytest.mark.deep
@settings(max_examples=WORLDS, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**63))
def test_the_store_holds_the_tables_rows_whatever_comes_and_wherever_the_driver_dies(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    random = Random(seed)
    events = Events(random)
    events.at = 3
    deployment = Deployment(spark, served_config(tmp_path_factory.mktemp("served")))
    first = [upsert("flights", {"flight_id": "f0", "name": "f-0", "unused": 0.5}, at=1),
             upsert("customers", {"customer_id": "c0", "name": "c-0", "unused": 0.5}, at=2)]  # fmt: skip
    deployment.apply(first, "travel/0")
    for number in range(1, BATCHES + 1):
        source = ("sales", "travel")[number % 2]
        batch = events.some(source, EVENTS)
        at, after = DEATHS[number % len(DEATHS)]
        if at.startswith("delete"):
            events.at += 1
            batch.append(truncate({"sales": "bookings", "travel": "flights"}[source], at=events.at))
        deployment.die(batch, f"{source}/{number}", at, after)
        deployment.apply(batch, f"{source}/{number}")
        deployment.publish()
    deployment.serving.end()


def test_rows_that_a_truncate_took_and_nobody_was_told_of_leave_the_store(spark: SparkSession, tmp_path: Path) -> None:
    deployment = Deployment(spark, served_config(tmp_path))
    rows = [upsert("flights", {"flight_id": f"f{n}", "name": f"f-{n}", "unused": 0.5}, at=n + 1) for n in range(3)]
    deployment.apply(rows, "travel/0")
    deployment.publish()
    assert len(in_store(deployment.config)) == 3

    assert deployment.die([truncate("flights", at=9)], "travel/1", "delete tables/flights", True)

    assert not (Path(deployment.config.lake) / UNTOLD).exists()
    deployment.apply([truncate("flights", at=9)], "travel/1")
    deployment.publish()
    assert in_store(deployment.config) == {}
    deployment.serving.end()
