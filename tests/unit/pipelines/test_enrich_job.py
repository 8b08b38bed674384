"""The job with an API among its sources: answers become rows, derived rows follow, and a dead API holds up nobody."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from api_server import ApiServer, Reply, api_server
from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines import apply_changes, check, enrich, enrichment
from headrace.pipelines.status import status
from headrace.pipelines.trace import trace

SQL = "SELECT h.hotel_id, h.city, w.temperature FROM hotels h LEFT JOIN weather w ON w.city = h.city"
PLACES = {
    "key": ["hotel_id"],
    "sql": SQL,
    "reach": {"weather": "SELECT hotel_id FROM hotels JOIN changed USING (city)"},
}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as found:
        found.answer = weather
        yield found


def weather(path: str) -> Reply:
    city = path.rpartition("=")[2]
    return Reply(404) if city == "Nowhere" else Reply(body=b'{"main": {"temp": %d.5}}' % len(city))


def config_of(folder: Path, server: ApiServer) -> Config:
    temperature = "cast(get_json_object(body, '$.main.temp') AS double)"
    feed = {"from": "files", "path": str(folder / "in"), "format": "json", "position": ["at"]}
    api = {"from": "api", "keys_from": "hotels", "url": f"{server.url}/v1?city={{city}}"}
    return Config.model_validate(
        {
            "lake": str(folder / "lake"),
            "sources": {"weather": api, "feed": feed},
            "tables": {
                "hotels": {"source": "feed", "key": ["hotel_id"]},
                "weather": {
                    "source": "weather",
                    "key": ["city"],
                    "columns": {"temperature": temperature},
                    "drop": ["body"],
                },
            },
            "derive": {"places": PLACES},
            "apply": {"trigger": "0.5s"},
        }
    )


def arrive(folder: Path, at: int, **cities: str) -> None:
    (folder / "in").mkdir(exist_ok=True)
    rows = [json.dumps({"hotel_id": name, "city": city, "at": at}) for name, city in cities.items()]
    unfinished = folder / f"{at}.tmp"
    unfinished.write_text("\n".join(rows))
    unfinished.rename(folder / "in" / f"{at}.jsonl")


def places(spark: SparkSession, config: Config) -> dict[str, Any]:
    lake = Lake(spark, config.lake)
    rows = lake.read("tables/places").collect() if lake.exists("tables/places") else []
    return {row["hotel_id"]: (row["city"], row["temperature"]) for row in rows}


def once(config: Config) -> None:
    apply_changes.run(config, True, threading.Event())


@pytest.mark.deep
def test_once_asks_for_what_is_there_and_later_runs_for_what_is_new(
    spark: SparkSession, tmp_path: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrich, "FORGET_EVERY", timedelta(0))
    config = config_of(tmp_path, server)
    arrive(tmp_path, 1, a="Lisbon", b="Rome", c="Nowhere", d="Lisbon")
    once(config)
    first = {"a": ("Lisbon", 6.5), "b": ("Rome", 4.5), "c": ("Nowhere", None), "d": ("Lisbon", 6.5)}
    assert places(spark, config) == first and server.total == 3
    arrive(tmp_path, 2, b="Paris")
    once(config)
    assert places(spark, config) == first | {"b": ("Paris", 5.5)} and server.total == 4
    arrive(tmp_path, 3, e="Rome")
    once(config)
    assert places(spark, config) == first | {"b": ("Paris", 5.5), "e": ("Rome", 4.5)}
    assert server.total == 4, "the answer for Rome was kept while no hotel was there"

    found = status(config)
    assert (found.sources["weather"].lag.behind, found.sources["weather"].lag.unit) == (0, "keys")
    assert found.sources["weather"].lag.why.startswith("4 keys, 0 failed, 4 calls on ")
    assert (found.tables["weather"].rows, found.tables["weather"].rejected) == (3, 0)
    assert [event.op for event in trace(config, "weather", "Rome").events] == ["upsert", "delete", "upsert"]
    said = {one.name: one for one in check.check(config)}
    assert said["source weather: api"].ok and "127.0.0.1" in said["source weather: api"].said
    server.stop()
    said = {one.name: one for one in check.check(config)}
    assert not said["source weather: api"].ok


@pytest.mark.deep
def test_tables_flow_while_the_api_is_dead_and_rows_follow_once_it_lives(
    spark: SparkSession, tmp_path: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrichment, "PAUSE_SECONDS", 0.5)
    config = config_of(tmp_path, server)
    arrive(tmp_path, 1, a="Lisbon")
    stop, ended = threading.Event(), []
    job = threading.Thread(target=lambda: ended.append(apply_changes.run(config, False, stop)))
    job.start()
    try:
        _until(lambda: places(spark, config) == {"a": ("Lisbon", 6.5)})
        server.answer = lambda _: Reply(wait=True)
        arrive(tmp_path, 2, b="Rome")
        _until(lambda: places(spark, config).get("b") == ("Rome", None))
        server.answer = lambda _: Reply(500)
        arrive(tmp_path, 3, c="Oslo")
        _until(lambda: places(spark, config).get("c") == ("Oslo", None))
        server.answer = weather
        arrive(tmp_path, 4, d="Bern")
        _until(lambda: places(spark, config).get("d") == ("Bern", 4.5))
    finally:
        stop.set()
        job.join(120)
    assert ended == [0]


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 240
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)
