"""A table fed by an API equals what the API said of each key, and no key is asked for more often than promised.

Random histories: keys come, go and come again, answers change, calls fail in every way, the driver dies between call
and write, processes start anew and everything told is told once more. The expected rows come from a dict.
"""

import json
import os
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import pytest
from pyspark.sql import SparkSession

from api_server import ApiServer, Reply, api_server
from headrace.changes import enrich
from headrace.changes.apply import Applier
from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.lake import Lake, local_rows
from headrace.pipelines.enrich import Enricher, Round
from headrace.tables import ANSWERS

STEPS = 60 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 7
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
CITIES = ["Lisbon", "São Paulo", 'a"b', "x/y?z#", "10", "Ω"]

HOTELS = "hotel_id bigint, city string, floor int, _position string, _changed_at timestamp"


def config_of(folder: Path, server: ApiServer, **more: Any) -> Config:
    api = {"from": "api", "keys_from": "hotels", "url": f"{server.url}/v1/{{city}}/{{floor}}", "fresh_for": "1h"}
    return Config.model_validate(
        {
            "lake": str(folder),
            "sources": {"feed": {"from": "files", "path": "/in", "format": "debezium"}, "weather": api | more},
            "tables": {
                "hotels": {"source": "feed", "key": ["hotel_id"]},
                "weather": {"source": "weather", "key": ["city", "floor"]},
            },
        }
    )


class World:
    """A table of hotels, the job's part that asks, and the part that applies; the clock is moved by hand."""

    def __init__(self, spark: SparkSession, folder: Path, server: ApiServer, **more: Any) -> None:
        self.config = config_of(folder, server, **more)
        self.lake = Lake(spark, self.config.lake)
        self.applier = Applier(spark, self.config)
        self.now, self._told = NOON, 0
        self.lake.create("tables/hotels", HOTELS)
        self.restart()

    def restart(self, lake: Lake | None = None) -> None:
        """A new process asks."""
        source: Any = self.config.sources["weather"]
        self.enricher = Enricher(
            lake or self.lake, "weather", source, "weather", ("city", "floor"), clock=lambda: self.now
        )

    def hotels(self, keys: list[tuple[str | None, int]]) -> None:
        """The table holds exactly these, each twice."""
        rows = [(number, *key, f"n01{number}", None) for number, key in enumerate([*keys, *keys])]
        frame = local_rows(self.lake.spark, rows, HOTELS)
        frame.write.format("delta").mode("overwrite").save(self.lake.path("tables/hotels"))

    def ask(self) -> Round:
        """Rounds until nothing is due that could be asked for."""
        for _ in range(20):
            done = self.enricher.round(threading.Event())
            if not done.more or done.stuck:
                return done
        raise AssertionError("rounds without end")

    def apply(self, *, again: bool = False) -> None:
        """Apply what was told since the last time, or all of it once more."""
        rows = self.lake.read(self.lake.ensure(ANSWERS, table="weather"))
        messages = enrich.messages(rows, "weather")
        if not again:
            messages = messages.where(messages["offset"] > self._told)
        source, routes = self.config.sources["weather"], Routes(self.config.tables_of("weather"))
        envelopes = decoded(messages, "weather", source, routes, self.applier.known())
        self.applier.apply(envelopes, f"weather/{self._told}", replayed=again)
        self._told = max([self._told, *(row["offset"] for row in messages.select("offset").collect())])

    def rows(self) -> dict[tuple[str, int], str]:
        """The table: the body of each key."""
        if not self.lake.exists("tables/weather"):
            return {}
        return {(row["city"], row["floor"]): row["body"] for row in self.lake.read("tables/weather").collect()}


def test_the_table_equals_what_the_api_said_and_calls_are_as_few_as_promised(
    spark: SparkSession, tmp_path: Path
) -> None:
    with api_server() as server:
        _history(World(spark, tmp_path / "lake", server), server, Random(7))


def _history(world: World, server: ApiServer, random: Random) -> None:
    everything = [(city, floor) for city in CITIES for floor in (1, 2)]
    era, moods = [0], {key: "good" for key in everything}
    status = {"good": 200, "unknown": 404, "refused": 400, "broken": 500}

    def answer(path: str) -> Reply:
        _, _, city, floor = path.split("/")
        mood = moods[unquote(city), int(floor)]
        return Reply(status[mood], json.dumps([unquote(city), int(floor), era[0]]).encode())

    server.answer = answer
    heard: dict[tuple[str, int], str] = {}
    asked: set[tuple[str, int]] = set()
    for step in range(STEPS):
        if step % 3 == 1:  # everything that was heard is old, and what failed may be tried again
            world.now, era[0] = world.now + timedelta(hours=2), era[0] + 1
            asked.clear()
        for key in random.sample(everything, 5):
            moods[key] = random.choice(list(status))
        wanted = random.sample(everything, random.randrange(13)) if step != 4 else []
        world.hotels([*wanted, (None, 1)])
        crash = step in (0, 4, 5) and bool(set(wanted) - asked)
        server.calls.clear()
        if crash:
            world.restart(_Dying(world.lake.spark, world.lake.root))
            with pytest.raises(_Dead):
                world.ask()
            world.restart()
        world.ask()
        world.apply()
        if step == 5:
            world.apply(again=True)
        if step == 6:
            enrich.forget(world.lake, "weather", world.now)

        for key in set(wanted) - asked:
            if moods[key] == "good":
                heard[key] = json.dumps([*key, era[0]])
            elif moods[key] == "unknown":
                heard.pop(key, None)
        assert world.rows() == {key: heard[key] for key in wanted if key in heard}, step
        calls = Counter({(unquote(p.split("/")[2]), int(p.split("/")[3])): n for p, n in server.calls.items()})
        assert set(calls) == set(wanted) - asked, step
        assert set(calls.values()) <= {1, 1 + crash}, step
        asked |= set(wanted)
    # What is left of the answers would make the same table anew.
    messages = enrich.messages(world.lake.read(ANSWERS.path.format(table="weather")), "weather").orderBy("offset")
    told = {
        (row["city"], row["floor"]): row.get("body")
        for row in (json.loads(one["message"]) for one in messages.collect())
    }
    assert {key: body for key, body in told.items() if body is not None} == world.rows()


class _Dead(BaseException):
    pass


class _Dying(Lake):
    """Its driver dies before answers are written."""

    def append(self, *_: Any, **__: Any) -> None:
        raise _Dead
