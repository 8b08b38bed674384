"""Freshness of profiles: from the moment a row changes at the source until the changed profile can be read in a store.

    python benchmarks/profile_freshness.py --people 20000 --seconds 300

A real Kafka broker, 500 Debezium events a second that update customers; `headrace run apply_changes` and `headrace run
build_profiles` as processes of their own, both with a 2 s trigger, and one SQLite file as the store. One event in
twenty gives the customer another address, so that identity is looked at anew. Every row carries the microsecond of its
change, and the profile shows it. Printed: p50, p95 and the worst, without the time of warming up. Of changes of one
customer that fall into one batch the newest alone is seen.
"""

import argparse
import json
import os
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import _profiles_world as world

from servers.driver import Driver
from servers.kafka import Kafka
from servers.process import Process, wait_until

GOAL = 15.0
KEY = "HEADRACE_HASH_KEY"
_NEW = "select version, body from rows where version > ? and not deleted and key like 'p:%'"


class Feed:
    """Sends rows of customers."""

    def __init__(self, kafka: Kafka, people: int) -> None:
        self.kafka, self.people, self.draw, self.lsn = kafka, people, Random(1), 1000

    def load(self) -> None:
        """Every customer once."""
        for number in range(self.people):
            self._send(number, f"u{number}@example.com")
        self.kafka.flush(120)

    def stream(self, rate: int, seconds: float) -> None:
        """Updates of customers at random, in steps of 20 ms."""
        began, sent = time.time(), 0
        while (elapsed := time.time() - began) < seconds:
            for _ in range(int(elapsed * rate) - sent):
                number = self.draw.randrange(self.people)
                other = f".{self.draw.randrange(99)}" if self.draw.random() < 0.05 else ""
                self._send(number, f"u{number}{other}@example.com")
                sent += 1
            time.sleep(0.02)
        self.kafka.flush(60)

    def _send(self, number: int, email: str) -> None:
        self.lsn += 8
        now = time.time()
        row = {"customer_id": f"c{number}", "name": f"Name {number}", "city": str(int(now * 1e6)), "email": email,
               "phone": f"+4930{number:08}"}  # fmt: skip
        source = {"connector": "postgresql", "schema": "public", "table": "customers", "lsn": self.lsn,
                  "ts_ms": int(now * 1e3), "snapshot": "false"}  # fmt: skip
        body = {"before": None, "after": row, "source": source, "op": "u", "ts_ms": int(now * 1e3)}
        key = json.dumps({"customer_id": row["customer_id"]}).encode()
        self.kafka.send("fresh.public.customers", key, json.dumps(body).encode())


class Seen:
    """What the store shows, and since when."""

    def __init__(self, path: Path) -> None:
        self._path, self._version, self._known = path, -1, set[tuple[str, int]]()
        self.changes: list[tuple[float, float]] = []

    def look(self) -> int:
        """Take note of the profiles that are new; how many people there have been."""
        if self._path.exists():
            connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
            try:
                rows = connection.execute(_NEW, [self._version]).fetchall()
            except sqlite3.OperationalError:  # its tables are being made
                rows = []
            finally:
                connection.close()
            now = time.time()
            for version, body in rows:
                self._version = max(self._version, version)
                self._note(json.loads(body), now)
        return len({person for person, _ in self._known})

    def _note(self, body: dict, now: float) -> None:  # type: ignore[type-arg]
        if body["kind"] != "profile":
            return
        sent = int(body["profile"]["fields"]["city"]["value"])
        if (body["person"], sent) not in self._known:
            self._known.add((body["person"], sent))
            self.changes.append((sent / 1e6, now))


def measure(folder: Path, given: argparse.Namespace) -> list[tuple[float, float]]:
    """Load, stream, watch; (sent, visible) of the changes that were sent after the warm-up."""
    kafka = Kafka(folder / "kafka").start()
    source = {"from": "kafka", "servers": kafka.servers, "topics": ["fresh.public.*"], "format": "debezium"}
    store = folder / "profiles.db"
    told = world.settings("", str(store), {"feed": source})
    tables = {"customers": told["tables"]["customers"]}
    os.environ.setdefault(KEY, "a secret for a benchmark")
    profiles = {**told["profiles"], "related": {}, "trigger": given.trigger, "hash_key": {"secret": f"env:{KEY}"}}
    profiles["records"] = {"shop": told["profiles"]["records"]["shop"]}
    driver = Driver(
        folder / "headrace", {"feed": source}, tables, apply={"trigger": given.trigger}, spark={}, profiles=profiles
    )
    command = [*driver.command[:2], "build_profiles", *driver.command[3:]]
    (folder / "job").mkdir()
    job, seen = Process("build_profiles", command, folder / "job"), Seen(store)
    try:
        kafka.create_topic("fresh.public.customers", partitions=2)
        feed = Feed(kafka, given.people)
        feed.load()
        driver.once(900)
        driver.start()
        job.start()
        wait_until(lambda: seen.look() >= given.people, "every profile is in the store", 1800, every=1)
        print(f"{given.people:,} profiles in the store; changes for {given.seconds} s", flush=True)
        sender = threading.Thread(target=feed.stream, args=(given.rate, given.seconds))
        began = time.time()
        sender.start()
        while time.time() < began + given.seconds + given.after:
            seen.look()
            time.sleep(0.2)
        sender.join()
        if not (job.running() and driver.process.running()):
            raise SystemExit(job.log_tail() + driver.process.log_tail())
        print(job.log_tail(12))
    finally:
        job.kill9()
        driver.kill9()
        kafka.stop()
    last = began + given.seconds
    return [change for change in seen.changes if began + given.warm_up <= change[0] <= last]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--warm-up", type=int, default=120)
    parser.add_argument("--after", type=int, default=60, help="seconds the store is watched after the last change")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--trigger", default="2s")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="profile-freshness-") as scratch:
        took = [visible - sent for sent, visible in measure(Path(scratch), given)]
    if len(took) < 20:
        raise SystemExit(f"expected at least 20 changes; found {len(took)} that the store showed")
    p95 = quantiles(took, n=100)[94]
    verdict = "met" if p95 <= GOAL else "MISSED"
    print(f"{given.rate} changes/s, trigger {given.trigger}, {len(took)} changes seen")
    print(
        f"fresh after p50 {median(took):.1f} s   p95 {p95:.1f} s   worst {max(took):.1f} s   goal {GOAL} s: {verdict}"
    )


if __name__ == "__main__":
    main()
