"""`track_feedback` dies at its writes and runs again: the same turns, ratings and measures."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from feedback_world import history, told
from headrace.config import Config
from headrace.pipelines import track_feedback
from headrace.tables import COUNTED, MEASURES, RATINGS, TURNS

BEFORE = ("append tombstones", "execute turns", "execute ratings", "execute measures", "execute counted")
DEATHS = [(what, after) for what in BEFORE for after in (False, True)]


def settings(folder: Path, **more: Any) -> Config:
    events = {"from": "files", "path": str(folder / "events"), "format": "json", "position": ["revision", "at"]}
    feedback = {"sources": ["events"], "sentiment": "none"} | more
    return Config.model_validate({"lake": str(folder / "lake"), "sources": {"events": events}, "feedback": feedback})


def send(folder: Path, name: str, lines: list[str]) -> None:
    (folder / "events").mkdir(parents=True, exist_ok=True)
    (folder / "events" / name).write_text("\n".join(lines) + "\n")


def tables(lake: CrashingLake) -> dict[str, list[Any]]:
    """What a reader sees; sums to ten digits, as their last ones depend on the order of adding."""
    kept = {
        table.path: lake.read(table.path).drop("counted_at").collect() for table in (TURNS, RATINGS, COUNTED, MEASURES)
    }
    told = {name: [row.asDict() for row in rows] for name, rows in kept.items()}
    for row in told[MEASURES.path]:
        row |= {name: float(f"{row[name]:.10g}") for name in ("numerator", "denominator")}
    return {name: sorted(map(str, rows)) for name, rows in told.items()}


@pytest.mark.soak
def test_a_crash_between_two_writes_changes_nothing(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In CI `test_feedback_erasure` stands for it: a crash between two writes of a batch, then the same batch."""
    plan = Plan()
    monkeypatch.setattr(track_feedback, "Lake", lambda session, root: CrashingLake(session, root, plan))
    first, second = told(random.Random(7), history(random.Random(7), 12), 2)
    lines = [[json.dumps(one.to_json()) for one in batch] for batch in (first, second)]

    def run(folder: Path) -> bool:
        try:
            track_feedback.run(settings(folder), once=True, stop=threading.Event())
        except Crash:
            return False
        return True

    calm = tmp_path / "calm"
    for number, some in enumerate(lines):
        send(calm, f"{number}.json", some)
    assert run(calm)
    expected = tables(CrashingLake(spark, str(calm / "lake"), Plan()))
    assert all(expected.values())
    for number, (what, after) in enumerate(DEATHS):
        folder = tmp_path / str(number)
        send(folder, "0.json", lines[0])
        assert run(folder)
        send(folder, "1.json", lines[1])
        plan = Plan(what, after_commit=after)
        assert not run(folder), what
        plan = Plan()
        assert run(folder)
        assert tables(CrashingLake(spark, str(folder / "lake"), Plan())) == expected, what
