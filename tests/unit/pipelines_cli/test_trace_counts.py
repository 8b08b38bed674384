"""The verdicts of `trace` over all keys are the counts of the batches, as `status` adds them up."""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.changes.apply import Applier
from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines.events import Event
from headrace.pipelines.status import status
from headrace.pipelines.tables_view import LakeView
from headrace.pipelines.trace import Story, trace
from headrace.stores.delta_reader import ROWS
from headrace.tables import BATCHES, MESSAGES

pytestmark = pytest.mark.deep

TOASTED = "__debezium_unavailable_value"
OUTCOMES = ("applied", "stale", "rejected")
KEYS = range(1, 33)
EXPECT = [{"column": "price", "min": 0}]
TABLES: dict[str, dict[str, Any]] = {"plain": {"expect": EXPECT}, "kept": {"where": "price < 80"}, "parts": {}}


def config_of(folder: Path) -> Config:
    shop = {"from": "files", "path": str(folder / "in"), "format": "debezium"}
    dumps = {"from": "files", "path": str(folder / "dumps"), "format": "snapshot", "position": ["at"]}
    tables = {name: {"source": "shop", "key": ["id"], **more} for name, more in TABLES.items()}
    tables["hotels"] = {"source": "dumps", "key": ["id"], "drop": ["at"]}
    sources = {"shop": shop, "dumps": dumps}
    return Config.model_validate({"lake": str(folder / "lake"), "sources": sources, "tables": tables})


def event(table: str, op: str, lsn: int, key: int = 0, **values: object) -> dict[str, Any]:
    row = {"id": key, **values}
    source = {"connector": "postgresql", "schema": "public", "table": table, "lsn": lsn, "ts_ms": lsn}
    before, after = (None, row) if op == "u" else ({"id": key}, None) if op == "d" else (None, None)
    return {"before": before, "after": after, "source": source, "op": op}


class World:
    """Batches of events, applied one after the other."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.config, self.spark, self.offset, self.number = config_of(folder), spark, 0, 0
        self.applier = Applier(spark, self.config, Lake(spark, self.config.lake))

    def take(self, events: list[dict[str, Any]], name: str = "shop") -> None:
        arrived = datetime.now(UTC)
        rows = [
            (None, json.dumps(one).encode(), None, "in/a.jsonl", 0, self.offset + place, arrived)
            for place, one in enumerate(events)
        ]
        self.offset += len(events)
        source, routes = self.config.sources[name], Routes(self.config.tables_of(name))
        messages = self.spark.createDataFrame(rows, MESSAGES)
        self.applier.apply(decoded(messages, name, source, routes, self.applier.known()), f"{name}/{self.number}")
        self.number += 1


def random_batches(table: str, seed: int) -> list[list[dict[str, Any]]]:
    """Late, doubled, stale and refused events; deletes of unknown keys; truncates. Each place is one change."""
    rng = random.Random(seed)
    changes = []
    for lsn in range(10, 160):
        op = rng.choices("udt", (78, 20, 2))[0]
        price = -1 if rng.random() < 0.08 else rng.randrange(100)
        note = TOASTED if table == "parts" and rng.random() < 0.5 else f"note {lsn}"
        values = {"price": price, "note": note} if op == "u" else {}
        changes.append(event(table, op, lsn, rng.choice(KEYS), **values))
    late = sorted(changes, key=lambda one: one["source"]["lsn"] + rng.choice((0, 0, 0, 50, 100)))
    sizes = [0, 40, 90, len(late)]
    batches = [late[start:end] for start, end in pairwise(sizes)]
    for batch in batches:
        batch += rng.choices(late[: late.index(batch[-1])], k=8)
        rng.shuffle(batch)
    return batches


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(spark, tmp_path_factory.mktemp("world"))
    parts = [random_batches(table, seed) for seed, table in enumerate(TABLES, 1)]
    for together in zip(*parts, strict=True):
        world.take([one for part in together for one in part])
    return world


@cache
def stories(world: World, table: str) -> list[Story]:
    view = LakeView(world.config)
    return [trace(world.config, table, str(key), view) for key in KEYS]


def told(world: World, table: str) -> dict[str, Counter[str]]:
    """Outcomes by batch, of all keys; a truncate counts once, as applied where it removed the row of any key."""
    events: list[Event] = []
    truncates: dict[tuple[Any, ...], Event] = {}
    for story in stories(world, table):
        for one in story.events:
            if one.op != "truncate":
                events.append(one)
            elif one.place not in truncates or one.outcome == "applied":
                truncates[one.place] = one
    found: dict[str, Counter[str]] = {}
    for one in [*events, *truncates.values()]:
        found.setdefault(one.batch, Counter())["rejected" if one.outcome == "refused" else one.outcome] += 1
    return found


@pytest.mark.parametrize("table", TABLES)
def test_trace_says_of_each_batch_what_the_batch_counted(world: World, table: str) -> None:
    view = LakeView(world.config)
    rows = view.query(BATCHES.path, f"SELECT * FROM {ROWS} WHERE `table` = '{table}'")
    counted = {f"shop/{row['batch']}": {name: row[name] for name in OUTCOMES} for row in rows}
    assert len(counted) == 3
    found = told(world, table)
    assert {batch: {name: found[batch][name] for name in OUTCOMES} for batch in counted} == counted


@pytest.mark.parametrize("table", TABLES)
def test_the_totals_are_those_of_status_and_of_every_kind_there_are_some(world: World, table: str) -> None:
    total = sum(told(world, table).values(), Counter())
    found = status(world.config).tables[table]
    assert {name: total[name] for name in OUTCOMES} == {name: getattr(found, name) for name in OUTCOMES}
    assert min(found.applied, found.stale) > 5
    assert (found.rejected > 0) == ("expect" in TABLES[table])


def test_the_world_holds_what_is_easily_told_wrong(world: World) -> None:
    whys = {one.why for table in TABLES for story in stories(world, table) for one in story.events}
    for part in (
        "no row lived under this key; kept as a floor",
        "the row no longer fits `where`: deleted",
        "but columns no newer event sent are taken from it",
        "values older than the truncate were taken out of the row",
        "a repeat of event",
    ):
        assert any(part in why for why in whys), part


def test_no_story_ends_with_another_row_than_the_lake_holds(world: World) -> None:
    notes = [note for table in TABLES for story in stories(world, table) for note in story.notes]
    assert [note for note in notes if "do not lead" in note or "not in changes_log" in note] == []


def dump(at: int, *rows: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"id": key, "name": name, "at": at} for key, name in rows]


def test_what_full_dumps_do_to_a_row_is_told_though_they_name_only_what_is_there(world: World) -> None:
    world.take(dump(1, (1, "Sea"), (2, "Old"), (3, "Inn")), "dumps")
    world.take(dump(3, (1, "Sea"), (3, "Inn by the sea")), "dumps")
    world.take(dump(2, (1, "Lake"), (2, "Late")), "dumps")
    told = [trace(world.config, "hotels", str(key), LakeView(world.config)) for key in (1, 2, 3)]
    assert [[(one.outcome, one.why) for one in story.events] for story in told] == [
        [
            ("applied", "this is the row now"),
            ("stale", "the dump shows the row as it stands"),
            ("stale", "below a full dump that changes_log does not hold"),
        ],
        [("applied", "it was the newest"), ("stale", "below a delete that changes_log does not hold")],
        [("applied", "it was the newest"), ("applied", "this is the row now")],
    ]
    assert [story.notes for story in told] == [[], [], []]
