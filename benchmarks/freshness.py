"""Freshness: from the moment a row changes at the source until the change can be read in Delta.

    python benchmarks/freshness.py --tables 1 --seconds 300
    python benchmarks/freshness.py --tables 5 --seconds 300

A real Kafka broker, 1,000 Debezium events a second over tables that hold rows already, `headrace run apply_changes` as
its own process with a 2 s trigger. Every row carries the microsecond of its change. A change counts as visible at the
modification time of the first Delta commit whose files hold it; both clocks are this machine's. Printed: p50, p95 and
the worst, without the first minute (Spark's cold start, shown apart), and the driver's memory over the run.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from servers.driver import Driver
from servers.kafka import Kafka

GOALS = {1: 6.0, 5: 15.0}
WARM_UP = 60


@dataclass
class Run:
    """What one run saw: (sent, visible) seconds of every change found in Delta, memory in MB each second."""

    sent: int = 0
    started: float = 0.0
    memory: list[float] = field(default_factory=list)
    changes: list[tuple[float, float]] = field(default_factory=list)


def event(table: str, key: int, lsn: int, now: float, op: str, draw: Random) -> bytes:
    """One Debezium event of a ten-column row, about 600 bytes."""
    row = {
        "id": key,
        "sent_us": int(now * 1e6),
        "status": draw.choice(["held", "paid", "flown"]),
        "price": draw.randint(1, 10**6),
        **{f"text_{n}": f"{draw.getrandbits(64):016x}" for n in range(4)},
        "score": draw.random(),
        "flag": draw.random() < 0.5,
    }
    source = {"connector": "postgresql", "schema": "public", "table": table, "lsn": lsn, "ts_ms": int(now * 1e3)}
    body = {"before": None, "after": row, "source": {**source, "snapshot": "false"}, "op": op, "ts_ms": int(now * 1e3)}
    return json.dumps(body).encode()


class Feed:
    """Sends events of random keys, evenly over the tables."""

    def __init__(self, kafka: Kafka, tables: list[str], keys: int) -> None:
        self.kafka, self.tables, self.keys = kafka, tables, keys
        self.draw, self.lsn = Random(1), 1000

    def load(self, rows: int) -> None:
        """Inserts rows: the tables' content before the run."""
        for number in range(rows):
            self._send(self.tables[number % len(self.tables)], number // len(self.tables), "c")
        self.kafka.flush(120)

    def stream(self, rate: int, seconds: float, run: Run) -> None:
        """Sends `rate` updates a second for `seconds`, in steps of 20 ms."""
        run.started = time.time()
        while (elapsed := time.time() - run.started) < seconds:
            for _ in range(int(elapsed * rate) - run.sent):
                self._send(self.draw.choice(self.tables), self.draw.randrange(self.keys), "u")
                run.sent += 1
            time.sleep(0.02)
        self.kafka.flush(60)

    def _send(self, table: str, key: int, op: str) -> None:
        self.lsn += 8
        value = event(table, key, self.lsn, time.time(), op, self.draw)
        self.kafka.send(f"fresh.public.{table}", json.dumps({"id": key}).encode(), value)


def visible(lake: Path, table: str) -> Iterator[tuple[float, float]]:
    """(sent, visible) of every change, from the files each commit added; a row copied by a later commit counts once."""
    folder, seen = lake / "tables" / table, set()
    for commit in sorted((folder / "_delta_log").glob("*[0-9].json")):
        moment = commit.stat().st_mtime
        for line in commit.read_text().splitlines():
            action = json.loads(line)
            if "add" not in action:
                continue
            data = pq.read_table(folder / unquote(action["add"]["path"]), columns=["id", "sent_us"])
            for change in zip(data["id"].to_pylist(), data["sent_us"].to_pylist(), strict=True):
                if change not in seen:
                    seen.add(change)
                    yield change[1] / 1e6, moment


def measure(folder: Path, tables: list[str], given: argparse.Namespace) -> Run:
    """Loads the tables, then streams into them; returns what was seen."""
    run, kafka = Run(), Kafka(folder / "kafka").start()
    source = {"from": "kafka", "servers": kafka.servers, "topics": ["fresh.public.*"], "format": "debezium"}
    settings: dict[str, Any] = {
        name: {"source": "feed", "source_table": f"public.{name}", "key": ["id"]} for name in tables
    }
    # The settings a user has, not those that make short tests quick.
    driver = Driver(folder / "headrace", {"feed": source}, settings, apply={"trigger": given.trigger}, spark={})
    try:
        for name in tables:
            kafka.create_topic(f"fresh.public.{name}", partitions=2)
        feed = Feed(kafka, tables, given.rows // len(tables))
        feed.load(given.rows)
        driver.once(600)
        print(f"{given.rows} rows loaded, streaming for {given.seconds} s", flush=True)
        driver.start()
        sender = threading.Thread(target=feed.stream, args=(given.rate, given.seconds, run))
        sender.start()
        while sender.is_alive():
            run.memory.append(driver.process.rss_mb())
            sender.join(1)
        driver.stop(120)
        driver.once(600)
    finally:
        driver.kill9()
        kafka.stop()
    changes = (pair for name in tables for pair in visible(driver.lake, name))
    run.changes = sorted(pair for pair in changes if pair[0] >= run.started)
    return run


def report(run: Run, given: argparse.Namespace) -> None:
    """Prints the measured table."""
    end = run.started + given.seconds
    warm = [seen - sent for sent, seen in run.changes if run.started + given.warm_up <= sent < end - 10]
    cold = [seen - sent for sent, seen in run.changes if sent < run.started + given.warm_up]
    minutes = [median(run.memory[start : start + 60]) for start in range(0, len(run.memory), 60)]
    print(f"tables {given.tables}, {run.sent / given.seconds:.0f} changes/s, trigger {given.trigger}")
    print(f"changes seen           {len(run.changes)} of {run.sent} (a key changed twice in one batch shows once)")
    if len(warm) > 20:
        cuts = quantiles(warm, n=100)
        goal = GOALS.get(given.tables)
        verdict = f"  (goal p95 <= {goal:.0f} s: {'met' if cuts[94] <= goal else 'MISSED'})" if goal else ""
        print(
            f"fresh after            p50 {median(warm):.1f} s   p95 {cuts[94]:.1f} s   max {max(warm):.1f} s{verdict}"
        )
    if cold:
        print(f"cold start, {given.warm_up:3d} s      p50 {median(cold):.1f} s   max {max(cold):.1f} s")
    peak = max(run.memory, default=0.0)
    print(f"driver memory (RSS)    {', '.join(f'{one:.0f}' for one in minutes)} MB by the minute   peak {peak:.0f} MB")


def main() -> None:
    """Runs one measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--rate", type=int, default=1000, help="changes a second, all tables together")
    parser.add_argument("--rows", type=int, default=100_000, help="rows in the tables before the run")
    parser.add_argument("--trigger", default="2s")
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help="seconds at the start that are shown apart")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="freshness-") as scratch:
        report(measure(Path(scratch), [f"t{n}" for n in range(given.tables)], given), given)


if __name__ == "__main__":
    main()
