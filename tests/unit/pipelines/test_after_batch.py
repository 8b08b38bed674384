"""What follows each batch of `track_feedback`, through parts that are handed in: no Spark is started."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.config import Config
from headrace.config_metrics import Metrics
from headrace.config_sources import FilesSource
from headrace.conversations.alert_known import known
from headrace.conversations.counting import Counted
from headrace.conversations.ordered import Batch
from headrace.conversations.settled import border
from headrace.conversations.track import Tracked
from headrace.errors import ConfigError, HeadraceError, Unreachable
from headrace.pipelines import after_batch, check_feedback, track_feedback
from headrace.pipelines.after_batch import IDLE_SECONDS, AfterBatch, of_config
from headrace.pipelines.alerting import rows_of_lake
from headrace.pipelines.measure_gauges import Gauges
from headrace.pipelines.publish_measures import NotPublished
from headrace.pipelines.telemetry import Telemetry
from unit.conversations.measure_tables import a_row, write

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
RULES = {"failing": {"rule": "threshold", "measure": "errors", "above": 0.1, "window": "10m", "send": ["ops"]}}
OUTPUTS = {"ops": {"to": "log"}}


def config(lake: Path, publish: Any = None, **more: Any) -> Config:
    events = {"from": "files", "path": str(lake / "in"), "format": "json", "position": ["revision", "at"]}
    feedback = {"sources": ["events"], "publish": publish or {}}
    return Config.model_validate({"lake": str(lake), "sources": {"events": events}, "feedback": feedback, **more})


class Sink:
    """An output that fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.got, self.closed = error, list[Any](), False

    def send(self, alert: Any) -> None:
        if self.error:
            raise self.error
        self.got.append(alert)

    def close(self) -> None:
        self.closed = True


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("nobody should have asked for this")


def made(config: Config, rows: Any = None, observe: Any = never) -> AfterBatch:
    return of_config(config, rows or rows_of_lake(config.lake), observe)


@pytest.fixture
def failing(lake: Path) -> Path:
    """Errors in the newest minutes, whatever the time is."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    write(lake, [a_row("errors", now - timedelta(minutes=ago), 50, 100, model="m") for ago in range(1, 12)])
    return lake


def test_where_the_settings_ask_for_nothing_nothing_is_opened(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alert_sinks", "measure_store", "LakeFiles", "Gauges"):
        monkeypatch.setattr(after_batch, name, never)
    after = made(config(lake, alerts={"outputs": OUTPUTS}), rows=never)
    after.run()
    after.idle()
    after.close()


def test_an_alert_is_told_once_for_many_batches(failing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Sink()
    monkeypatch.setattr(after_batch, "alert_sinks", lambda outputs: {"ops": sink})
    after = made(config(failing, alerts={"rules": RULES, "outputs": OUTPUTS}))
    for _ in range(3):
        after.run()
    assert [one.rule for one in sink.got] == ["failing"]
    after.close()
    assert sink.closed


@pytest.mark.parametrize("error", [
    Unreachable(expected="an answer", found="none", todo="Wait."), RuntimeError("boom"), ValueError("odd"),
])  # fmt: skip
def test_an_output_that_fails_ends_nothing_and_keeps_nothing_else_from_being_done(
    error: Exception, failing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(after_batch, "alert_sinks", lambda outputs: {"ops": Sink(error)})
    board = {"board": {"store": "sqlite", "path": str(tmp_path / "m.db")}}
    after = made(config(failing, board, alerts={"rules": RULES, "outputs": OUTPUTS}))
    after.run()
    after.close()
    assert str(error) in caplog.text
    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        assert connection.execute("select count(*), sum(numerator) from measures").fetchone() == (11, 550.0)


def test_a_rule_that_does_not_fit_ends_the_start_and_closes_what_was_opened(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sink()
    monkeypatch.setattr(after_batch, "alert_sinks", lambda outputs: {"ops": sink})
    rules = {"failing": {**RULES["failing"], "measure": "no_such"}}
    with pytest.raises(ConfigError, match="no_such"):
        made(config(lake, alerts={"rules": rules, "outputs": OUTPUTS}))
    assert sink.closed


def test_without_batches_it_is_done_now_and_then() -> None:
    done, clock = list[datetime](), SimpleNamespace(now=100.0)
    after = AfterBatch([("step", done.append)], clock=lambda: clock.now)
    after.idle()
    clock.now += IDLE_SECONDS
    after.idle()
    after.idle()
    assert len(done) == 1
    after.run()
    assert len(done) == 2


def test_values_of_the_newest_minutes_are_reported_once_a_minute(lake: Path) -> None:
    write(lake, [
        a_row("errors", NOW - timedelta(minutes=4), 1, 10, model="m"),
        a_row("errors", NOW - timedelta(minutes=3), 2, 20, model="n"),
        a_row("errors", NOW - timedelta(minutes=1), 9, 9), a_row("errors", NOW - timedelta(minutes=18), 9, 9),
        a_row("latency", NOW - timedelta(minutes=3), 60, 4),
    ])  # fmt: skip
    told = list[Any]()

    def observe(job: str, source: str, **values: Any) -> None:
        told.append((job, source, values))

    names, minutes = ("errors", "latency", "csat"), timedelta(minutes=15)
    gauges = Gauges(names, minutes, timedelta(minutes=2), known({}), rows_of_lake(str(lake)), observe)
    gauges.after_batch(NOW)
    gauges.after_batch(NOW + timedelta(seconds=59))
    assert told == [
        ("track_feedback", "errors", {"MeasureValue": 0.1, "MeasureRows": 30.0}),
        ("track_feedback", "latency", {"MeasureValue": 15.0, "MeasureRows": 4.0}),
        ("track_feedback", "csat", {"MeasureValue": None, "MeasureRows": 0.0}),
    ]
    gauges.after_batch(NOW + timedelta(minutes=1))
    assert len(told) == 6


def test_a_measure_that_is_not_there_is_refused_at_the_start(lake: Path) -> None:
    with pytest.raises(ConfigError, match="no_such"):
        made(config(lake, metrics={"measures": ["errors", "no_such"]}))


def test_check_tries_what_follows_a_batch_and_makes_nothing(lake: Path, tmp_path: Path) -> None:
    stores = {
        "board": {"store": "sqlite", "path": str(tmp_path / "m.db")},
        "folder": {"store": "sqlite", "path": str(tmp_path)},
        "search": {"store": "opensearch", "hosts": ["http://127.0.0.1:9"], "timeout": "1s"},
    }
    wrong = config(lake, stores, alerts={"rules": RULES, "outputs": OUTPUTS}, metrics={"measures": ["no_such"]})
    said = dict[str, str]()
    for title, trial in check_feedback.trials(wrong, wrong.feedback):  # type: ignore[arg-type]
        try:
            said[title] = trial()
        except HeadraceError as error:
            said[title] = f"{type(error).__name__}: {error.found}"
    assert said == {
        "alerts: rules": "1 fit their measures",
        "metrics: measures": "ConfigError: no_such",
        "feedback: publish board": "sqlite: not made yet; `headrace run track_feedback` makes it",
        "feedback: publish folder": "Fatal: a folder",
        "feedback: publish search": said["feedback: publish search"],
    }
    assert said["feedback: publish search"].startswith("Unreachable: ")
    assert not (tmp_path / "m.db").exists()


def test_every_batch_of_the_job_is_followed_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    order = list[str]()
    done = Tracked(Batch({}, 0, None, None), 1, 0, Counted())

    def noted(name: str, back: Any = None) -> Callable[..., Any]:
        return lambda *_, **__: (order.append(name), back)[1]

    def step(_: datetime) -> None:
        order.append("after")
        raise RuntimeError("boom")

    monkeypatch.setattr(track_feedback.streams, "messages", noted("messages", back=object()))
    borders = list[datetime]()

    def events(*_: Any, settled: datetime, **__: Any) -> None:
        order.append("events")
        borders.append(settled)

    monkeypatch.setattr(track_feedback.event_frames, "events", events)
    keep = timedelta(days=400)
    earliest = border(datetime.now(UTC), keep)
    tracker = SimpleNamespace(take=noted("take", done), settled=None, ask_again=lambda: None)
    upkeep = SimpleNamespace(run=noted("upkeep"))
    erasure = SimpleNamespace(run=noted("erase"), late=noted("late"))
    batches = track_feedback._Batches(
        tracker,
        erasure,
        upkeep,
        threading.Event(),
        Telemetry(Metrics()),
        AfterBatch([("step", step)]),
        keep,  # type: ignore[arg-type]
    )
    batches._ids = {"events": "id"}
    batches._started.set()
    source = FilesSource.model_validate({"from": "files", "path": "in", "format": "json", "position": ["at"]})
    batches.of("events", source)(None, 0)  # type: ignore[arg-type]
    batches.of("events", source)(None, 1)  # type: ignore[arg-type]
    assert order == ["messages", "erase", "events", "take", "late", "after", "upkeep"] * 2
    # Nothing was settled yet, and what would be is refused from the first batch on.
    assert all(earliest <= one <= border(datetime.now(UTC), keep) for one in borders) and len(borders) == 2
    batches.follow([])


def test_what_is_never_published_ends_the_job_after_the_batch_and_all_that_follows_it() -> None:
    done = list[datetime]()

    def step(_: datetime) -> None:
        raise NotPublished("board", "a wrong query")

    after = AfterBatch([("publishing to board", step), ("metrics", done.append)])
    with pytest.raises(NotPublished):
        after.run()
    assert len(done) == 1
    batches = track_feedback._Batches(None, None, None, threading.Event(), Telemetry(Metrics()), after)  # type: ignore[arg-type]
    batches._follow_up(after.run)
    with pytest.raises(NotPublished, match=r"feedback\.publish\.board: expected .*a wrong query"):
        batches.follow([])


def test_a_stream_that_waits_for_events_does_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    done, clock = list[datetime](), iter(range(0, 10_000, 100))
    after = AfterBatch([("step", done.append)], clock=lambda: next(clock))
    monkeypatch.setattr(track_feedback.streams, "POLL_SECONDS", 0)
    monkeypatch.setattr(track_feedback.streams, "end", lambda query: None)
    monkeypatch.setattr(track_feedback.streams, "failure", lambda query: None)

    class Query:
        id, status = "id", {"isTriggerActive": False}
        left = 4

        @property
        def isActive(self) -> bool:
            self.left -= 1
            return self.left > 0

    stop, parts, asked = threading.Event(), SimpleNamespace(ask_again=lambda: None), list[str]()
    erasure = SimpleNamespace(idle=lambda: asked.append("erase"))
    batches = track_feedback._Batches(parts, erasure, parts, stop, Telemetry(Metrics()), after)  # type: ignore[arg-type]
    batches.follow([("events", Query())])  # type: ignore[list-item]
    assert done and asked


def test_spark_reads_the_newest_state_for_each_query() -> None:
    read = list[str]()
    table = SimpleNamespace(createOrReplaceTempView=read.append)
    found = SimpleNamespace(toLocalIterator=lambda: iter([SimpleNamespace(asDict=lambda: {"n": 1})]))
    spark = SimpleNamespace(sql=lambda sql: (read.append(sql), found)[1])
    lake = SimpleNamespace(exists=lambda path: path == "measures", read=lambda path: table, spark=spark)
    rows = track_feedback.rows_of_spark(lake)  # type: ignore[arg-type]
    assert list(rows("a")) == [{"n": 1}] and list(rows("b")) == [{"n": 1}]
    assert read == ["rows", "a", "rows", "b"]
    lake.exists = lambda path: False
    assert list(rows("c")) == [] and read[-1] == "b"
