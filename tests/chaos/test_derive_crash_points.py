"""The driver dies while it writes derived tables; started again, they are right and every change is told."""

from pathlib import Path
from random import Random

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from chaos.crashing_lake import Crash, CrashingLake, Plan
from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.lake import Lake
from headrace.testing import delete, envelopes, upsert
from properties.test_derive import DERIVE, Events, base_rows, changed, config_of, derived_rows, expected

FEW = (("execute reached/totals", False),)
MORE = (
    ("execute tables/trips", True),
    ("append changed_keys", False),
    ("append tombstones/boards", True),
    ("execute tables/trips", False),
    ("execute tables/boards", True),
    ("execute reached/boards", True),
    ("append changed_keys", True),
)


@pytest.mark.parametrize(
    "deaths",
    [
        pytest.param(FEW, id="few"),
        pytest.param(MORE, id="more", marks=pytest.mark.soak),
    ],
)
def test_after_a_crash_between_two_writes_derived_rows_are_right_and_told(
    spark: SparkSession, tmp_path: Path, deaths: tuple[tuple[str, bool], ...]
) -> None:
    config = config_of(tmp_path / "lake")
    lake = Lake(spark, config.lake)
    events = Events(Random(5))
    travel = [
        upsert("flights", {"flight_id": f"f{n}", "name": f"f-{n % 3}", "unused": 0.5}, at=n + 1) for n in range(8)
    ]
    travel += [
        upsert("customers", {"customer_id": f"c{n}", "name": f"c-{n}", "unused": 0.5}, at=n + 1) for n in range(8)
    ]
    travel += [
        upsert("flights", {"flight_id": f"lone{n}", "name": f"lone-{n}", "unused": 0.5}, at=n + 1)
        for n in range(len(deaths) + 1)
    ]
    events.at = 10
    applier = Applier(spark, config)
    applier.apply(envelopes(spark, travel, config, source="travel"), "travel/0")
    applier.apply(envelopes(spark, _batch(events, 30, 0), config, source="sales"), "sales/0")
    before = expected(**base_rows(lake))
    for number, (write, after_commit) in enumerate(deaths, 1):
        batch, name = _batch(events, 20, number), f"sales/{number}"
        seen = lake.read("changed_keys").count()
        plan = Plan(write, after_commit=after_commit)
        applier = Applier(spark, config, CrashingLake(spark, config.lake, plan))
        with pytest.raises(Crash):
            applier.apply(envelopes(spark, batch, config, source="sales"), name)

        applier = Applier(spark, config)
        applier.apply(envelopes(spark, batch, config, source="sales"), name)

        now = expected(**base_rows(lake))
        assert lake.read("changed_keys").count() > seen
        for table in DERIVE:
            assert derived_rows(lake, table) == now[table], (write, table)
            missing = changed(before[table], now[table]) - _told(lake, table, name)
            assert not missing, (write, table)
        before = now


def _batch(events: Events, count: int, number: int) -> list[Change]:
    """Random changes, and a booking alone on its flight goes and the next comes: every table is written to."""
    batch = events.some("sales", count)
    events.at += 2
    if number:
        batch.append(delete("bookings", {"booking_id": f"lone{number - 1}"}, at=events.at - 1))
    alone = {"booking_id": f"lone{number}", "flight_id": f"lone{number}", "customer_id": f"c{number}", "price": 1}
    return [*batch, upsert("bookings", alone, at=events.at)]


def _told(lake: Lake, table: str, batch: str) -> set[str]:
    """Keys told in the batch, or by a start."""
    mine = F.col("batch").isin(batch, "derive/0") & (F.col("table") == table)
    return {row["key"] for row in lake.read("changed_keys").where(mine).collect()}
