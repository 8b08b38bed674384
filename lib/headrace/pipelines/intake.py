"""What every feed of documents has to say, handed to the indexer piece by piece."""

import logging
import threading
import time
from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_knowledge import FolderFeed, Knowledge, TableFeed
from headrace.errors import Retryable
from headrace.knowledge.documents import DocumentEvent, as_frame
from headrace.knowledge.indexer import JOB, Indexer
from headrace.knowledge.ready import Document
from headrace.lake import Lake
from headrace.pipelines import document_feeds, sweeps
from headrace.pipelines.document_feeds import FolderWatch
from headrace.pipelines.document_streams import DocumentStreams
from headrace.pipelines.telemetry import Telemetry
from headrace.tables import CHANGED_KEYS

log = logging.getLogger("headrace")
DOCUMENTS = "documents"
"""What measures of all feeds together are called."""
EVENTS_AT_ONCE = 200
"""Events of folders that one round takes in: a backlog of documents must not hold up a delete."""


class Intake:
    """Watched folders, followed tables and streams of events. All methods belong to the job's thread."""

    def __init__(
        self,
        lake: Lake,
        config: Config,
        settings: Knowledge,
        indexer: Indexer,
        fingerprints: Mapping[str, str],
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry(config.metrics)
        self._lake, self._config, self._settings = lake, config, settings
        self._indexer, self._fingerprints = indexer, fingerprints
        self._watches: list[FolderWatch] = []
        self._pending: dict[Document, DocumentEvent] = {}
        self._streams = DocumentStreams(lake, config)
        self._keys_seen = -1

    def start(self) -> None:
        """Find what folders and tables hold that is not known yet; tables are taken at once."""
        for name, feed in self._settings.documents.items():
            if isinstance(feed, FolderFeed):
                self._watches.append(sweeps.watch(self._lake, name, feed, self._fingerprints[name]))
        self._keys_seen = self._lake.version(CHANGED_KEYS.path) if self._lake.exists(CHANGED_KEYS.path) else -1
        for name, feed in self._settings.documents.items():
            if isinstance(feed, TableFeed) and self._has_table(feed):
                self._take(self._row_events(name, feed, None))

    def start_streams(self) -> None:
        """Let events come for good; `look` takes them."""
        self._streams.start()

    def drain(self, stop: threading.Event) -> None:
        """Take all events that are there now, or until a stop is asked for."""
        self._streams.start(once=True)
        self.look()
        self._streams.drain(self._take, stop)

    @property
    def waiting(self) -> bool:
        """Whether `look` has something to do at once."""
        return bool(self._pending) or self._streams.waiting

    @property
    def due(self) -> bool:
        """Whether a folder is to be listed now."""
        return any(watch.due() for watch in self._watches)

    def close(self) -> None:
        """End the streams."""
        self._streams.close()

    def look(self) -> None:
        """Take what has come since the last look, a part of it where it is much."""
        self._list()
        self._take_pending(list(self._pending))
        self._follow_keys()
        self._streams.look(self._take)

    def take_gone(self) -> list[Document]:
        """Take of what folders tell only documents that are not there any more, or may not be; these documents."""
        self._list()
        return self._take_pending([one for one, event in self._pending.items() if event.op != "upsert"])

    def _list(self) -> None:
        for watch in self._watches:
            if watch.due():
                try:
                    self._pending.update({(event.feed, event.document): event for event in watch.look()})
                except Retryable as error:
                    log.warning("feed=%s %s", watch.name, error)

    def _take_pending(self, documents: list[Document]) -> list[Document]:
        taken = documents[:EVENTS_AT_ONCE]
        if taken:
            self._take(as_frame(self._lake.spark, [self._pending.pop(one) for one in taken]))
        return taken

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
        key = list(self._config.keys()[feed.table])
        if keys is None:
            return document_feeds.all_row_events(self._lake, name, feed, key, self._fingerprints[name])
        mine = keys.where(F.col("table") == feed.table).select("key", "position")
        return document_feeds.row_events(self._lake, name, feed, key, mine)

    def _take(self, events: DataFrame) -> None:
        clock = time.monotonic()
        taken = self._indexer.take(events)
        for watch in self._watches:
            for feed, document in taken.not_loaded:
                if feed == watch.name:
                    watch.try_again(document)
        if taken.sent:
            self._telemetry.observe(
                JOB,
                DOCUMENTS,
                BatchSeconds=time.monotonic() - clock,
                RowsApplied=taken.applied,
                RowsStale=taken.stale,
                RowsRejected=taken.rejected,
            )
            log.info(
                "job=%s sent=%s applied=%s stale=%s rejected=%s seconds=%.1f",
                JOB, taken.sent, taken.applied, taken.stale, taken.rejected, time.monotonic() - clock,
            )  # fmt: skip

    def _has_table(self, feed: TableFeed) -> bool:
        return self._lake.exists(f"tables/{feed.table}")
