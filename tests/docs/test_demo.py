"""`headrace demo`: the real job on the travel company's events."""

import re
from pathlib import Path

import pytest

from docs.conftest import Demo
from headrace.errors import Fatal
from headrace.pipelines import demo


def test_every_row_of_every_table_equals_the_source(played_demo: Demo) -> None:
    assert "5 tables equal the source: yes" in played_demo.printed
    assert played_demo.code == 0


def test_nothing_was_refused_and_something_was_stale(played_demo: Demo) -> None:
    waves = re.findall(r"Wave \d of 3: .* ([\d,]+) stale, .* ([\d,]+) rejected", played_demo.printed)
    assert len(waves) == 3
    assert all(int(stale.replace(",", "")) > 0 for stale, _ in waves)
    assert [rejected for _, rejected in waves] == ["0", "0", "0"]


def test_the_story_shows_a_row_that_arrival_order_would_get_wrong(played_demo: Demo) -> None:
    in_lake = re.search(r"in the lake after wave 3: +(.*)", played_demo.printed)
    as_arrived = re.search(r"taken as it arrived: +(.*)", played_demo.printed)
    assert in_lake and as_arrived
    assert in_lake[1] != as_arrived[1]
    assert "older than what is stored" in played_demo.printed


def test_a_folder_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo-lake"
    folder.mkdir()
    (folder / "diary.txt").write_text("mine")
    with pytest.raises(Fatal, match="expected no such folder, or one an earlier demo made"):
        demo.main(folder)
    assert (folder / "diary.txt").read_text() == "mine"
