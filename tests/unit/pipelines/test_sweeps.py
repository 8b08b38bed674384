"""The rare listing beside events."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from headrace.config_knowledge import FolderFeed
from headrace.errors import Unreachable
from headrace.pipelines import document_feeds
from headrace.pipelines.document_feeds import FolderWatch
from headrace.pipelines.sweeps import Sweep
from headrace.stores import objects


class Memory:
    """Which folder was listed."""

    folder: str | None = None

    def get(self) -> str | None:
        return self.folder

    def keep(self, folder: str) -> None:
        self.folder = folder


def sweep(folder: Path, stored: dict[str, str], **more: Any) -> Sweep:
    feed = {"from": "folder", "path": str(folder), "events": "uploads", "events_path": "s3://wet", **more}
    return Sweep("pages", FolderFeed.model_validate(feed), lambda: stored, Memory())


def watch(folder: Path, tags: dict[str, str], memory: Memory | None = None) -> FolderWatch:
    feed = FolderFeed.model_validate({"from": "folder", "path": str(folder)})
    return FolderWatch("pages", feed, tags, memory or Memory())


def told(watch: FolderWatch) -> dict[str, str]:
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


def test_what_the_settings_hide_now_is_deleted_though_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "drafts").mkdir()
    for name in ("drafts/d.md", "page.md", "notes.txt"):
        (tmp_path / name).write_text("x")
    stored = {one.name: one.tag for one in objects.listing(str(tmp_path))} | {"gone.md": "1"}
    hides = sweep(tmp_path, stored, include=["*.md"], exclude=["drafts/*"])
    assert told(hides) == {"drafts/d.md": "delete", "notes.txt": "delete", "gone.md": "look"}


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


def test_an_empty_folder_in_place_of_the_one_before_deletes_nothing(tmp_path: Path) -> None:
    pages, memory = tmp_path / "pages", Memory()
    pages.mkdir()
    (pages / "a.md").write_text("x")
    assert told(watch(pages, {}, memory)) == {"a.md": "upsert"}
    pages.rename(tmp_path / "away")
    pages.mkdir()
    for _ in range(2):
        with pytest.raises(Unreachable, match="not mounted"):
            watch(pages, {"a.md": "1"}, memory).look()
    (pages / "b.md").write_text("x")
    assert told(watch(pages, {"a.md": "1"}, memory)) == {"b.md": "upsert", "a.md": "delete"}
    (pages / "b.md").unlink()
    assert told(watch(pages, {"b.md": "1"}, memory)) == {"b.md": "delete"}, "the same folder, emptied"


def test_what_cannot_be_looked_at_does_not_count_as_deleted_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.md", "b.md", "new.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / "loop.md").symlink_to("loop.md")
    real = os.stat

    def stat(path: Any, **more: Any) -> os.stat_result:
        if str(path).endswith(("b.md", "new.md")):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path, **more)

    monkeypatch.setattr(os, "stat", stat)
    looking = watch(tmp_path, {"b.md": "1"})
    assert told(looking) == {"a.md": "upsert"}
    monkeypatch.undo()
    assert told(looking) == {"b.md": "upsert", "new.md": "upsert"}


def test_what_could_not_be_loaded_is_told_again_after_a_pause_that_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text("x")
    now = [0.0]
    monkeypatch.setattr(document_feeds.time, "monotonic", lambda: now[0])
    looking, seen = watch(tmp_path, {}), []
    for second in range(20):
        now[0] = float(second)
        if told(looking):
            seen.append(second)
            looking.try_again("a.md")
    assert seen == [0, 2, 6, 14]
    (tmp_path / "a.md").write_text("longer")
    assert told(looking) == {"a.md": "upsert"}, "a change is told at once"
