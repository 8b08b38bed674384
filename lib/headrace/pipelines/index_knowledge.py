"""The job `index_knowledge`: documents -> passages -> indexes. Wiring only."""

import logging
import threading
import time

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_knowledge import FolderFeed, Knowledge, TableFeed
from headrace.errors import ConfigError, Retryable
from headrace.knowledge.documents import as_frame
from headrace.knowledge.indexer import JOB
from headrace.lake import Lake
from headrace.pipelines import document_feeds, document_streams, index_parts, sweeps
from headrace.pipelines.document_feeds import FolderWatch
from headrace.pipelines.index_parts import Parts
from headrace.pipelines.runtime import spark_session
from headrace.tables import CHANGED_KEYS

log = logging.getLogger("headrace")
POLL_SECONDS = 0.2


def run(config: Config, once: bool, stop: threading.Event) -> int:
    """Run the job until `stop` is set, or with `once` until every index is in step.

    Returns:
        0. What went wrong is raised.
    """
    settings = config.knowledge
    if settings is None:
        raise ConfigError(
            where="knowledge", expected="documents and indexes", found="nothing", todo="See docs/knowledge.md."
        )
    spark = spark_session(
        "headrace index_knowledge",
        kafka=document_streams.need_kafka(config),
        s3=config.lake.startswith("s3://"),
        settings=config.spark,
    )
    lake = Lake(spark, config.lake)
    parts = index_parts.build(lake, config, settings)
    job = _Job(lake, config, settings, parts, stop)
    try:
        job.start()
        return job.once() if once else job.stream()
    finally:
        job.streams.close()
        parts.close()


class _Job:
    """The loop: look at the feeds, take, serve, publish; embedding goes on beside it."""

    def __init__(self, lake: Lake, config: Config, settings: Knowledge, parts: Parts, stop: threading.Event) -> None:
        self._lake, self._config, self._settings, self._stop = lake, config, settings, stop
        self._parts, self._indexer, self._publishers = parts, parts.indexer, parts.publishers
        self._watches: list[FolderWatch] = []
        self.streams = document_streams.DocumentStreams(lake, config)
        self._keys_seen = -1
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Open what can fail, find what is behind, and take in what every feed has now."""
        self._parts.open()
        self._indexer.start()
        for name, feed in self._settings.documents.items():
            if isinstance(feed, FolderFeed):
                self._watches.append(sweeps.watch(self._lake, name, feed))
        self._keys_seen = self._lake.version(CHANGED_KEYS.path) if self._lake.exists(CHANGED_KEYS.path) else -1
        for name, feed in self._settings.documents.items():
            if isinstance(feed, TableFeed) and self._has_table(feed):
                self._take(self._row_events(name, feed, None))

    def once(self) -> int:
        """Until nothing is left to do."""
        self.streams.start(once=True)
        self._look()
        self.streams.drain(self._take, self._stop)
        while not self._stop.is_set():
            self._indexer.serve()
            if self._indexer.lacks_vectors:
                self._indexer.embed()
            elif not self._indexer.unserved:
                break
        while not self._stop.is_set():
            self._publish()
            if not any(publisher.late for publisher in self._publishers):
                break
            self._stop.wait(1)
        return 0

    def stream(self) -> int:
        """Until a stop is asked for."""
        embedding = threading.Thread(target=self._embed, daemon=True)
        embedding.start()
        self.streams.start()
        while not self._stop.is_set() and self._failure is None:
            began = time.monotonic()
            self._look()
            self._indexer.serve()
            self._publish()
            left = self._settings.trigger.total_seconds() - (time.monotonic() - began)
            while left > 0 and not self._has_work and not self._stop.wait(min(left, POLL_SECONDS)):
                left -= POLL_SECONDS
        self._stop.set()
        embedding.join()
        if self._failure is not None:
            raise self._failure
        return 0

    def _look(self) -> None:
        for watch in self._watches:
            if watch.due():
                try:
                    events = watch.look()
                except Retryable as error:
                    log.warning("feed=%s %s", watch.name, error)
                    continue
                if events:
                    self._take(as_frame(self._lake.spark, events))
        self._follow_keys()
        self.streams.look(self._take)

    @property
    def _has_work(self) -> bool:
        return self._indexer.unserved or self.streams.waiting

    def _follow_keys(self) -> None:
        feeds = {name: feed for name, feed in self._settings.documents.items() if isinstance(feed, TableFeed)}
        if not feeds or not self._lake.exists(CHANGED_KEYS.path):
            return
        newest = self._lake.version(CHANGED_KEYS.path)
        if newest == self._keys_seen:
            return
        try:
            keys = self._lake.appended(CHANGED_KEYS.path, self._keys_seen + 1, newest)
        except Lake.Missing:
            keys = None
        for name, feed in feeds.items():
            if self._has_table(feed):
                self._take(self._row_events(name, feed, keys))
        self._keys_seen = newest

    def _row_events(self, name: str, feed: TableFeed, keys: DataFrame | None) -> DataFrame:
        """Of the keys that changed; of the whole table where nobody can say which."""
        key = list(self._config.tables[feed.table].key)
        if keys is None:
            return document_feeds.all_row_events(self._lake, name, feed, key)
        mine = keys.where(F.col("table") == feed.table).select("key", "position")
        return document_feeds.row_events(self._lake, name, feed, key, mine)

    def _take(self, events: DataFrame) -> None:
        clock = time.monotonic()
        taken = self._indexer.take(events)
        if taken.sent:
            log.info(
                "job=%s sent=%s applied=%s stale=%s rejected=%s seconds=%.1f",
                JOB, taken.sent, taken.applied, taken.stale, taken.rejected, time.monotonic() - clock,
            )  # fmt: skip

    def _publish(self) -> None:
        for publisher in self._publishers:
            try:
                written = publisher.run()
            except Retryable as error:
                log.warning("store=%s %s", publisher.name, error)
                continue
            if written.applied or written.failed:
                log.info(
                    "store=%s applied=%s stale=%s rejected=%s late=%s",
                    publisher.name, written.applied, written.stale, len(written.failed), publisher.late,
                )  # fmt: skip

    def _embed(self) -> None:
        try:
            while not self._stop.is_set():
                if self._indexer.lacks_vectors:
                    found = self._indexer.embed()
                    log.info("job=%s embedded=%s failed=%s left=%s", JOB, found.made, found.failed, found.left)
                else:
                    self._stop.wait(POLL_SECONDS)
        except BaseException as error:
            self._failure = error

    def _has_table(self, feed: TableFeed) -> bool:
        return self._lake.exists(f"tables/{feed.table}")
