"""`apply_changes` publishes served tables: a small lake fed from files, looked up as an application does."""

import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace import config_file
from headrace.config import Config
from headrace.context.lookup import Answer
from headrace.errors import ConfigError, Fatal, HeadraceError, NotThere
from headrace.lake import Lake
from headrace.pipelines import apply_changes, check_serve
from headrace.pipelines.serve_places import FORGOT_AT
from headrace.pipelines.served_lookups import lookups
from headrace.pipelines.status import status
from headrace.stores.keyed_sqlite import SqliteStore

SETTINGS = """\
lake: ./lake
sources:
  feed: {from: files, path: ./in, format: json, position: [at], changed_at: at, operation: {column: op, delete: [D]}}
tables:
  flights:
    source: feed
    key: [flight_id]
    types: {price: "decimal(10,2)", big: "decimal(38,10)", gate: string}
    serve: {store: live, about: A flight., filters: {number: {}, seats: {type: integer}, gate: {}}}
derive:
  boards:
    key: [flight_id]
    sql: SELECT flight_id, number, seats * 2 AS twice FROM flights
    serve: {store: live, about: A board., filters: [number], columns: [twice]}
serve:
  stores:
    live: {store: sqlite, path: ./live.db}
"""


class World:
    """The folder of a deployment."""

    def __init__(self, folder: Path, settings: str = SETTINGS) -> None:
        self.folder, self._files = folder, 0
        (folder / "in").mkdir()
        self.settings(settings)

    def settings(self, text: str) -> None:
        (self.folder / "headrace.yaml").write_text(text)
        self.config: Config = config_file.load(self.folder / "headrace.yaml")

    def send(self, *rows: dict[str, Any]) -> None:
        self._files += 1
        lines = "\n".join(json.dumps({"at": self._files, **row}) for row in rows)
        (self.folder / "in" / f"{self._files}.json").write_text(lines)

    def run(self) -> None:
        assert apply_changes.run(self.config, once=True, stop=threading.Event()) == 0

    def look(self, table: str, now: datetime | None = None, **filters: Any) -> Answer:
        made = lookups(self.config)
        assert made is not None
        with closing(made):
            return made.lookup(table, filters, now=now or datetime.now(UTC))


def test_rows_are_looked_up_as_they_are_and_grow_stale_once_nobody_publishes(spark: SparkSession, tmp_path: Path):
    world = World(tmp_path)
    row = {"flight_id": 1, "number": "LH 12", "seats": 3, "price": "99.50", "big": "12345678901234567890.0000000001"}
    world.send(row, {"flight_id": 2, "number": "LH 12", "seats": 0, "price": "7.00"})
    before = datetime.now(UTC)
    world.run()

    found = world.look("flights", number="lh  12")
    assert [one.values["seats"] for one in found.rows] == [3, 0]
    assert found.rows[0].values["price"] == 99.5 and found.rows[1].values["price"] == 7
    assert found.rows[0].values["big"] == "12345678901234567890.0000000001"
    assert found.rows[0].values["gate"] is None  # declared, and yet to come
    assert found.position == max(one.position for one in found.rows)
    assert found.as_of is not None and datetime.fromisoformat(found.as_of) >= before
    assert dict(world.look("boards", number="LH 12").rows[0].values) == {"number": "LH 12", "twice": 6}

    world.send({"flight_id": 1, "number": "LH 12", "seats": 2, "price": "98"}, {"flight_id": 2, "op": "D"})
    as_of = datetime.fromisoformat(found.as_of)
    late = world.look("flights", number="LH 12", now=as_of + timedelta(minutes=5, seconds=1))
    assert late.stale and late.rows[0].values["seats"] == 3  # nobody publishes: old, and said to be
    assert not world.look("flights", number="LH 12", now=as_of + timedelta(minutes=5)).stale
    told = status(world.config, now=as_of + timedelta(minutes=6)).served["flights"]
    assert told.stale and told.as_of == as_of and told.behind == 0

    world.run()
    found = world.look("flights", number="LH 12")
    assert [one.values["seats"] for one in found.rows] == [2]
    assert found.as_of is not None and datetime.fromisoformat(found.as_of) > as_of
    assert [one.values["twice"] for one in world.look("boards", number="LH 12").rows] == [4]

    # The store remembers a delete until a later commit of what was told is old as well.
    assert remembered(world) == {"2"}
    lake = Lake(spark, str(tmp_path / "lake"))
    lake.execute(f"ALTER TABLE {lake.sql_name('changed_keys')} SET TBLPROPERTIES ('another' = 'commit')")
    long_ago = datetime.now(UTC) - timedelta(days=40)
    for commit in (tmp_path / "lake/changed_keys/_delta_log").glob("*.json"):
        os.utime(commit, (long_ago.timestamp(), long_ago.timestamp()))
    (tmp_path / "lake" / FORGOT_AT).write_text(long_ago.isoformat())
    world.run()
    assert remembered(world) == set()
    assert len(world.look("flights", number="LH 12").rows) == 1


def remembered(world: World) -> set[str]:
    """Numbers of deleted rows in the store; it calls a row by its table and key."""
    with closing(sqlite3.connect(world.folder / "live.db")) as store:
        keys = [key for (key,) in store.execute("select key from rows where deleted")]
    return {number for key in keys for number in re.findall(r"[0-9]+", key)}


@pytest.mark.deep
def test_a_new_filter_an_emptied_store_and_an_outage_end_in_step(spark: SparkSession, tmp_path: Path):
    world = World(tmp_path)
    world.send({"flight_id": 1, "number": "LH 12", "seats": 3}, {"flight_id": 2, "number": "LH 13", "seats": 3})
    world.run()
    # Filled again with nothing new at the source: another filter takes the first one's place.
    world.settings(SETTINGS.replace("filters: [number]", "filters: [twice]"))
    world.run()
    assert [one.key for one in world.look("boards", twice=6).rows] == ['["1"]', '["2"]']

    (tmp_path / "live.db").unlink()
    world.run()
    found = world.look("flights", seats=3)
    assert len(found.rows) == 2 and found.as_of is not None

    store = tmp_path / "live.db"
    store.rename(tmp_path / "away.db")
    store.mkdir()  # no database can be opened there
    world.send({"flight_id": 1, "number": "LH 12", "seats": 5})
    with pytest.raises(HeadraceError):  # the table has the row
        world.run()
    store.rmdir()
    (tmp_path / "away.db").rename(store)
    world.run()
    assert [one.key for one in world.look("flights", seats=5).rows] == ['["1"]']


def test_a_column_nobody_has_is_told_in_the_first_batch_and_at_every_start(spark: SparkSession, tmp_path: Path):
    world = World(tmp_path, SETTINGS.replace("filters: {number: {},", "filters: {gatte: {},"))
    world.send({"flight_id": 1, "number": "LH 12", "seats": 3})
    for _ in ("first batch", "start"):
        with pytest.raises(ConfigError, match=r"flights\.serve\.filters\.gatte.*found gatte"):
            world.run()
    (columns, trial), (store, there) = check_serve.trials(world.config)
    assert (columns, store) == ("serve: columns", "serve: store live")
    with pytest.raises(ConfigError, match="gatte"):
        trial()
    assert "there, with flights, boards" in there()


def test_a_store_that_another_lake_feeds_is_refused(spark: SparkSession, tmp_path: Path):
    world = World(tmp_path)
    assert world.config.serve is not None
    other = SqliteStore(world.config.serve.stores["live"])
    other.open("another lake")
    other.close()
    with pytest.raises(Fatal, match="another lake"):
        world.run()


@pytest.mark.deep
def test_while_the_job_runs_rows_and_their_age_follow(spark: SparkSession, tmp_path: Path):
    world = World(tmp_path)
    world.send({"flight_id": 1, "number": "LH 12", "seats": 3})
    stop, ended = threading.Event(), threading.Event()

    def job() -> None:
        try:
            apply_changes.run(world.config, once=False, stop=stop)
        finally:
            ended.set()

    def seats() -> tuple[list[int], str | None]:
        try:
            found = world.look("flights", number="LH 12")
        except NotThere:
            return [], None
        return [one.values["seats"] for one in found.rows], found.as_of

    def until(wanted: Callable[[], bool]) -> None:
        while not ended.wait(0.5) and not wanted():
            pass
        assert wanted()

    thread = threading.Thread(target=job)
    thread.start()
    try:
        until(lambda: seats()[0] == [3] and seats()[1] is not None)
        first = seats()[1]
        world.send({"flight_id": 1, "number": "LH 12", "seats": 2})
        until(lambda: seats()[0] == [2])
        until(lambda: (seats()[1] or "") > (first or ""))  # nothing new at the source: it is asked all the same
    finally:
        stop.set()
        thread.join()
