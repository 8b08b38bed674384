"""What the guard costs: a store of rows by key against a bulk load of the same rows without any guard.

    python benchmarks/keyed_stores.py [--store sqlite|documentdb|dynamodb|all] [--rows 10000]

Each round writes every row once: first into nothing, then all of them again with a higher version, then the same again
(all stale). The baseline writes the same text under the same keys, by the fastest call that looks at no version: SQLite
`insert or replace`, MongoDB `ReplaceOne(upsert)` in unordered bulks, DynamoDB `PutItem` in as many threads and, as a
second one, `BatchWriteItem`, which knows no conditions at all. Both sides run in turns, on the same server; each is
told by its best round. DocumentDB is SecantusDB here, DynamoDB is DynamoDB Local: neither is AWS.
"""

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import msgspec

from headrace.config_keyed_stores import KeyedStore, SqliteRows
from headrace.ports import Projected
from headrace.stores import dynamodb_table, keyed
from servers.dynamodb import ENVIRONMENT, DynamoDbLocal
from servers.secantus import Secantus

ROUNDS = 3
AT_ONCE = 2_000  # what the publisher hands over
GOAL = 0.7
FACT = {"value": "some words of a fact", "source": "crm", "at": "2026-11-26T00:00:00Z", "age": 12}
BODY = {"person": "01JABCDEFGHJKMNPQRSTVWXYZ", "facts": {f"fact{at}": FACT for at in range(20)}}


def rows(count: int, version: int) -> list[Projected]:
    """Rows of about 2 KB."""
    return [Projected(f"p:{at:012}", version, False, {**BODY, "n": at}) for at in range(count)]


def slices(count: int, size: int) -> Iterator[slice]:
    """Cuts of a list."""
    return (slice(at, at + size) for at in range(0, count, size))


def guarded(settings: KeyedStore, count: int) -> dict[str, float]:
    """Seconds for rows that are new, changed and stale; and for one read of three keys."""
    store = keyed.rows(settings)
    store.open("bench")
    took = {}
    for what, version in (("new", 1), ("changed", 2), ("stale", 2)):
        every = rows(count, version)
        began = time.monotonic()
        done = [store.write(every[cut]) for cut in slices(count, AT_ONCE)]
        took[what] = time.monotonic() - began
        assert not any(one.failed for one in done)
        assert sum(one.stale if what == "stale" else one.applied for one in done) == count, what
    store.close()
    reader = keyed.reader(settings)
    reads = []
    for at in range(200):
        began = time.monotonic()
        assert len(reader.read([f"p:{(at * 7 + part) % count:012}" for part in (0, 1, 2)])) == 3
        reads.append(time.monotonic() - began)
    reader.close()
    took["read"] = statistics.median(reads)
    return took


def twice(count: int, write: Callable[[list[tuple[str, str, int]]], None]) -> dict[str, float]:
    """Seconds of a baseline for rows that are new and changed. Making the text is part of its work, as of ours."""
    took = {}
    for what, version in (("new", 1), ("changed", 2)):
        every = rows(count, version)
        began = time.monotonic()
        for cut in slices(count, AT_ONCE):
            write([(row.key, msgspec.json.encode(row.body).decode(), row.version) for row in every[cut]])
        took[what] = time.monotonic() - began
    return took


def sqlite_by_hand(path: str, count: int) -> dict[str, float]:
    """`insert or replace` into a table of the same columns, a transaction for each slice."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(
        "create table rows (id integer primary key, key text not null unique, version integer, body text)"
    )

    def write(some: list[tuple[str, str, int]]) -> None:
        connection.execute("begin immediate")
        connection.executemany("insert or replace into rows (key, body, version) values (?, ?, ?)", some)
        connection.execute("commit")

    took = twice(count, write)
    connection.close()
    return took


def documentdb_by_hand(server: Secantus, collection: str, count: int) -> dict[str, float]:
    """`ReplaceOne` with upsert, unordered, 200 a bulk, four bulks at a time, kept by a majority."""
    from pymongo import ReplaceOne

    with server.client(w="majority", retryWrites=False) as client:
        kept = client["headrace"][collection]

        def send(some: list[tuple[str, str, int]]) -> None:
            requests = [ReplaceOne({"_id": key}, {"v": at, "body": text}, upsert=True) for key, text, at in some]
            kept.bulk_write(requests, ordered=False)

        with ThreadPoolExecutor(4) as pool:
            return twice(
                count, lambda some: list(pool.map(send, (some[cut] for cut in slices(len(some), 200)))) and None
            )


def dynamodb_by_hand(server: DynamoDbLocal, table: str, count: int, batches: bool) -> dict[str, float]:
    """`PutItem`, or `BatchWriteItem` with 25 rows, in four threads."""
    settings = server.settings(table)
    client = dynamodb_table.client(settings)
    dynamodb_table.make(client, settings)

    def item(row: tuple[str, str, int]) -> dict[str, Any]:
        key, text, at = row
        return {"pk": {"S": key}, "v": {"N": str(at)}, "body": {"S": text}}

    def put(row: tuple[str, str, int]) -> None:
        client.put_item(TableName=table, Item=item(row))

    def put_some(some: list[tuple[str, str, int]]) -> None:
        wanted = {table: [{"PutRequest": {"Item": item(row)}} for row in some]}
        assert not client.batch_write_item(RequestItems=wanted).get("UnprocessedItems")

    def write(some: list[tuple[str, str, int]]) -> None:
        if batches:
            list(pool.map(put_some, [some[cut] for cut in slices(len(some), 25)]))
        else:
            list(pool.map(put, some))

    with ThreadPoolExecutor(4) as pool:
        took = twice(count, write)
    client.close()
    return took


def told(what: str, count: int, ours: list[dict[str, float]], by_hand: list[dict[str, float]]) -> None:
    """Print a line of the table for new rows, and one for changed ones."""
    for kind in ("new", "changed"):
        mine = min(took[kind] for took in ours)
        theirs = min(took[kind] for took in by_hand)
        verdict = "met" if theirs / mine >= GOAL else "MISSED"
        print(
            f"{what}: {count} {kind} rows, guarded {count / mine:.0f}/s, unguarded {count / theirs:.0f}/s: "
            f"{theirs / mine:.0%}, goal {GOAL:.0%}: {verdict}",
            flush=True,
        )
    stale, read = (min(took[kind] for took in ours) for kind in ("stale", "read"))
    print(f"{what}: {count / stale:.0f} stale rows/s; three keys are read in {read * 1000:.2f} ms", flush=True)


def sqlite(scratch: Path, count: int) -> None:
    """A file against a file."""
    ours, by_hand = [], []
    for at in range(ROUNDS):
        ours.append(guarded(SqliteRows(path=str(scratch / f"ours{at}.db")), count))
        by_hand.append(sqlite_by_hand(str(scratch / f"hand{at}.db"), count))
    told("sqlite", count, ours, by_hand)


def documentdb(scratch: Path, count: int) -> None:
    """A collection against a collection."""
    server = Secantus(scratch / "secantus").start()
    ours, by_hand = [], []
    try:
        for at in range(ROUNDS):
            ours.append(guarded(server.settings(f"ours{at}"), count))
            by_hand.append(documentdb_by_hand(server, f"hand{at}", count))
    finally:
        server.stop()
    told("documentdb stand-in", count, ours, by_hand)


def dynamodb(scratch: Path, count: int) -> None:
    """A table against a table, and against writes in batches."""
    os.environ.update(ENVIRONMENT)
    server = DynamoDbLocal(scratch / "dynamodb", in_memory=True).start()
    ours, by_hand, in_batches = [], [], []
    try:
        for at in range(ROUNDS):
            ours.append(guarded(server.settings(f"ours{at}"), count))
            by_hand.append(dynamodb_by_hand(server, f"hand{at}", count, batches=False))
            in_batches.append(dynamodb_by_hand(server, f"batch{at}", count, batches=True))
    finally:
        server.stop()
    told("dynamodb local, PutItem", count, ours, by_hand)
    told("dynamodb local, BatchWriteItem", count, ours, in_batches)


def main() -> None:
    """Measure and print."""
    parts = {"sqlite": sqlite, "documentdb": documentdb, "dynamodb": dynamodb}
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", choices=(*parts, "all"), default="all")
    parser.add_argument("--rows", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name, part in parts.items():
            if given.store in (name, "all"):
                part(Path(scratch), given.rows)


if __name__ == "__main__":
    main()
