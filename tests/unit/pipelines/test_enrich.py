"""Asking an API within its pace, its budget and a dead service's patience, and how it is told."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from api_server import ApiServer, Reply, api_server
from headrace.lake import Lake
from headrace.pipelines import asked
from headrace.pipelines.lag import lag
from headrace.stores.files import LakeFiles
from properties.test_enrich import World


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as found:
        yield found


def keys(count: int) -> list[tuple[str | None, int]]:
    return [(f"c{number:02}", 1) for number in range(count)]


class Dead(BaseException):
    pass


class Dying(Lake):
    """Its driver dies before answers are written."""

    def append(self, *_: Any, **__: Any) -> None:
        raise Dead


def test_a_days_budget_holds_over_restarts_and_crashes_and_the_next_day_goes_on(
    spark: SparkSession, tmp_path: Path, server: ApiServer
) -> None:
    world = World(spark, tmp_path / "lake", server, calls_per_day=5)
    world.hotels(keys(4))
    world.restart(Dying(spark, world.lake.root))
    with pytest.raises(Dead):
        world.ask()
    assert server.total == 4
    world.restart()
    world.ask()
    assert server.total <= 5, "what the dead driver had asked counts"
    world.restart()
    done = world.ask()
    said = lag(world.config, "weather")
    assert server.total <= 5 and done.stuck
    assert said.behind and "the budget of 2026-11-26, 5 calls, is used up" in said.why

    world.now += timedelta(days=1)
    world.restart()
    world.ask()
    world.apply()
    assert set(world.rows()) == set(keys(4)), "nothing is lost"
    assert lag(world.config, "weather").behind == 0 and "used up" not in lag(world.config, "weather").why


def test_a_throttled_call_is_made_again_and_is_no_failure(
    spark: SparkSession, tmp_path: Path, server: ApiServer
) -> None:
    world = World(spark, tmp_path / "lake", server)
    world.hotels(keys(6))
    refused = iter(range(4))
    server.answer = lambda path: (
        Reply(429, headers={"Retry-After": "0"}) if next(refused, None) is not None else Reply()
    )
    world.ask()
    world.apply()
    assert set(world.rows()) == set(keys(6))
    how = asked.read(LakeFiles(world.lake.root), "weather")
    assert (how.failed, how.waiting, how.calls) == (0, 0, server.total) and server.total == 10


@pytest.mark.parametrize("status", [pytest.param(401, marks=pytest.mark.deep), 500])
def test_a_dead_service_is_asked_little_and_keeps_its_rows(
    spark: SparkSession, tmp_path: Path, server: ApiServer, status: int
) -> None:
    world = World(spark, tmp_path / "lake", server, headers={"X-Key": "not-shown"})
    world.hotels(keys(3))
    world.ask()
    world.apply()
    before = world.rows()
    world.now += timedelta(hours=2)
    world.hotels(keys(200))
    server.calls.clear()
    server.answer = lambda _: Reply(status)
    done = world.ask()
    world.apply()
    assert done.stuck and done.more and server.total <= 16 + 4
    assert world.rows() == before and len(before) == 3
    said = lag(world.config, "weather")
    assert said.behind and said.behind >= 180 and str(status) in said.why and "127.0.0.1" in said.why
    assert "not-shown" not in said.why and "c01" not in said.why


def test_a_failure_is_tried_again_later_each_time_and_a_refusal_after_fresh_for(
    spark: SparkSession, tmp_path: Path, server: ApiServer
) -> None:
    world = World(spark, tmp_path / "lake", server, retry_after="1m", fresh_for="1 day")
    world.hotels([*keys(2), ("good", 1)])
    status = {"c00": 500, "c01": 400, "good": 200}
    server.answer = lambda path: Reply(status[path.split("/")[2]], json.dumps(path).encode())
    calls = []
    for minutes in (0, 0.5, 0.6, 1.5, 0.6, 24 * 60):
        world.now += timedelta(minutes=minutes)
        server.calls.clear()
        world.ask()
        calls.append("".join(sorted(path[-3] for path in server.calls)))
    # c00 is due after 1, 2, 4 ... minutes; c01 and good after a day.
    assert calls == ["01d", "", "0", "", "0", "01d"]


def test_another_url_asks_anew_and_a_stop_asks_no_more(spark: SparkSession, tmp_path: Path, server: ApiServer) -> None:
    world = World(spark, tmp_path / "lake", server)
    world.hotels(keys(2))
    world.ask()
    other = World(spark, tmp_path / "lake", server, url=f"{server.url}/v2/{{floor}}/{{city}}")
    stop = threading.Event()
    stop.set()
    assert other.enricher.round(stop).asked == 0
    other.ask()
    other.apply()
    assert set(other.rows().values()) == {json.dumps({"path": f"/v2/1/{city}"}) for city, _ in keys(2)}
