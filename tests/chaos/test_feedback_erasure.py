"""`track_feedback` erases a person, dies at its writes and runs again: as if there had never been such a person."""

import json
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from chaos.test_feedback_crash_points import send, settings, tables
from headrace.config import Config
from headrace.conversations.events import Event, Rating, Turn
from headrace.pipelines import conversing, erase_request, erasing, track_feedback
from headrace.pipelines.erase_report import reports
from headrace.stores.files import LakeFiles

WHO, OTHER = "canary-ada-7431", "bob"
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
FEW = [("execute measures", False)]
MORE = [
    (what, after)
    for what in ("append erasures", "execute ratings", "execute turns", "execute measures", "execute counted",
                 "append suppressed", "REORG")
    for after in (False, True)
    if (what, after) not in FEW
]  # fmt: skip


def turn(conversation: str, number: int, person: str | None) -> Turn:
    at = NOW + timedelta(minutes=number)
    return Turn(conversation, number, at, person=person, question="q", answer="a", outcome="answered", model="m")


def comment(conversation: str, number: int | None, rater: str | None) -> Rating:
    return Rating(conversation, number, NOW, "person", "comment", None, "words", rater)


THEIRS: list[Event] = [
    turn("theirs", 1, None), turn("theirs", 2, WHO), comment("theirs", 1, None), comment("theirs", None, "agent"),
    turn("shared", 1, WHO), comment("shared", 1, OTHER), comment("others", 1, WHO),
]  # fmt: skip
OTHERS: list[Event] = [
    turn("shared", 2, OTHER), comment("shared", 2, OTHER), turn("others", 1, OTHER), turn("others", 2, None),
    comment("others", 2, None),
]  # fmt: skip
EARLY: list[Event] = [turn("later", 1, None), comment("later", 1, None)]
"""Nobody can tell whose these are before the next ones come."""
LATE: list[Event] = [
    turn("later", 2, WHO),
    turn("theirs", 3, None),
    turn("theirs", 2, WHO).withdrawn(),
    turn("new", 1, WHO),
]
WRONG = json.dumps(turn("theirs", 4, WHO).to_json() | {"outcome": "nothing known"})


def lines(events: list[Event]) -> list[str]:
    return [json.dumps(one.to_json()) for one in events]


def config_of(folder: Path) -> Config:
    store = {"store": "sqlite", "path": str(folder / "conversations.db")}
    found = settings(folder).model_dump(exclude_unset=True)
    sets = {"support": {"kind": "sft", "formats": ["trl_sft"]}}
    more = {"assistant": {"conversations": {"store": store}}, "datasets": {"key": "a key for tests only", "sets": sets}}
    return Config.model_validate({**found, **more})


TABLES = ("turns", "ratings", "counted", "rejects/track_feedback")


def held(table: Path) -> set[str]:
    """What of the person is in the newest files of a table, and anywhere in its log but for statistics."""
    newest = DeltaTable(str(table)).file_uris()
    texts = [str(pq.read_table(file).to_pylist()) for file in newest]
    for file in (table / "_delta_log").glob("*.json"):
        for line in file.read_text().splitlines():
            told = json.loads(line)
            told.get("add", {}).pop("stats", None)
            texts.append(json.dumps(told))
    return {one for one in (WHO, "theirs") if any(one in text for text in texts)}


def run(folder: Path) -> bool:
    try:
        track_feedback.run(config_of(folder), once=True, stop=threading.Event())
    except Crash:
        return False
    return True


@pytest.mark.parametrize("deaths", [
    pytest.param(FEW, id="few", marks=pytest.mark.deep), pytest.param(MORE, id="more", marks=pytest.mark.soak)
])  # fmt: skip
def test_as_if_there_had_never_been_such_a_person(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: list[tuple[str, bool]]
) -> None:
    plan = Plan()
    monkeypatch.setattr(track_feedback, "Lake", lambda session, root: CrashingLake(session, root, plan))
    calm = tmp_path / "calm"
    send(calm, "0.json", lines(OTHERS))
    assert run(calm)
    expected = tables(CrashingLake(spark, str(calm / "lake"), Plan()))
    assert all(expected.values())
    for number, (what, after) in enumerate(deaths):
        folder = tmp_path / str(number)
        config, files = config_of(folder), LakeFiles(str(folder / "lake"))
        send(folder, "0.json", [*lines([*THEIRS, *EARLY, *OTHERS]), WRONG])
        with closing(conversing.conversations(config.assistant)) as store:
            store.add("theirs", "a question", "an answer", datetime.now(UTC), person=WHO)
        assert run(folder)
        request = erase_request.request(config, erase_request.subject(config, WHO, as_id=False), "all")
        send(folder, "1.json", [*lines([*LATE, *THEIRS, *reversed(OTHERS)]), WRONG])
        plan = Plan(what, after_commit=after)
        assert not run(folder), what
        plan = Plan()
        assert run(folder)
        lake = CrashingLake(spark, str(folder / "lake"), Plan())
        assert tables(lake) == expected, what
        refused = lake.read("rejects/track_feedback").collect()
        # `EARLY` was taken in before, and went without an event; every other one of theirs is refused.
        assert [row["reason"] for row in refused] == ["erased"] * (len(LATE) + len(THEIRS) + 1)
        assert not any(row["message"] or row["message_key"] or row["key"] for row in refused)
        for table in ("suppressed/track_feedback", "erasures/track_feedback", "rejects/track_feedback"):
            assert WHO not in str(lake.read(table).collect())
        assert {table: sorted(held(folder / "lake" / table)) for table in TABLES} == {
            "turns": [], "ratings": [], "counted": [], "rejects/track_feedback": [],
        }  # fmt: skip
        [told] = reports(config, WHO)
        assert told.jobs["track_feedback"] and told.jobs["curate_dataset"] is None
        assert {one.place: one.rows for one in told.places if one.place != "measures"} == {
            "turns": 3, "ratings": 4, "counted": 3, "rejects/track_feedback": 1, "store conversations": 1,
        }  # fmt: skip
        assert all(one.unreadable_at and (one.gone or one.gone_by) for one in told.places)
        with closing(sqlite3.connect(folder / "conversations.db")) as database:
            assert "a question" not in "".join(database.iterdump())
        assert erasing.work_of(files, request), "curate_dataset has yet to use it"
        other = erasing.Erasures(files, "curate_dataset", config)
        other.refresh()
        other.done(request, {})
        left = "".join(path.read_text() for path in (folder / "lake" / "requests").rglob("*.json"))
        assert request.name in left and not any(one in left for one in (WHO, "theirs", "shared"))
