"""Articles from Kinesis into an index, with `--once`."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from .driver import SPARK
from .kinesis import ENVIRONMENT, KinesisServer
from .process import Process, wait_until

SERVED = "select json_extract(body, '$.document'), json_extract(body, '$.text') from passages_1 where not deleted"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KinesisServer]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    emulator = KinesisServer(tmp_path / "kinesis", "local")
    try:
        yield emulator.start()
    finally:
        emulator.stop()


def article(name: str, at: int, text: str, op: str = "U") -> tuple[str, bytes]:
    return name, json.dumps({"id": name, "at": at, "op": op, "text": text}).encode()


def test_articles_are_indexed_changed_and_removed(tmp_path: Path, server: KinesisServer) -> None:
    server.create("articles", 2)
    source = {
        "from": "kinesis", "streams": ["articles"], "region": "eu-west-1", "endpoint": server.url, "format": "json",
        "position": ["at"], "operation": {"column": "op", "delete": ["D"]}, "max_records_per_batch": 16,
    }  # fmt: skip
    settings = {
        "lake": str(tmp_path / "lake"),
        "sources": {"articles": source},
        "knowledge": {
            "documents": {"news": {"from": "events", "source": "articles"}},
            "indexes": {"search": {"store": "sqlite", "path": str(tmp_path / "search.db")}},
            "embed": {"provider": "static", "dimension": 64},
        },
        "spark": SPARK,
    }
    file = tmp_path / "headrace.yaml"
    file.write_text(yaml.safe_dump(settings))
    program = str(Path(sys.executable).with_name("headrace"))

    def once() -> dict[str, str]:
        # A process of its own: Spark's workers know the credentials their session was started with.
        job = Process("headrace", [program, "run", "index_knowledge", "--once", "--config", str(file)], tmp_path)
        job.start()
        try:
            wait_until(lambda: not job.running(), "headrace run --once ends", 300)
        finally:
            job.kill9()
        assert job.child is not None and job.child.returncode == 0, job.log_tail()
        with closing(sqlite3.connect(tmp_path / "search.db")) as database:
            return dict(database.execute(SERVED).fetchall())

    server.put("articles", (article(f"a{number % 10}", number, f"Text {number}") for number in range(30)))
    assert once() == {f"a{number}": f"Text {20 + number}" for number in range(10)}
    server.split("articles", 1)
    server.put("articles", [article("a1", 100, "Newer"), article("a2", 101, "", "D"), article("a3", 5, "Late")])
    served = once()
    assert (served["a1"], served["a3"], "a2" in served, len(served)) == ("Newer", "Text 23", False, 9)
