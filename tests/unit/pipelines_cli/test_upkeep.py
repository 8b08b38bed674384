"""Upkeep of a lake's tables between batches, with the clock moved by hand."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from documents_world import KNOWLEDGE, World, gone, publisher, put
from headrace.config import Config
from headrace.config_indexes import SqliteIndex
from headrace.lake import Lake
from headrace.pipelines.kept_tables import upkeep_of_changes, upkeep_of_knowledge
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.tables import BATCHES, CHANGES_LOG, TOMBSTONES

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER, NEXT_DAY = NOW + timedelta(minutes=6), NOW + timedelta(days=1, minutes=10)
MAINTENANCE = {"compact_at_files": 4, "vacuum_keep": "1 hour", "purge_tombstones_after": "20 days"}


@pytest.fixture
def config(lake):
    return Config.model_validate(
        {
            "lake": str(lake),
            "rejects": {"keep": "20 days"},
            "sources": {"feed": {"from": "files", "path": "in", "format": "json", "position": ["at"]}},
            "tables": {"users": {"source": "feed", "key": ["id"], "maintenance": MAINTENANCE}},
        }
    )


def numbers(lake, relative, count):
    for number in range(count):
        lake.append(lake.spark.range(number, number + 1).coalesce(1), relative)


def files(lake, relative):
    return lake.table(relative).detail().select("numFiles").first()[0]


def looked_after(lake, config, *moments):
    """A new job each time, as a schedule starts them."""
    for moment in moments:
        upkeep_of_changes(lake, config).run(moment)


def test_small_files_are_joined_once_enough_have_come_and_old_ones_leave_the_disk(spark, config):
    lake = Lake(spark, config.lake)
    lake.ensure(BATCHES)
    lake.create("tables/users", "id bigint")
    numbers(lake, "tables/users", 3)
    looked_after(lake, config, NOW, LATER)
    assert files(lake, "tables/users") == 3, "three are not enough"
    numbers(lake, "tables/users", 2)
    looked_after(lake, config, LATER + timedelta(minutes=1))
    assert files(lake, "tables/users") == 5, "five minutes have not gone by"
    looked_after(lake, config, LATER + timedelta(minutes=6))
    assert files(lake, "tables/users") == 1
    numbers(lake, "tables/users", 3)
    looked_after(lake, config, LATER + timedelta(minutes=12))
    assert files(lake, "tables/users") == 4, "only files that came since are counted"
    looked_after(lake, config, NEXT_DAY)
    assert lake.properties("tables/users")["headrace.vacuumed_at"] == NEXT_DAY.isoformat()
    assert lake.properties("tables/users")["delta.deletedFileRetentionDuration"] == "interval 3600 seconds"
    assert sorted(row[0] for row in lake.read("tables/users").collect()) == [0, 0, 0, 1, 1, 1, 2, 2]


def test_the_log_and_tombstones_are_kept_as_long_as_the_settings_say(spark, config):
    lake = Lake(spark, config.lake)
    lake.ensure(BATCHES)
    stones, log = lake.ensure(TOMBSTONES, table="users"), lake.ensure(CHANGES_LOG)
    old, young = NEXT_DAY - timedelta(days=21), NEXT_DAY - timedelta(days=19)
    lake.append(spark.createDataFrame([("[1]", "a", old), ("[2]", "b", young)], TOMBSTONES.schema), stones)
    days = [(NEXT_DAY - timedelta(days=ago)).date() for ago in (15, 14, 13)]
    lake.append(spark.createDataFrame([("feed", day) for day in days], "source string, day date"), log)
    looked_after(lake, config, NOW, LATER)
    assert lake.read(stones).count() == 2, "a purge is due a day after the table was first looked at"
    looked_after(lake, config, NEXT_DAY)
    assert [row["key"] for row in lake.read(stones).collect()] == ["[2]"]
    assert sorted(row["day"] for row in lake.read(log).collect()) == days[1:]


def test_nothing_is_done_before_there_is_a_table(spark, config):
    lake = Lake(spark, config.lake)
    looked_after(lake, config, NOW, NEXT_DAY)
    assert not lake.exists(BATCHES.path)


def test_a_table_that_cannot_be_looked_after_does_not_stop_the_others(spark, config, caplog, monkeypatch):
    lake = Lake(spark, config.lake)
    lake.ensure(BATCHES)
    lake.ensure(CHANGES_LOG)
    lake.create("tables/users", "id bigint")
    numbers(lake, "tables/users", 4)
    looked_after(lake, config, NOW)
    broken = lake.table

    def table(relative):
        if relative == CHANGES_LOG.path:
            raise OSError("disk full\nand more")
        return broken(relative)

    monkeypatch.setattr(lake, "table", table)
    with caplog.at_level(logging.WARNING, logger="headrace"):
        looked_after(lake, config, LATER)
    assert "upkeep of changes_log failed, will be tried again: disk full" in caplog.text
    assert files(lake, "tables/users") == 1


def test_a_stream_is_held_up_for_one_table_at_a_time(spark, config):
    lake = Lake(spark, config.lake)
    lake.ensure(BATCHES)
    lake.ensure(CHANGES_LOG)
    lake.create("tables/users", "id bigint")
    numbers(lake, "tables/users", 4)
    looked_after(lake, config, NOW)
    upkeep = upkeep_of_changes(lake, config)
    upkeep.run(LATER, tables=1)
    upkeep.run(LATER, tables=1)
    assert files(lake, "tables/users") == 4, "the log and the batches come first"
    upkeep.run(LATER, tables=1)
    assert files(lake, "tables/users") == 1
    assert lake.properties(BATCHES.path)["headrace.looked_after_at"] == NOW.isoformat(), "tables are left"
    upkeep.run(LATER, tables=1)
    assert lake.properties(BATCHES.path)["headrace.looked_after_at"] == LATER.isoformat()


@pytest.mark.deep
def test_the_outbox_forgets_what_was_told_long_ago_and_an_index_begun_later_is_filled_from_the_table(spark, tmp_path):
    world = World(spark, tmp_path)
    world.take(put("a.md", 1), put("b.md", 1))
    world.settle()
    world.take(gone("a.md", 2))
    world.settle()
    world.take(put("c.md", 3, "# C\n\nOf c.\n"))
    world.settle()
    now, config = datetime.now(UTC), Config.model_validate({"lake": world.lake.root, "knowledge": KNOWLEDGE})
    for days in (30, 31.1, 32.2):
        upkeep_of_knowledge(world.lake, config, timedelta(days=7)).run(now + timedelta(days=days))
    assert world.told() == 1, "the newest batch stays"
    world.start()
    assert world.told() == 1, "a start tells nothing again"
    deleted = world.lake.read("passages").where("deleted").count()
    assert deleted == 0, "nobody can ask for them any more"
    store = SqliteVectorIndex(SqliteIndex(path=str(tmp_path / "late.db")), "g1")
    late = publisher(world, store, keep=timedelta(0))
    while not late.run().applied or late.behind:
        pass
    assert {held.key for held in store.held() if not held.deleted} == world.chunks()
