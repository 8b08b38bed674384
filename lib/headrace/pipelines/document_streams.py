"""Streams of document events: object events of folders, JSON events that are documents.

Spark hands over a batch in a thread of its own and waits. The job's thread takes it, as that alone may write; a batch
that was taken and not marked done comes again, which changes nothing.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config, Table
from headrace.config_knowledge import EventFeed, FolderFeed, stream_source
from headrace.config_sources import FilesSource, KafkaSource, KinesisSource, Source
from headrace.errors import Retryable
from headrace.knowledge.indexer import JOB
from headrace.lake import Lake, Transaction
from headrace.pipelines import event_feed, object_feed, streams
from headrace.pipelines.lag import feed_checkpoint
from headrace.pipelines.streams import POLL_SECONDS, StreamStopping
from headrace.stores import objects, schema_registry
from headrace.tables import REJECTS

log = logging.getLogger("headrace")
RETRY_SECONDS = 5.0
MESSAGES_AT_ONCE, FILES_AT_ONCE = 1000, 100

Take = Callable[[DataFrame], None]
"""Takes document events, schema `documents.EVENTS`."""


class _Stream:
    """One feed's stream."""

    def __init__(self, name: str, feed: FolderFeed | EventFeed, source: str, config: Config) -> None:
        self.name, self.feed, self._source_name = name, feed, source
        self.source = _in_small_batches(config.sources[source])
        self.checkpoint = feed_checkpoint(config, name, self._source_name)
        self.query: StreamingQuery | None = None
        self.restarted = False
        key = (feed.id,) if isinstance(feed, EventFeed) else object_feed.KEY
        table = Table(source=self._source_name, key=key, max_row_bytes=self.source.max_message_bytes)
        self._routes = Routes({name: table})

    def check(self) -> None:
        """Raise Unreachable where nothing can be loaded now: no document may count as gone then."""
        if isinstance(self.feed, FolderFeed):
            objects.check(self.feed.path)

    def envelopes(self, records: DataFrame) -> DataFrame:
        """Messages as changes with `document`, rejects and ignored ones."""
        registry = schema_registry.client_of(self.source)
        found = decoded(
            records, self._source_name, self.source, self._routes, {}, ignore_unknown=True, registry=registry
        )
        if isinstance(self.feed, EventFeed):
            return event_feed.checked(found, self.feed)
        return object_feed.checked(found, self.feed)

    def events(self, changes: DataFrame) -> DataFrame:
        """Changes as document events."""
        if isinstance(self.feed, EventFeed):
            return event_feed.events(changes, self.name, self.feed)
        return object_feed.events(changes, self.name, self.feed)


@dataclass(slots=True, eq=False)
class _Batch:
    """A batch that Spark waits for."""

    stream: _Stream
    frame: DataFrame
    number: int
    taken: threading.Event = field(default_factory=threading.Event)


class DocumentStreams:
    """The streams of all feeds that have one. All methods belong to the job's thread."""

    def __init__(self, lake: Lake, config: Config) -> None:
        self._lake, self._config = lake, config
        self._streams = list(_streams(config))
        self._waiting: deque[_Batch] = deque()
        self._arrived, self._closed = threading.Event(), threading.Event()
        self._once = False
        self._retry_at = 0.0

    def start(self, once: bool = False) -> None:
        """Start all of them: with `once` for what is there, else for good. What comes waits for `look`."""
        self._once = once
        for stream in self._streams:
            self._start(stream)

    @property
    def waiting(self) -> bool:
        """Whether `look` has something to do."""
        return bool(self._waiting) and time.monotonic() >= self._retry_at

    def look(self, take: Take) -> None:
        """Take the batches that wait.

        Raises:
            Exception: what made a stream end, or made taking fail.
            Unreachable: with `once`, where a folder does not answer. Otherwise its batch goes on waiting.
        """
        for _ in range(len(self._waiting)):
            batch = self._waiting[0]
            try:
                batch.stream.check()
            except Retryable as error:
                if self._once:
                    raise
                log.warning("feed=%s %s", batch.stream.name, error)
                self._retry_at = time.monotonic() + RETRY_SECONDS
                self._waiting.rotate(-1)
                continue
            try:
                self._take(batch, take)
            except Exception as error:
                raise streams.explained(error, batch.stream.name) from error
            self._waiting.popleft().taken.set()
        self._mend()

    def drain(self, take: Take, stop: threading.Event) -> None:
        """Take batches until all streams have ended by themselves, or a stop was asked for. Raises as `look` does."""
        while not stop.is_set():
            over = not self._running()
            self.look(take)
            if over and not self._running():
                return
            self._arrived.wait(POLL_SECONDS)
            self._arrived.clear()

    def close(self) -> None:
        """End all streams; a batch that was taken is marked done, one that waits comes again at the next start."""
        self._closed.set()
        for stream in self._streams:
            if stream.query is not None:
                streams.end(stream.query)

    def _start(self, stream: _Stream) -> None:
        def hand_over(frame: DataFrame, number: int) -> None:
            batch = _Batch(stream, frame, number)
            self._waiting.append(batch)
            self._arrived.set()
            while not batch.taken.wait(POLL_SECONDS):
                if self._closed.is_set():
                    raise StreamStopping

        seconds = self._config.knowledge.trigger.total_seconds() if self._config.knowledge else 0
        name = f"{JOB}/{stream.name}"
        made = streams.writer(
            self._lake.spark, name, stream.source, hand_over, stream.checkpoint, self._once, self._config.runtime
        )
        stream.query = streams.start(made, stream.source, self._once, seconds)

    def _running(self) -> bool:
        return any(stream.query is not None and stream.query.isActive for stream in self._streams)

    def _mend(self) -> None:
        for stream in self._streams:
            if stream.query is None or stream.query.isActive:
                continue
            failure = streams.failure(stream.query)
            if failure is None:
                continue
            if stream.restarted or not streams.only_unreported(failure):
                raise failure
            stream.restarted = True
            self._start(stream)

    def _take(self, batch: _Batch, take: Take) -> None:
        clock, stream = time.monotonic(), batch.stream
        records = streams.messages(batch.frame, stream.source)
        if records is None:
            return
        envelopes = stream.envelopes(records).localCheckpoint(eager=False)
        counts = {row["op"]: int(row["count"]) for row in envelopes.groupBy("op").count().collect()}
        if counts.get("reject"):
            self._reject(envelopes.where("op = 'reject'"), batch)
        changes = sum(counts.get(op, 0) for op in ("upsert", "delete"))
        if changes:
            take(stream.events(envelopes.where("op IN ('upsert', 'delete')")))
        log.info(
            "feed=%s batch=%s sent=%s changes=%s rejected=%s ignored=%s seconds=%.1f",
            stream.name, batch.number, sum(counts.values()), changes, counts.get("reject", 0), counts.get("ignored", 0),
            time.monotonic() - clock,
        )  # fmt: skip

    def _reject(self, refused: DataFrame, batch: _Batch) -> None:
        query = batch.stream.query
        assert query is not None
        rows = refused.select(
            F.lit(batch.stream.name).alias("source"), "source_table", F.lit("documents").alias("table"), "reason",
            "detail", F.col("document").alias("key"), "position", "arrived_at",
            F.current_timestamp().alias("rejected_at"), "message_key", "message", "headers", "origin",
            F.lit(f"{JOB}/{batch.stream.name}/{batch.number}").alias("batch"),
            F.lit(datetime.now(UTC).date()).alias("day"),
        )  # fmt: skip
        exact = Transaction(f"headrace/{query.id}/rejects", batch.number)
        self._lake.append(rows, self._lake.ensure(REJECTS, job=JOB), exact)


def _in_small_batches(source: Source) -> Source:
    """Documents cost more than rows: a backlog must not hold up a delete, a publisher or a stop for long."""
    if isinstance(source, KafkaSource):
        return source.model_copy(update={"max_offsets_per_batch": min(source.max_offsets_per_batch, MESSAGES_AT_ONCE)})
    if isinstance(source, KinesisSource):
        return source.model_copy(update={"max_records_per_batch": min(source.max_records_per_batch, MESSAGES_AT_ONCE)})
    if isinstance(source, FilesSource):
        return source.model_copy(update={"max_files_per_batch": min(source.max_files_per_batch, FILES_AT_ONCE)})
    return source


def _streams(config: Config) -> Iterator[_Stream]:
    for name, feed in config.knowledge.documents.items() if config.knowledge else ():
        source = stream_source(feed)
        if isinstance(feed, FolderFeed | EventFeed) and source:
            yield _Stream(name, feed, source, config)
