"""Where a notebook works, and what it makes of the travel company's events: no Spark."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headrace.errors import ConfigError, Fatal
from headrace.notebooks import live, story
from headrace.notebooks.place import make_place, quick, run_once
from headrace.pipelines.demo import settings_text
from headrace.pipelines.events import Event, Outcome

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def test_on_a_laptop_a_notebook_works_in_one_temporary_folder() -> None:
    place = make_place("", "local")
    config = place.settings(settings_text())
    assert place.shared == str(place.local)
    assert (place.local / "in").is_dir()
    assert config.lake == f"{place.local}/lake" and config.sources["shop"].path == f"{place.local}/in"
    assert quick("local")


def test_elsewhere_the_lake_and_the_sources_lie_in_the_folder_that_workers_reach(tmp_path: Path) -> None:
    place = make_place(f"{tmp_path}/shared/", "glue")
    config = place.settings(settings_text())
    assert place.shared == f"{tmp_path}/shared/{place.local.name}"
    assert config.runtime == "glue" and not quick("glue")
    assert config.lake == f"{place.shared}/lake" and config.sources["shop"].path == f"{place.shared}/in"
    assert config.sources["calls"].path == f"{place.shared}/people/callers"
    assert config.knowledge and config.knowledge.documents["policies"].path == f"{place.shared}/policies"
    assert config.knowledge.indexes["search"].path == f"{place.local}/search.db"
    assert config.profiles and config.profiles.stores["main"].path == f"{place.local}/profiles.db"


def test_a_shared_folder_follows_what_is_written_changed_and_removed(tmp_path: Path) -> None:
    place = make_place(tmp_path.as_uri(), "databricks")
    there = tmp_path / place.local.name / "in"
    for name in ("a.jsonl", "b.jsonl", ".unfinished"):
        (place.local / "in" / name).write_text(name)
    place.share("in")
    assert {file.name for file in there.iterdir()} == {"a.jsonl", "b.jsonl"}
    written = (there / "b.jsonl").stat().st_mtime_ns
    (place.local / "in" / "a.jsonl").write_text("new")
    place.share("in")
    assert (there / "a.jsonl").read_text() == "new" and (there / "b.jsonl").stat().st_mtime_ns == written
    (place.local / "in" / "a.jsonl").unlink()
    place.share("in")
    assert [file.name for file in there.iterdir()] == ["b.jsonl"]


@pytest.mark.parametrize("runtime", ["glue", "databricks"])
def test_where_workers_are_other_machines_a_folder_must_be_named(runtime: str) -> None:
    with pytest.raises(ConfigError, match=r"FOLDER: expected a folder that Spark's workers reach.*first cell"):
        make_place("", runtime)  # type: ignore[arg-type]


def test_a_job_that_did_not_end_well_is_told() -> None:
    with pytest.raises(Fatal, match="expected the job to end with 0; found 1"):
        run_once(lambda config, once, stop: int(once), make_place("", "local").settings(settings_text()))


def test_the_stored_state_never_becomes_older() -> None:
    outcomes: list[tuple[int, Outcome]] = [(3, "stale"), (5, "applied"), (2, "stale"), (9, "applied"), (9, "stale")]
    rows = story.event_rows(event(number, *one) for number, one in enumerate(outcomes, 1))
    assert [row["changed at source (min)"] for row in rows] == [1, 3, 0, 7, 7]
    none_yet, *stored = story.stored_minutes(rows)
    assert math.isnan(none_yet) and stored == [3, 3, 7, 7]


def test_bookings_come_late_and_twice_and_their_last_events_are_the_truth() -> None:
    lines, truth = live.bookings(steps=200)
    events = [json.loads(line) for line in lines]
    order = [each["lsn"] for each in events]
    assert order != sorted(order) and len({json.dumps(each) for each in events}) < len(events)
    newest = {each["booking_id"]: each for each in sorted(events, key=lambda each: each["lsn"])}
    living = {key: each["status"] for key, each in newest.items() if each["op"] != "delete"}
    assert living == {row["booking_id"]: row["status"] for row in truth}


def event(number: int, minute: int, outcome: Outcome) -> Event:
    changed = BEGAN + timedelta(minutes=minute)
    return Event(number, "shop", "upsert", None, changed, BEGAN, "shop/0", {}, {"status": "held"}, outcome=outcome)
