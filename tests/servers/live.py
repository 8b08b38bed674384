"""A whole deployment on real servers, and changes followed through it.

PostgreSQL -> Debezium -> Kafka -> `apply_changes` -> a MongoDB-wire store; a document -> `index_knowledge` ->
OpenSearch; an assistant without Spark that answers from both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from . import topics
from .assistant import Assistant
from .connect import Connect
from .driver import Driver
from .kafka import Kafka
from .opensearch import OpenSearch
from .postgres import Postgres
from .process import Process, ServerError, wait_until
from .secantus import Secantus

QUESTION = "Is LH400 delayed, and when do travellers get a meal voucher?"
DOCUMENT = "# Delays\n\nTravellers get a meal voucher after two hours.\n\n# Bags\n\nOne cabin bag is free.\n"
TABLE = """
create table flights (flight_id bigint primary key, number text not null, day date not null, status text not null);
insert into flights select n, 'LH' || n, '2026-12-01', 'on time' from generate_series(400, 419) n
"""
STALE_AFTER = 20
"""Seconds. While all is well the rows are confirmed about every ten."""


class NotFollowed(AssertionError):
    """What the assistant tells did not change in time."""


@dataclass(frozen=True, slots=True)
class Update:
    """One UPDATE that was committed.

    Attributes:
        began: when it was sent, by the monotonic clock.
        before, after: the ends of PostgreSQL's log around it.
    """

    status: str
    began: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the assistant tells of the flight.

    Attributes:
        row: the item of the context.
    """

    row: dict[str, Any]
    answer: dict[str, Any]

    def tells(self, update: Update) -> bool:
        """Whether the row holds what was written."""
        return f'status: "{update.status}"' in self.row["text"]


class Deployment:
    """All parts; Kafka and OpenSearch are the caller's."""

    def __init__(self, folder: Path, kafka: Kafka, opensearch: OpenSearch) -> None:
        self.folder, self.kafka, self.opensearch = folder, kafka, opensearch
        self.postgres, self.mongodb = Postgres(folder / "postgres"), Secantus(folder / "secantus")
        self.name = f"live{uuid4().hex[:8]}"
        self.environment = {"MONGODB": self.mongodb.uri}
        self.topic = f"{self.name}.public.flights"
        self.connect = Connect(folder / "connect", kafka, self.postgres, "public.flights", self.name)
        self.publisher = self._publisher()
        program, _, _, *config = self.publisher.command
        command = [program, "run", "index_knowledge", "--once", *config]
        self.indexing = Process("indexing", command, folder, self.environment)
        self.assistant = Assistant(folder, self.publisher.config, self.environment)
        self._updates = 0

    def open(self) -> "Deployment":
        """Starts everything and returns when the assistant knows the flight."""
        self.postgres.start()
        self.mongodb.start()
        with self.postgres.connect() as connection:
            connection.execute(TABLE)
        self.kafka.create_topic(self.topic)
        self.indexing.start()
        self.publisher.start()
        self.connect.start()
        wait_until(lambda: not self.indexing.running(), "index_knowledge ends", 600)
        if self.indexing.stop() != 0:
            raise ServerError(f"index_knowledge failed:\n{self.indexing.log_tail()}")
        self.assistant.start()
        self.until(lambda seen: 'number: "LH400"' in seen.row["text"], "of the flight")
        return self

    def update(self) -> Update:
        """Gives the flight a status it never had, and then another flight one: the newest change of all is not ours."""
        self._updates += 1
        status = f"delayed by {self._updates:04} minutes"
        with self.postgres.connect() as connection:
            before, began = _log_end(connection), time.monotonic()
            connection.execute("update flights set status = %s where number = 'LH400'", [status])
            after = _log_end(connection)
            connection.execute("update flights set status = %s where number = 'LH401'", [f"{status} too"])
            return Update(status, began, before, after)

    def told(self, update: Update, seconds: float = 120) -> int:
        """The position in PostgreSQL's log that Debezium gives for an UPDATE, read from Kafka."""

        def found() -> set[int]:
            told = [one.value for one in topics.read(self.kafka.servers, self.topic) if one.value]
            return {one["source"]["lsn"] for one in told if one["after"]["status"] == update.status}

        wait_until(lambda: bool(found()), "the UPDATE is in Kafka", seconds)
        (position,) = found()
        return position

    def follow(self, update: Update, seconds: float = 300) -> tuple[float, Seen]:
        """Asks until the assistant tells of the change: the seconds since the UPDATE, and what was seen.

        Raises NotFollowed when it does not within so many seconds.
        """
        seen = self.until(lambda seen: seen.tells(update), f"of {update.status!r}", seconds)
        return time.monotonic() - update.began, seen

    def until(self, right: Callable[[Seen], bool], what: str, seconds: float = 300) -> Seen:
        """Asks until what is seen is right. Raises NotFollowed when it is not in time."""
        until = time.monotonic() + seconds
        while True:
            answer = self.assistant.ask(QUESTION)
            seen = [Seen(item, answer) for item in answer["context"]["items"] if item["kind"] == "row"]
            if len(seen) == 1 and right(seen[0]):
                return seen[0]
            if time.monotonic() > until:
                found = [one.row for one in seen] or answer["context"]["gaps"]
                raise NotFollowed(f"expected the assistant to tell {what} within {seconds} s; found {found}")
            time.sleep(0.2)

    def close(self) -> None:
        """Stops what was started here."""
        self.publisher.kill9()
        self.indexing.kill9()
        for part in (self.assistant, self.connect, self.mongodb, self.postgres):
            part.stop()

    def _publisher(self) -> Driver:
        (documents := self.folder / "documents").mkdir()
        (documents / "delays.md").write_text(DOCUMENT)
        filters = {"number": {"in_question": "[A-Z]{2}[0-9]{3}"}}
        served = {"store": "live", "about": "A flight.", "filters": filters, "stale_after": f"{STALE_AFTER}s"}
        store = {"store": "documentdb", "uri": {"secret": "env:MONGODB"}, "tls": False, "collection": self.name}
        index = {"store": "opensearch", "hosts": [self.opensearch.url], "index": self.name}
        return Driver(
            self.folder / "headrace",
            {"shop": {"from": "kafka", "servers": self.kafka.servers, "topics": [self.topic],
                      "format": "debezium"}},
            {"flights": {"source": "shop", "source_table": "public.flights", "key": ["flight_id"], "serve": served}},
            self.environment,
            serve={"stores": {"live": store}},
            knowledge={"documents": {"policies": {"from": "folder", "path": str(documents)}},
                       "indexes": {"search": index}},
            assistant={"context": {"rows": {"timeout": "30s"}}},
            apply={"trigger": "1s"},
        )  # fmt: skip


def _log_end(connection: Any) -> int:
    row = connection.execute("select pg_current_wal_insert_lsn() - '0/0'").fetchone()
    return int(row[0])
