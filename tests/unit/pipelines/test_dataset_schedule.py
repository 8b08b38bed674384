"""When `curate_dataset` makes what, without Spark: a curator that only says what it was asked for."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from headrace.errors import DatasetRefused, Retryable
from headrace.pipelines.curate_dataset import RETRY, due

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CONFIG: Any = SimpleNamespace(
    datasets=SimpleNamespace(sets={"daily": SimpleNamespace(every=DAY), "hourly": SimpleNamespace(every=HOUR)})
)


class Curator:
    """Makes every dataset but those that are `refused`."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.made, self.asked = set(refused), set[tuple[str, datetime]](), list[str]()
        self.fails = False

    def build(self, name: str, slot: datetime) -> Any:
        self.asked.append(name)
        if name in self.refused:
            raise DatasetRefused(where=name, expected="rows", found="none", todo="Collect more.")
        self.made.add((name, slot))
        return SimpleNamespace(rows={"train": 9}, refused={"a": 1})

    def erase(self) -> None:
        if self.fails:
            raise Retryable(where="lake", expected="an answer", found="none", todo="Try again.")

    def wanted(self, name: str, slot: datetime) -> datetime | None:
        return None if (name, slot) in self.made else slot


class Telemetry:
    """Remembers whose sign of life it saw."""

    def __init__(self) -> None:
        self.beats: list[str] = []

    def alive(self, job: str, source: str) -> None:
        self.beats.append(source)

    def working(self, job: str, source: str) -> None:
        pass

    def observe(self, job: str, source: str, **values: float) -> None:
        pass


def asked(curator: Any, now: datetime, later: dict[str, datetime], telemetry: Any = None) -> list[str]:
    """What a round asks for."""
    curator.asked.clear()
    due(curator, CONFIG, now, threading.Event(), telemetry or Telemetry(), later)
    return list(curator.asked)


def test_each_slot_is_made_once() -> None:
    curator, later = Curator(), dict[str, datetime]()
    rounds = [asked(curator, NOW + one * timedelta(minutes=20), later) for one in range(4)]
    assert rounds == [["daily", "hourly"], [], ["hourly"], []]
    assert asked(curator, NOW + DAY, later) == ["daily", "hourly"]


def test_what_was_refused_waits_before_it_is_tried_again_and_holds_up_nobody() -> None:
    curator, later = Curator("daily"), dict[str, datetime]()
    assert asked(curator, NOW, later) == ["daily", "hourly"]
    assert asked(curator, NOW + RETRY - timedelta(seconds=1), later) == []
    curator.refused.clear()
    assert asked(curator, NOW + RETRY, later) == ["daily"]
    assert asked(curator, NOW + RETRY, later) == []


def test_there_is_a_sign_of_life_in_every_round_whether_anything_is_due_or_not() -> None:
    curator, later, telemetry = Curator("hourly"), dict[str, datetime](), Telemetry()
    for _ in range(2):
        asked(curator, NOW, later, telemetry)
    assert telemetry.beats == ["daily", "hourly"] * 2


def test_a_stop_begins_nothing_more() -> None:
    stop, curator = threading.Event(), Curator()
    stop.set()
    some: Any = curator
    assert due(some, CONFIG, NOW, stop, some) is None
    assert curator.asked == []


def test_an_erasure_that_fails_is_told_and_holds_up_no_dataset() -> None:
    curator: Any = Curator()
    curator.fails = True
    failed = due(curator, CONFIG, NOW, threading.Event(), Telemetry(), {})  # type: ignore[arg-type]
    assert isinstance(failed, Retryable)
    assert curator.asked == ["daily", "hourly"]
