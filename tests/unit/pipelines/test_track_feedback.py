"""The job: bad events, own measures, and what a change of the settings does."""

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from chaos.test_feedback_crash_points import send, settings
from headrace.conversations.events import Rating, Turn
from headrace.lake import Lake
from headrace.pipelines import track_feedback
from headrace.pipelines.upkeep import LOOKED_AFTER, PURGED

NOW = datetime.now(UTC)
"""So that no `keep` finds it old."""


def run(folder: Path, **more: object) -> None:
    board = {"store": "sqlite", "path": str(folder / "measures.db")}
    track_feedback.run(settings(folder, publish={"board": board}, **more), once=True, stop=threading.Event())


def in_step(lake: Lake, folder: Path) -> bool:
    """Whether the published rows are those of the table."""
    columns = "measure", "slice", "numerator", "denominator", "n"
    with closing(sqlite3.connect(folder / "measures.db")) as store:
        published = store.execute(f"SELECT {', '.join(columns)} FROM measures").fetchall()
    return sorted(published) == sorted(map(tuple, lake.read("measures").select(*columns).collect()))


@pytest.mark.deep
def test_bad_events_are_told_and_own_measures_counted_from_what_is_there(spark: SparkSession, tmp_path: Path) -> None:
    turn = Turn("c", 1, NOW, question="q", answer="a", outcome="answered", model="m", seconds=9.0)
    rating = Rating("c", 1, NOW, "person", "thumbs", 1)
    wrong = turn.to_json() | {"outcome": "secret words"}
    huge = replace(turn, conversation="huge", model="huge", input_tokens=2**63 - 1, output_tokens=2**63 - 1).to_json()
    old = replace(turn, conversation="old", at=datetime(2020, 1, 1, tzinfo=UTC), model="old").to_json()
    send(
        tmp_path,
        "0.json",
        [*(json.dumps(one) for one in (turn.to_json(), rating.to_json(), wrong, old, huge)), "no JSON"],
    )
    run(tmp_path)
    lake = Lake(spark, str(tmp_path / "lake"))
    rejects = {row["reason"]: row["detail"] for row in lake.read("rejects/track_feedback").collect()}
    assert set(rejects) == {"wrong event", "unreadable event"}
    assert "outcome" in rejects["wrong event"] and "secret" not in rejects["wrong event"]
    offsets = {row["origin"]["offset"] for row in lake.read("rejects/track_feedback").collect()}
    assert len(offsets) == 2
    thumbs = lake.read("measures").where("measure = 'thumbs_up'").collect()[0]
    assert (thumbs["model"], thumbs["numerator"], thumbs["denominator"], thumbs["n"]) == ("m", 1.0, 1.0, 1)
    assert in_step(lake, tmp_path)
    # No event comes; the measure is new. It is a day later, so that what is old leaves.
    for mark in (LOOKED_AFTER, PURGED):
        lake.execute(f"ALTER TABLE {lake.sql_name('turns')} SET TBLPROPERTIES ('{mark}' = '2026-01-01T00:00:00+00:00')")
    tokens = {"numerator": "(input_tokens + output_tokens) * 100000 * 100000", "dimensions": ["model"]}
    slow = {"numerator": "seconds > 8", "dimensions": ["model"]}
    run(tmp_path, keep="2 days", measures={"slow": slow, "tokens": tokens})
    assert {row["conversation"] for row in lake.read("turns").collect()} == {"c", "huge"}
    assert (
        lake.read("measures").where("measure = 'tokens' AND model = 'huge'").collect()[0]["numerator"]
        == 2.0**64 * 10**10
    )
    assert lake.read("measures").where("measure = 'turns' AND year(minute) = 2020").count() == 1
    slow = lake.read("measures").where("measure = 'slow' AND model = 'm'").collect()
    assert [(row["slice"], row["numerator"], row["denominator"]) for row in slow] == [('["m"]', 1.0, 1.0)]
    assert in_step(lake, tmp_path)
    # The border stays without `keep`: what is told again is not counted again, and what was counted stays.
    before = lake.read("measures").where("year(minute) = 2020").collect()
    send(tmp_path, "1.json", [json.dumps(old)])
    run(tmp_path)
    assert lake.read("measures").where("measure = 'slow' AND model = 'm'").isEmpty()
    assert lake.read("measures").where("year(minute) = 2020").collect() == before
    (refused,) = lake.read("rejects/track_feedback").where("reason = 'too old'").collect()
    assert refused["message"] is None and "2020-01-01" in refused["detail"]
    assert in_step(lake, tmp_path)


@pytest.mark.soak
def test_what_keep_would_let_go_is_refused_from_the_first_batch_on(spark: SparkSession, tmp_path: Path) -> None:
    turn = Turn("c", 1, NOW, question="q", answer="a", outcome="answered")
    rating = Rating("old", 1, NOW - timedelta(days=500), "person", "thumbs", 1)
    ahead = replace(turn, conversation="ahead", at=NOW + timedelta(days=3_650))
    year_one = turn.to_json() | {"at": "0001-01-01T00:00:00Z"}
    send(tmp_path, "0.json", [json.dumps(one) for one in (turn.to_json(), rating.to_json(), ahead.to_json(), year_one)])
    run(tmp_path, keep="400 days")
    lake = Lake(spark, str(tmp_path / "lake"))
    assert [row["conversation"] for row in lake.read("turns").collect()] == ["c"]
    assert lake.read("ratings").isEmpty()
    found = {row["detail"].split(":")[0]: row for row in lake.read("rejects/track_feedback").collect()}
    assert found.pop("at lies in the future")["message"] and found.pop("at")["message"]
    (old,) = found.values()
    assert (old["reason"], old["message"]) == ("too old", None)
    assert in_step(lake, tmp_path)
