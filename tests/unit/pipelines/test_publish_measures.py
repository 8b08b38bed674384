"""A real Delta table of measures, changed as batches change it, and the stores that follow it. No Spark."""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from headrace.config_publish import SqliteMeasures
from headrace.conversations.published import DAYS, document, documents_sql, whole_day
from headrace.errors import Unreachable
from headrace.pipelines import publish_progress
from headrace.pipelines.alerting import rows_of_lake
from headrace.pipelines.publish_measures import AGAIN_AFTER, MeasurePublisher, NotPublished
from headrace.ports_measures import MeasureStore, Span
from headrace.stores.delta_commits import commits_of
from headrace.stores.files import LakeFiles
from headrace.stores.measures_sqlite import SqliteMeasureStore
from unit.conversations.measure_tables import SCHEMA, a_row, write
from unit.stores.fake_measures_index import FakeServer, store_of

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
ALWAYS = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
SAME = "t.measure = s.measure AND t.minute = s.minute AND t.slice = s.slice"


def row(minutes: int, numerator: float, counted: int = 0, model: str = "m", measure: str = "errors") -> dict[str, Any]:
    found = a_row(measure, NOW + timedelta(minutes=minutes), numerator, 9, model=model)
    return found | {"counted_at": NOW + timedelta(minutes=counted)}


class World:
    """A lake, a store and its publisher; counts what is read and what is put."""

    def __init__(self, root: Path, make: Callable[[], MeasureStore]) -> None:
        self.lake, self.make, self.read = root, make, list[str]()
        self.seconds = 0.0
        self.publisher = self.started()

    def started(self) -> MeasurePublisher:
        self.store = self.make()
        return MeasurePublisher("s", self.store, self.rows, LakeFiles(str(self.lake)), lambda: self.seconds)

    def rows(self, sql: str) -> list[Any]:
        self.read.append(sql)
        return list(rows_of_lake(str(self.lake))(sql))

    @property
    def table(self) -> DeltaTable:
        return DeltaTable(str(self.lake / "measures"))

    def merge(self, *rows: dict[str, Any]) -> None:
        source = pa.Table.from_pylist(list(rows), SCHEMA)
        merge = self.table.merge(source, SAME, source_alias="s", target_alias="t")
        merge.when_matched_update_all().when_not_matched_insert_all().execute()

    def truth(self) -> dict[str, Any]:
        rows = rows_of_lake(str(self.lake))
        days = [one["day"] for one in rows(DAYS)]
        return {one.id: one.body for day in days for one in map(document, rows(documents_sql(whole_day(day), None)))}

    def in_step(self) -> bool:
        return self.store.held(ALWAYS) == set(self.truth()) and self.values() == sorted(
            (one["measure"], one["minute"], one["numerator"]) for one in self.truth().values()
        )

    def values(self) -> list[tuple[Any, ...]]:
        if isinstance(self.store, SqliteMeasureStore):
            return sorted(self.store._opened().execute("select measure, minute, numerator from measures").fetchall())
        documents = [one for one in self.store._server.documents.values() if "minute" in one]
        return sorted((one["measure"], one["minute"], one["numerator"]) for one in documents)


@pytest.fixture(params=["sqlite", "opensearch"])
def world(request: pytest.FixtureRequest, lake: Path, tmp_path: Path) -> World:
    if request.param == "sqlite":
        settings = SqliteMeasures(store="sqlite", path=str(tmp_path / "m.db"))
        return World(lake, lambda: SqliteMeasureStore(settings))
    server = FakeServer()
    return World(lake, lambda: store_of(server))


def test_a_store_follows_what_is_written_changed_and_deleted(world: World) -> None:
    assert world.publisher.publish().written == 0  # there is no table yet
    write(world.lake, [row(0, 1), row(1, 2), row(2, 3), row(-2000, 4)])
    assert world.publisher.publish().written == 4 and world.in_step()
    world.merge(row(1, 8, counted=5), row(3, 7, counted=5))
    done = world.publisher.publish()
    # delta-rs writes a file anew where Spark writes a deletion vector: the two that stayed in it come too.
    assert (done.written, done.removed) == (4, 0) and world.in_step()
    write(world.lake, [row(1, 6, counted=7, model="n")])
    assert world.publisher.publish().written == 1 and world.in_step()
    world.table.delete("numerator = 8.0")
    assert world.publisher.publish().removed == 1 and world.in_step()
    world.table.delete(f"day = '{row(-2000, 4)['day']}'")
    assert world.publisher.publish().removed == 1 and world.in_step()
    assert len(world.truth()) == 4


def test_nothing_is_read_where_nothing_is_new(world: World) -> None:
    write(world.lake, [row(0, 1), row(1, 2)])
    write(world.lake, [row(2, 1)])
    world.publisher.publish()
    world.read.clear()
    assert world.publisher.publish().written == 0
    world.table.optimize.compact()
    assert world.publisher.publish().written == 0
    assert world.read == [] and world.in_step()


def test_what_an_outage_kept_back_comes_with_the_first_batch_after_it(world: World, caplog, monkeypatch) -> None:
    write(world.lake, [row(0, 1), row(1, 2)])
    world.publisher.after_batch(NOW)

    def away(*_: Any) -> None:
        raise OSError("away")

    monkeypatch.setattr(world.store, "put", away)
    world.merge(row(0, 5, counted=1))
    with caplog.at_level(logging.WARNING):
        world.publisher.after_batch(NOW)
        assert "away" in caplog.text
        caplog.clear()
        world.table.delete("numerator = 2.0")
        world.publisher.after_batch(NOW)  # nobody is asked again so soon
        assert caplog.text == ""
    monkeypatch.undo()
    world.seconds += AGAIN_AFTER
    world.publisher.after_batch(NOW)
    assert world.in_step() and [value for *_, value in world.values()] == [5.0]


def test_a_crash_before_progress_was_kept_is_repeated_by_the_next_start(world: World, monkeypatch) -> None:
    write(world.lake, [row(0, 1), row(1, 2)])
    world.publisher.publish()
    world.merge(row(0, 5, counted=1), row(2, 6, counted=1))
    world.table.delete("numerator = 2.0")

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.store, "keep", crash)
    with pytest.raises(KeyboardInterrupt):
        world.publisher.publish()
    world.publisher.close()
    world.publisher = world.started()
    done = world.publisher.publish()
    assert done.written >= 2 and world.in_step()


def test_a_file_is_not_locked_while_it_waits_to_be_asked_again(lake: Path, tmp_path: Path, monkeypatch) -> None:
    settings = SqliteMeasures(store="sqlite", path=str(tmp_path / "m.db"))
    world = World(lake, lambda: SqliteMeasureStore(settings))
    write(lake, [row(0, 1)])

    def full(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(world.store, "keep", full)
    world.publisher.after_batch(NOW)
    with closing(sqlite3.connect(settings.path, timeout=0)) as another:
        another.execute("begin immediate")
        assert another.execute("select count(*) from measures").fetchone() == (0,)


@pytest.mark.parametrize("how", ["another table", "commits that are gone", "an older state"])
def test_where_the_log_does_not_tell_all_is_published_again(world: World, how: str, tmp_path: Path) -> None:
    write(world.lake, [row(0, 1), row(-3000, 2)])
    shutil.copytree(world.lake / "measures", tmp_path / "before")
    write(world.lake, [row(1, 3)])
    world.publisher.publish()
    if how == "another table":
        shutil.rmtree(world.lake / "measures")
        for minute in range(4):
            write(world.lake, [row(minute, 7)])
    elif how == "an older state":
        shutil.rmtree(world.lake / "measures")
        shutil.copytree(tmp_path / "before", world.lake / "measures")
    else:
        write(world.lake, [row(2, 9)])
        world.table.delete("numerator = 2.0")
        world.table.create_checkpoint()
        for version in (0, 1, 2):
            (world.lake / f"measures/_delta_log/{version:020}.json").unlink()
    world.publisher.close()
    world.publisher = world.started()
    world.publisher.publish()
    assert world.in_step()


def test_commits_and_the_id_are_found_behind_a_checkpoint(lake: Path) -> None:
    for minute in range(3):
        write(lake, [row(minute, 1)])
    table, files = DeltaTable(str(lake / "measures")), LakeFiles(str(lake))
    assert commits_of(files, "measures").table_id() == table.metadata().id
    table.create_checkpoint()
    (lake / "measures/_delta_log" / f"{0:020}.json").unlink()
    found = commits_of(files, "measures")
    assert (found.newest, found.table_id()) == (2, table.metadata().id)
    assert (found.has_all_after(0), found.has_all_after(-1), found.has_all_after(3)) == (True, False, False)
    assert len(list(found.after(1))) == 1
    assert commits_of(files, "nothing").newest == -1


def behind(world: World) -> dict[str, publish_progress.Behind]:
    return publish_progress.behind(LakeFiles(str(world.lake)), ["s"])


def test_a_store_that_is_behind_is_told_until_it_has_all(world: World, monkeypatch, caplog) -> None:
    assert behind(world) == {}
    began = datetime.now(UTC).replace(microsecond=0)
    write(world.lake, [row(0, 1), row(1, 2)])
    assert behind(world)["s"].since >= began and behind(world)["s"].why == ""
    world.publisher.after_batch(NOW)
    assert behind(world) == {}
    world.table.optimize.compact()
    assert behind(world) == {}  # no row is another

    def away(*_: Any) -> None:
        raise Unreachable(expected="an answer", found="none", todo="Wait.")

    monkeypatch.setattr(world.store, "put", away)
    world.table.delete("numerator = 2.0")
    told = behind(world)["s"]
    write(world.lake, [row(2, 3)])
    world.publisher.after_batch(NOW)
    assert behind(world)["s"] == publish_progress.Behind(told.since, "expected an answer; found none. Wait.")
    monkeypatch.undo()
    world.seconds += AGAIN_AFTER
    world.publisher.after_batch(NOW)
    assert behind(world) == {} and world.in_step()
    world.table.delete("numerator = 3.0")  # all that a file holds: nothing is new, and something has gone
    assert "s" in behind(world)
    world.publisher.close()
    world.publisher = world.started()
    world.publisher.publish()
    assert behind(world) == {}


def test_what_no_later_try_mends_is_raised_and_told(world: World, monkeypatch) -> None:
    write(world.lake, [row(0, 1)])

    def wrong(_: str) -> Any:
        raise ValueError("no such day")

    monkeypatch.setattr(world.publisher, "_rows", wrong)
    with pytest.raises(NotPublished, match=r"feedback\.publish\.s: .*no such day"):
        world.publisher.after_batch(NOW)
    assert behind(world)["s"].why == "ValueError: no such day"
