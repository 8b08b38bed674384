"""As of when rows are true: what a source held when it was asked, once all of it is taken."""

import json
from datetime import UTC, datetime
from pathlib import Path

from headrace.config import Config
from headrace.pipelines.source_marks import Marks


def config(folder: Path) -> Config:
    feed = {"from": "files", "path": str(folder / "in"), "format": "json", "position": ["at"]}
    tables = {"users": {"source": "feed", "key": ["id"]}}
    return Config.model_validate({"lake": str(folder / "lake"), "sources": {"feed": feed}, "tables": tables})


def arrived(folder: Path, name: str) -> Path:
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / name).write_text("{}")
    return folder / "in" / name


def taken(folder: Path, batch: int, *files: Path, committed: bool = True) -> None:
    """A batch of the stream, as its checkpoint tells of it."""
    place = folder / "lake" / "checkpoints" / "apply_changes" / "feed"
    for part in ("commits", "sources/0"):
        (place / part).mkdir(parents=True, exist_ok=True)
    entries = [json.dumps({"path": file.as_uri(), "timestamp": 0, "batchId": batch}) for file in files]
    (place / "sources" / "0" / str(batch)).write_text("\n".join(["v1", *entries]))
    if committed:
        (place / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def test_a_moment_is_reached_once_all_that_was_there_is_committed(tmp_path: Path) -> None:
    marks = Marks(config(tmp_path), ["feed"])
    first, second = arrived(tmp_path, "1.json"), arrived(tmp_path, "2.json")
    before = datetime.now(UTC)
    marks.look(now=True)
    after = datetime.now(UTC)
    assert marks.of(["feed"]) is None
    taken(tmp_path, 0, first)
    marks.look()
    assert marks.of(["feed"]) is None  # a file is missing
    taken(tmp_path, 1, second, committed=False)
    marks.look()
    assert marks.of(["feed"]) is None  # its batch runs
    arrived(tmp_path, "3.json")  # came after the question
    taken(tmp_path, 1, second)
    marks.look()
    reached = marks.of(["feed"])
    assert reached is not None and before <= reached <= after

    marks.look(now=True)
    assert marks.of(["feed"]) == reached  # asked again: the third is not taken


def test_the_source_that_is_furthest_behind_counts_and_an_unknown_one_makes_all_unknown(tmp_path: Path) -> None:
    marks = Marks(config(tmp_path), ["feed"])
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    marks.reached = {"a": late, "b": early}
    assert marks.of(["a", "b"]) == early
    assert marks.of(["a", "c"]) is None and marks.of([]) is None


def test_a_source_that_does_not_answer_confirms_nothing_and_is_told_of_once(tmp_path: Path, caplog) -> None:
    marks = Marks(config(tmp_path), ["feed"])
    marks.look(now=True)  # no such folder: nothing is known
    assert marks.of(["feed"]) is None
    arrived(tmp_path, "1.json")
    place = tmp_path / "lake" / "checkpoints" / "apply_changes" / "feed"
    (place / "sources" / "0").mkdir(parents=True)
    (place / "commits").mkdir()
    (place / "commits" / "0").write_text("v1")
    (place / "sources" / "0" / "0").write_text('v1\n{"path"')
    for _ in range(2):
        marks.look(now=True)
    assert marks.of(["feed"]) is None
    assert sum("does not say how far it is" in record.getMessage() for record in caplog.records) <= 1
