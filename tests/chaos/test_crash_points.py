"""The driver dies at any write of a batch; started again, the tables are as if nothing had happened."""

import os
from pathlib import Path
from random import Random

import pytest
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.lake import Lake
from headrace.tables import CHANGES_LOG, FORMAT, FORMAT_PROPERTY
from headrace.testing import delete, envelopes, truncate, upsert
from properties.histories import FULL, TRACKED
from properties.test_order import assert_every_touched_key_is_announced
from properties.worlds import World, config_for, make_world, mistakes

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
BATCHES, HISTORIES = (60, 120) if SOAK else (5, 40)
SHAPES = (FULL, TRACKED)


class Driver:
    """One process after another over the same lake; each lives until its plan kills it."""

    def __init__(self, spark: SparkSession, config: Config) -> None:
        self.spark, self.config = spark, config
        self.offset = 0

    def batch(self, changes: list[Change], name: str, plan: Plan) -> bool:
        """A new process applies one batch; False when it died."""
        try:
            lake = CrashingLake(self.spark, self.config.lake, plan)
            frame = envelopes(self.spark, changes, self.config, first_offset=self.offset)
            Applier(self.spark, self.config, lake).apply(frame, name)
        except Crash:
            return False
        self.offset += len(changes)
        return True


def test_a_crash_at_any_write_changes_nothing_in_the_end(spark: SparkSession, tmp_path: Path) -> None:
    """Each batch dies at another write, before or after its commit.

    Then it comes again as it was, or, every other time, together with the events of the next batch.
    """
    random = Random(11)
    world = make_world(random, HISTORIES, BATCHES, SHAPES)
    config = config_for(SHAPES, str(tmp_path / "lake"))
    driver = Driver(spark, config)
    deaths: list[str] = []
    waiting: list[Change] = []
    at = 0
    for number, batch in enumerate(world.batches):
        waiting = waiting + batch
        plan = Plan(at, after_commit=random.random() < 0.5)
        if driver.batch(waiting, f"feed/{number}", plan):
            at, waiting = 0, []
            continue
        deaths.append(plan.writes[at])
        at += 3 + number % 3
        if number % 2 == 0 or number == BATCHES - 1:
            assert driver.batch(waiting, f"feed/{number}", Plan())
            waiting = []

    assert len(deaths) >= BATCHES // 2, deaths
    assert mistakes(spark, world, config) == []
    assert_every_touched_key_is_announced(spark, world, config)


@pytest.mark.parametrize(
    ("end", "dies_after"),
    [
        pytest.param("delete", "append tombstones/", marks=pytest.mark.deep),
        pytest.param("delete", "execute tables/", marks=pytest.mark.soak),
        pytest.param("truncate", "append truncates", marks=pytest.mark.deep),
        pytest.param("truncate", "delete tables/", marks=pytest.mark.soak),
    ],
)
def test_what_a_batch_ended_before_it_died_stays_ended_even_if_the_batch_never_comes_again(
    spark: SparkSession, tmp_path: Path, end: str, dies_after: str
) -> None:
    """A new checkpoint may start behind the batch that died. Then late events come."""
    config = config_for((FULL,), str(tmp_path / "lake"))
    driver = Driver(spark, config)
    keys = [{"id": "x"}, {"id": "y"}]
    living = [upsert("full", key | {"a": 1}, at=10) for key in keys]
    ends = [delete("full", key, at=20) for key in keys] if end == "delete" else [truncate("full", at=20)]
    late = [upsert("full", {"id": "x", "a": 2}, at=15), upsert("full", {"id": "z", "a": 3}, at=30)]

    assert driver.batch(living, "feed/0", Plan())
    assert not driver.batch(ends, "feed/1", Plan(dies_after, after_commit=True))
    assert driver.batch(late, "feed/2", Plan())

    events = [*living, *ends, *late]
    assert mistakes(spark, World((FULL,), {"full": events}, [living, ends, late], frozenset()), config) == []


def test_a_kill_before_a_tables_first_commit_does_not_bar_its_creation(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(spark, str(tmp_path / "lake"))
    log = tmp_path / "lake" / "changes_log" / "_delta_log"
    (log / "_staged_commits").mkdir(parents=True)
    (log / ".00000000000000000000.json.f5d5c5ef.tmp").write_text("{}")
    relative = lake.ensure(CHANGES_LOG)
    assert lake.read(relative).count() == 0
    assert lake.properties(relative)[FORMAT_PROPERTY] == str(FORMAT)
