"""Full dumps in files: parts, refused rows, replays, new tables, and what the history says of them."""

import json
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from headrace.changes.apply import Applier
from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.tables import MESSAGES

TABLES: dict[str, dict[str, Any]] = {
    "kept": {"history": True, "expect": [{"column": "n", "min": 0}]},
    "parts": {},
}


Interval = tuple[int, int, int, int]


class Dumps:
    """Dumps of several tables, one after another, each given to a new process."""

    def __init__(self, spark: SparkSession, lake: Path) -> None:
        self.spark, self.offset = spark, 0
        source = {"from": "files", "path": "unused", "format": "snapshot", "position": ["at"], "table": "table"}
        tables = {
            name: {"source": "dumps", "key": ["id"], "drop": ["at", "table"], **more} for name, more in TABLES.items()
        }
        self.settings: dict[str, Any] = {"lake": str(lake), "sources": {"dumps": source}, "tables": tables}

    def take(self, *rows: dict[str, Any] | str, plan: Plan | None = None, replay: bool = False) -> bool:
        """Apply what is in one file; False where the process died."""
        config = Config.model_validate(self.settings)
        lake = CrashingLake(self.spark, config.lake, plan or Plan())
        values = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        messages = [
            (None, value.encode(), None, "in/a.jsonl", 0, self.offset + place, None)
            for place, value in enumerate(values)
        ]
        try:
            applier = Applier(self.spark, config, lake)
            frame = self.spark.createDataFrame(messages, MESSAGES)
            routes = Routes(config.tables_of("dumps"))
            envelopes = decoded(frame, "dumps", config.sources["dumps"], routes, applier.known())
            applier.apply(envelopes, f"dumps/{self.offset}", replayed=replay)
        except Crash:
            return False
        self.offset += len(rows)
        return True

    def table(self, name: str, folder: str = "tables") -> list[Any]:
        return self.spark.read.format("delta").load(f"{self.settings['lake']}/{folder}/{name}").collect()

    def values(self, name: str) -> dict[int, int]:
        return {row["id"]: row["n"] for row in self.table(name)}

    def intervals(self) -> set[Interval]:
        def dump(position: str | None) -> int:
            return int(position.split("-")[1].removeprefix("n02").ljust(2, "0")) if position else 0

        return {
            (row["id"], dump(row["_valid_from"]), dump(row["_valid_to"]), row["n"])
            for row in self.table("kept", "history")
        }

    def history(self) -> set[tuple[int, int, bool]]:
        return {(row["id"], row["n"], row["_current"]) for row in self.table("kept", "history")}


def row(table: str, at: int, id: int, n: int) -> dict[str, Any]:
    return {"table": table, "at": at, "id": id, "n": n}


@pytest.fixture
def dumps(spark: SparkSession, tmp_path: Path) -> Dumps:
    return Dumps(spark, tmp_path)


def test_dumps_in_parts_end_right_their_history_too_and_what_is_replayed_deletes_nothing(dumps: Dumps) -> None:
    for at in (10, 30):
        for part in (0, 1):
            rows = [row("parts", at, 2 * part + 1, 1), row("parts", at, 2 * part + 2, 1)]
            kept = [row("kept", at, 1, at), row("kept", at, 3, -1 if at == 30 else 1)] if part == 0 else []
            kept += [row("kept", at, 2, 5)] if at == 10 and part == 0 else []
            dumps.take(*rows, *kept)
    assert dumps.values("parts") == {1: 1, 2: 1, 3: 1, 4: 1}
    assert dumps.values("kept") == {1: 30, 3: 1}, "2 is gone; 3 was refused and its older row stays"
    assert dumps.history() == {(1, 10, False), (1, 30, True), (2, 5, False), (3, 1, True)}
    del dumps.settings["tables"]["kept"]["expect"]
    dumps.take(row("kept", 30, 3, -1), replay=True)
    assert dumps.values("kept") == {1: 30, 3: -1}
    assert dumps.history() == {(1, 10, False), (1, 30, True), (2, 5, False), (3, 1, False), (3, -1, True)}


def test_a_dump_with_a_line_that_cannot_be_read_deletes_nothing(dumps: Dumps, caplog: pytest.LogCaptureFixture) -> None:
    dumps.take(row("parts", 10, 1, 1), row("parts", 10, 2, 1))
    dumps.take(row("parts", 30, 1, 2), '{"table": "parts", "at": 30, "id": 2')
    assert dumps.values("parts") == {1: 2, 2: 1}
    dumps.take(row("parts", 30, 3, 1))
    assert dumps.values("parts") == {1: 2, 2: 1, 3: 1}, "its next file finds the rows of the one before"
    assert "parts: this full dump deletes no row" in caplog.text
    dumps.take(row("parts", 40, 1, 2))
    assert dumps.values("parts") == {1: 2}


def test_of_several_dumps_at_once_the_newest_counts(dumps: Dumps) -> None:
    dumps.take(row("parts", 10, 1, 1), row("parts", 10, 2, 1), row("parts", 30, 1, 1), replay=True)
    assert dumps.values("parts") == {1: 1}


@pytest.mark.parametrize("dies_after", ["execute tables/", pytest.param("append versions/", marks=pytest.mark.soak)])
def test_the_history_follows_a_dump_whose_process_died(dumps: Dumps, dies_after: str) -> None:
    dumps.take(row("kept", 10, 1, 1), row("kept", 10, 2, 1))
    news = [row("kept", 30, 1, 2), row("kept", 30, 3, 3)]
    assert not dumps.take(*news, plan=Plan(dies_after, after_commit=True))
    assert dumps.take(*news)
    assert dumps.values("kept") == {1: 2, 3: 3}
    assert dumps.history() == {(1, 1, False), (1, 2, True), (2, 1, False), (3, 3, True)}


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.deep), pytest.param(2, marks=pytest.mark.soak)])
def test_dumps_that_come_in_any_order_leave_the_newest_and_the_history_of_them_all(dumps: Dumps, seed: int) -> None:
    random = Random(seed)
    told = {
        at: {id: random.choice("aab") for id in range(1, 61) if random.random() < 0.7} for at in (10, 20, 30, 40, 50)
    }
    arrivals = random.sample(list(told), len(told))
    arrivals.insert(random.randint(1, 4), arrivals[0])
    for at in arrivals:
        rows = [row("kept", at, id, ord(value)) for id, value in told[at].items()]
        if at == arrivals[2]:
            assert not dumps.take(*rows, plan=Plan("append versions/", after_commit=True))
        dumps.take(*rows)
    assert dumps.values("kept") == {id: ord(value) for id, value in told[50].items()}
    assert sorted(dumps.intervals()) == sorted(oracle(told))


def oracle(told: dict[int, dict[int, str]]) -> list[Interval]:
    """The intervals of every id: dump it begins with, dump that ends it or 0, value."""
    found: list[Interval] = []
    for id in range(1, 61):
        runs = [(value, next(run)) for value, run in groupby(sorted(told), key=lambda at: told[at].get(id))]
        ends = [start for _, start in runs[1:]] + [0]
        found += [(id, start, end, ord(value)) for (value, start), end in zip(runs, ends, strict=True) if value]
    return found


def test_a_dump_that_comes_after_one_with_a_line_that_cannot_be_read_is_an_older_one_all_the_same(dumps: Dumps) -> None:
    dumps.take(row("kept", 10, 1, 1), row("kept", 10, 2, 1), row("kept", 10, 3, 1))
    dumps.take(row("kept", 30, 1, 1), row("kept", 30, 2, 1), row("kept", 30, 3, 1), '{"table": "kept", "at')
    dumps.take(row("kept", 20, 1, 2), row("kept", 20, 2, 2), row("kept", 20, 4, 2))
    assert dumps.values("kept") == {1: 1, 2: 1, 3: 1}
    assert dumps.intervals() == {
        (1, 10, 20, 1), (2, 10, 20, 1), (3, 10, 20, 1), (1, 20, 30, 2), (2, 20, 30, 2), (4, 20, 30, 2),
        (1, 30, 0, 1), (2, 30, 0, 1), (3, 30, 0, 1),
    }  # fmt: skip


@pytest.mark.deep
def test_a_row_of_an_older_dump_that_is_mended_belongs_to_that_dump_alone(dumps: Dumps) -> None:
    for at, n in ((10, 1), (20, -1), (30, 1)):
        dumps.take(row("kept", at, 1, n), row("kept", at, 2, 1))
    del dumps.settings["tables"]["kept"]["expect"]
    dumps.take(row("kept", 20, 1, -1), replay=True)
    assert dumps.values("kept") == {1: 1, 2: 1}
    assert dumps.intervals() == {(1, 10, 20, 1), (1, 20, 30, -1), (1, 30, 0, 1), (2, 10, 0, 1)}
