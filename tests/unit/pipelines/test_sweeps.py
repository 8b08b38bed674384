"""The rare listing beside events."""

import os
from pathlib import Path
from typing import Any

import pytest

from headrace.config_knowledge import FolderFeed
from headrace.errors import Unreachable
from headrace.pipelines import document_feeds
from headrace.pipelines.sweeps import Sweep
from headrace.stores import objects


def sweep(folder: Path, stored: dict[str, str], **more: Any) -> Sweep:
    feed = {"from": "folder", "path": str(folder), "events": "uploads", "events_path": "s3://wet", **more}
    return Sweep("pages", FolderFeed.model_validate(feed), lambda: stored)


def told(watch: Sweep) -> dict[str, str]:
    return {event.document: event.op for event in watch.look()}


def test_it_tells_of_what_differs_from_what_is_stored_and_not_from_the_last_listing(tmp_path: Path) -> None:
    for name in ("same.md", "changed.md", "new.md", "a.png"):
        (tmp_path / name).write_text("x")
    tags = {one.name: one.tag for one in objects.listing(str(tmp_path))}
    stored = {"same.md": tags["same.md"], "changed.md": "older", "gone.md": "1"}
    watch = sweep(tmp_path, stored)
    assert told(watch) == {"changed.md": "upsert", "new.md": "upsert", "gone.md": "look"}
    stored |= {"changed.md": tags["changed.md"], "new.md": tags["new.md"]}
    del stored["gone.md"]
    assert told(watch) == {}
    stored["same.md"] = "an event loaded it at another time"
    assert told(watch) == {"same.md": "upsert"}


def test_what_stays_different_is_told_after_1_2_4_listings_and_at_once_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "bad.pdf"
    file.write_bytes(b"%PDF")
    watch = sweep(tmp_path, {})
    assert [len(told(watch)) for _ in range(9)] == [1, 1, 0, 1, 0, 0, 0, 1, 0]
    os.utime(file, ns=(1, 1))
    assert [len(told(watch)) for _ in range(3)] == [1, 1, 0]


def test_a_folder_that_is_away_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_feeds, "AWAY_SECONDS", 0.0)
    watch = sweep(tmp_path / "none", {"a.md": "1"})
    with pytest.raises(Unreachable):
        watch.look()
    assert watch.due(), "it is tried again soon, not after ten minutes"
