"""Whatever order changes arrive in, however they repeat and wherever the job restarts, the tables are the same."""

import json
import os
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.changes.envelope import Change
from headrace.config import Config
from properties.histories import FULL, PARTIAL, SHAPES, TRACKED
from properties.worlds import World, config_for, make_world, mistakes, run, touched_keys

SOAK = "soak" in (os.environ.get("HYPOTHESIS_PROFILE"), os.environ.get("HEADRACE_WORLD"))
SMALL = os.environ.get("HEADRACE_WORLD") == "small"
"""One table of each kind and few batches: what the mutants are judged by."""

SHAPES_USED = (FULL, PARTIAL, TRACKED) if SMALL else SHAPES
WORLDS, HISTORIES, BATCHES = (25, 400, 8) if SOAK else (1, 25, 3) if SMALL else (1, 60, 3)
"""Histories are counted per table: 6 tables x 60 histories in CI, 25 x 6 x 400 in soak."""


@settings(max_examples=WORLDS, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**63))
def test_tables_and_history_equal_the_oracle_for_any_order_of_arrival(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    world = make_world(Random(seed), HISTORIES, BATCHES, SHAPES_USED)
    config = config_for(SHAPES_USED, str(tmp_path_factory.mktemp("world")))

    run(spark, world, config)

    assert mistakes(spark, world, config) == []
    assert_every_touched_key_is_announced(spark, world, config)
    assert_every_change_is_counted(spark, world, config)


def assert_every_touched_key_is_announced(spark: SparkSession, world: World, config: Config) -> None:
    """Flows learn of a change from `changed_keys` alone: a key missing there is a row never refreshed."""
    announced = spark.read.format("delta").load(f"{config.lake}/changed_keys").select("table", "key").distinct()
    found: dict[str, set[tuple[str, ...]]] = {}
    for row in announced.collect():
        if row["key"] is not None:
            found.setdefault(row["table"], set()).add(tuple(json.loads(row["key"])))
    for shape in world.shapes:
        assert touched_keys(shape, world.events[shape.name]) - found.get(shape.name, set()) == set(), shape.name


def assert_every_change_is_counted(spark: SparkSession, world: World, config: Config) -> None:
    sent = sum(len(batch) for batch in world.batches)
    again = sum(len(world.batches[number - 1]) for number in world.restarts)
    row = (
        spark.read.format("delta")
        .load(f"{config.lake}/batches")
        .agg(*[F.sum(name).alias(name) for name in ("sent", "applied", "stale", "rejected", "ignored")])
        .first()
    )
    assert row is not None
    assert row["sent"] == row["applied"] + row["stale"] + row["rejected"] + row["ignored"]
    assert row["sent"] in (sent, sent + again)
    assert row["rejected"] == row["ignored"] == 0


def test_a_world_holds_every_kind_of_event_and_disorder() -> None:
    """Guards the generator: an order test whose changes arrive in order proves nothing."""
    world = make_world(Random(7), 60, 3)
    arrived = [change for batch in world.batches for change in batch]
    ops = {change.op for change in arrived}
    positions = [change.position for change in arrived if change.table == "full"]
    seen = len(arrived)
    distinct = sum(len({(c.op, c.position, str(c.after)) for c in own}) for own in world.events.values())

    assert ops == {"upsert", "delete", "truncate"}
    assert any(change.sent is not None for change in arrived) and any(change.moved_from for change in arrived)
    assert 1.1 < seen / distinct < 1.5
    assert positions != sorted(positions)
    assert world.restarts
    places = [
        (c.table, str(c.after.get("id")), c.position.split("-")[1]) for c in set_of(arrived) if c.op != "truncate"
    ]
    assert len(set(places)) < 0.95 * len(places), "ties: several different changes of a key at one source position"


def set_of(changes: list[Change]) -> list[Change]:
    return list({(change.table, change.position, str(change.after)): change for change in changes}.values())
