"""The job with feeds of events: listing first, then what streams bring, until a stop or a failure."""

import gzip
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.errors import Fatal
from headrace.pipelines import index_knowledge
from object_world import Bucket

pytestmark = pytest.mark.deep

ARTICLES = {"format": "json", "position": ["at"], "operation": {"column": "op", "delete": ["D"]}}


class Job:
    """One lake with a feed of objects and one of articles."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bucket = folder, Bucket(folder / "bucket")
        for name in ("uploads", "articles"):
            (folder / name).mkdir()
        pages = {"from": "folder", "events": "uploads", "every": "1h", **self.bucket.place}
        self.config = Config.model_validate(
            {
                "lake": str(folder / "lake"),
                "checkpoints": str(folder / "checkpoints"),
                "sources": {
                    "uploads": {"from": "files", "path": str(folder / "uploads"), "format": "objects"},
                    "articles": {"from": "files", "path": str(folder / "articles"), **ARTICLES},
                },
                "knowledge": {
                    "documents": {"pages": pages, "news": {"from": "events", "source": "articles"}},
                    "indexes": {"search": {"store": "sqlite", "path": str(folder / "search.db")}},
                    "embed": {"provider": "static", "dimension": 64},
                    "trigger": "0.2s",
                },
            }
        )
        self.stop, self.ended = threading.Event(), []

    def send(self, source: str, *events: Any) -> None:
        number = len(list((self.folder / source).iterdir()))
        unfinished = self.folder / "unfinished"
        unfinished.write_text("\n".join(json.dumps(one) for one in events) + "\n")
        unfinished.rename(self.folder / source / f"{number}.json")

    def once(self) -> int:
        return index_knowledge.run(self.config, once=True, stop=threading.Event())

    @contextmanager
    def running(self) -> Iterator[None]:
        def work() -> None:
            self.ended.append(index_knowledge.run(self.config, once=False, stop=self.stop))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            thread.join(120)

    def served(self) -> dict[str, str]:
        """Text by document, as the store has it."""
        if not (self.folder / "search.db").exists():
            return {}
        with closing(sqlite3.connect(self.folder / "search.db")) as database:
            tables = {name for (name,) in database.execute("select name from sqlite_master")}
            rows = database.execute(QUERY).fetchall() if "passages_1" in tables else []
        return dict(sorted(rows))

    def commits(self, feed: str) -> list[str]:
        folder = self.folder / "checkpoints" / "index_knowledge" / feed / "commits"
        return sorted(file.name for file in folder.iterdir() if file.name.isdigit())


QUERY = "select json_extract(body, '$.document'), json_extract(body, '$.text') from passages_1 where not deleted"


def wait(until: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)


def records(*events: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(events)}


def article(name: str, at: int, text: str | None, op: str = "I") -> dict[str, Any]:
    return {"id": name, "at": at, "op": op, "text": text}


def test_a_run_with_once_lists_then_follows_and_a_stream_goes_on_from_there_until_stopped(
    spark: SparkSession, tmp_path: Path
) -> None:
    job = Job(tmp_path)
    job.bucket.put("listed.md", "only listed")
    old, new = job.bucket.put("a.md", "one"), job.bucket.put("a.md", "two")
    job.send("uploads", records(new, old))
    job.send("articles", article("x", 2, "second"), article("x", 1, "first"), article("bad", 1, None))
    assert job.once() == 0
    assert job.served() == {"a.md": "two", "listed.md": "only listed", "x": "second"}
    with job.running():
        job.send("uploads", records(job.bucket.delete("listed.md")))
        job.send("articles", article("x", 3, None, "D"), article("y", 1, "other"))
        wait(lambda: job.served() == {"a.md": "two", "y": "other"})
    assert job.ended == [0]
    # The batch that was taken is marked done: another run takes up nothing again.
    assert (job.commits("pages/uploads"), job.commits("news/articles")) == (["0", "1"], ["0", "1"])


def test_what_makes_a_batch_fail_ends_the_job_with_its_cause_and_is_not_passed_over(
    spark: SparkSession, tmp_path: Path
) -> None:
    job = Job(tmp_path)
    cut_off = gzip.compress(json.dumps(article("x", 1, "text" * 1000)).encode() * 100)[:-200]
    (tmp_path / "articles" / "1.json.gz").write_bytes(cut_off)
    for _ in range(2):
        with pytest.raises(Fatal, match=r"damage in .*1\.json\.gz"):
            job.once()
    (tmp_path / "articles" / "1.json.gz").write_bytes(gzip.compress(json.dumps(article("x", 1, "repaired")).encode()))
    assert job.once() == 0
    assert job.served() == {"x": "repaired"}
