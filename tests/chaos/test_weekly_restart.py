"""Glue ends a streaming run after a week, hard, and starts another one: the tables are as if there had been one run.

The whole life of a deployment, through the script that Glue starts: a run that is killed in a batch, the next run, a
stop file, a run that does not start, and one that does.
"""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from glue_like import start
from headrace.pipelines.runtime import INTERPRETED
from headrace.stores.delta_reader import DeltaReader

pytestmark = pytest.mark.deep

SETTINGS = """
lake: {lake}
sources:
  feed: {{from: files, path: {inbox}, format: json, position: [seq], operation: {{column: op, delete: [D]}},
          max_files_per_batch: 2, changed_at: at}}
tables: {{users: {{source: feed, key: [id]}}}}
apply: {{trigger: 1s}}
metrics: {{every: 1s}}
"""


def test_runs_that_follow_one_another_leave_the_tables_of_one(tmp_path):
    world = _World(tmp_path)
    try:
        _live(world)
    finally:
        world.end()


def _live(world: "_World") -> None:
    world.write(0, 8)
    first = world.run("jr_1")
    world.wait_for(lambda: world.batches() >= 2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(30)
    world.write(8, 10)
    second = world.run("jr_1_restart_1")
    world.wait_for(lambda: world.rows() == world.expected)
    world.wait_for(lambda: world.heartbeat() == "jr_1_restart_1")

    world.stop_file.parent.mkdir()
    world.stop_file.touch()
    assert second.wait(180) == 0, world.log()
    world.write(10, 12)
    before = world.rows()
    assert world.run("jr_2").wait(180) == 0
    assert world.rows() == before and "nothing is run until it is removed" in world.log()

    world.stop_file.unlink()
    assert world.run("jr_3", "--once", "true").wait(300) == 0, world.log()
    assert world.rows() == world.expected
    lines = [json.loads(line) for line in world.log().splitlines() if line.startswith("{")]
    assert {"jr_1", "jr_1_restart_1", "jr_2", "jr_3"} == {line["run"] for line in lines}
    assert any("source=feed batch=0" in line["message"] and line["jobs"] == ["apply_changes"] for line in lines)


class _World:
    """A deployment on this disk; `expected` is what the table must hold, by a dict."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lake, self.inbox = folder, folder / "lake", folder / "in"
        self.stop_file = folder / "stop" / "apply_changes"
        self.inbox.mkdir()
        (folder / "headrace.yaml").write_text(SETTINGS.format(lake=self.lake, inbox=self.inbox))
        self.expected: dict[int, int] = {}
        self._newest: dict[int, int] = {}
        self._runs: list[subprocess.Popen[str]] = []
        self._random = random.Random(7)

    def write(self, first: int, end: int) -> None:
        """Files of changes, late and doubled ones among them."""
        for number in range(first, end):
            changes = []
            for _ in range(200):
                key, seq = self._random.randrange(150), number * 10_000 + self._random.randrange(15_000)
                op = "D" if self._random.random() < 0.1 else "U"
                changes.append({"id": key, "seq": seq, "op": op, "at": "2026-01-02T03:04:05Z"})
                self._apply(key, seq, op)
            text = "".join(json.dumps(change) + "\n" for change in [*changes, *changes[:20]])
            unfinished = self.folder / "unfinished.json"
            unfinished.write_text(text)
            unfinished.rename(self.inbox / f"{number:03}.json")

    def _apply(self, key: int, seq: int, op: str) -> None:
        if seq > self._newest.get(key, -1):
            self._newest[key] = seq
            self.expected.pop(key, None)
            if op == "U":
                self.expected[key] = seq

    def run(self, run: str, *more: str):
        arguments = ["--config", str(self.folder / "headrace.yaml"), "--JOB_RUN_ID", run, "--name", "prod"]
        arguments += ["--stop", str(self.stop_file), *more]
        self._runs.append(start("apply_changes", arguments, self.folder / "spark", spark=INTERPRETED))
        return self._runs[-1]

    def end(self) -> None:
        """Leave no process behind."""
        for run in self._runs:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait(30)

    def rows(self) -> dict[int, int]:
        reader = DeltaReader(str(self.lake))
        return {row["id"]: row["seq"] for row in reader.query("tables/users", "SELECT id, seq FROM rows")}

    def batches(self) -> int:
        reader = DeltaReader(str(self.lake))
        return len(reader.query("batches", "SELECT DISTINCT batch FROM rows")) if reader.exists("batches") else 0

    def heartbeat(self) -> str:
        file = self.lake / "heartbeats" / "apply_changes.json"
        return json.loads(file.read_text())["feed"]["run"] if file.exists() else ""

    def log(self) -> str:
        return (self.folder / "spark" / "apply_changes.log").read_text()

    def wait_for(self, what) -> None:
        deadline = time.monotonic() + 300
        while not what():
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.3)
