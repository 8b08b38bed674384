"""Keeps passages in step with documents: takes events, embeds what is new, serves what is complete.

Three steps that may be repeated and interrupted anywhere: `take` brings the wanted state up to date, `embed` fills the
cache, `serve` brings the served state in step. `take` and `serve` belong to one thread; `embed` may run in another.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_knowledge import Knowledge
from headrace.knowledge import documents, read, served, vectors, wanted
from headrace.knowledge.embedding import LATER
from headrace.knowledge.served import Document, Served
from headrace.knowledge.vectors import Embedded, Failure, Stage
from headrace.lake import Lake
from headrace.ports import Loader, Model
from headrace.tables import REJECTS

log = logging.getLogger("headrace")
JOB = "index_knowledge"
DOCUMENTS_AT_ONCE = 500
"""Documents of the backlog that one round of embedding takes up."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Counts of one batch of events: sent = applied + stale + rejected."""

    sent: int = 0
    applied: int = 0
    stale: int = 0
    rejected: int = 0


class Indexer:
    """One model's lane from documents to passages. Not safe for two processes on one lake."""

    def __init__(
        self, lake: Lake, settings: Knowledge, fingerprint: str, model: Model, load: Callable[[], Loader], stage: Stage
    ) -> None:
        self._lake, self._settings, self._fingerprint = lake, settings, fingerprint
        self._model, self._load, self._stage = model, load, stage
        self._lock = threading.Lock()
        self._ready: dict[Document, None] = {}
        self._waiting: dict[Document, datetime | None] = {}
        self._batch = -1

    def start(self) -> None:
        """Mend what a crash left, and find the documents that are behind."""
        self._batch = served.last_batch(self._lake)
        served.tell_again(self._lake)
        self._ready = dict.fromkeys(served.behind(self._lake, self._model))

    def take(self, events: DataFrame) -> Taken:
        """Bring documents and chunks up to date with a batch of events, schema `documents.EVENTS`.

        Of each document the newest event that can be read counts; those that cannot are rejected.
        """
        events = events.localCheckpoint()
        sent, applied, rejected = events.count(), 0, 0
        left = events
        while sent:
            newest = documents.newest(left)
            pending = documents.news(self._lake, newest, self._fingerprint)
            found = read.documents(pending, self._load, self._settings.parse, self._settings.chunk).localCheckpoint()
            applied += self._write(found.where("op IN ('upsert', 'delete')"))
            refused = found.where("op = 'refused'")
            count = self._reject(refused)
            rejected += count
            if not count:
                break
            # By the event's own position: a refused document has that of what is stored, where this is higher.
            above = newest.join(refused, ["feed", "document"], "left_semi")
            above = above.select("feed", "document", F.col("position").alias("_refused"))
            left = left.join(above, ["feed", "document"]).where("position < _refused").drop("_refused")
        return Taken(sent, applied, sent - applied - rejected, rejected)

    def _write(self, told: DataFrame) -> int:
        touched = [(row["feed"], row["document"]) for row in told.select("feed", "document").collect()]
        if touched:
            self._batch += 1
            wanted.write_chunks(self._lake, told, self._batch)
            wanted.write_documents(self._lake, told, self._fingerprint, self._batch)
            with self._lock:
                self._ready.update(dict.fromkeys(touched))
                for document in touched:
                    self._waiting.pop(document, None)
        return len(touched)

    def serve(self) -> Served:
        """Serve what is complete among the documents touched or embedded since the last call."""
        with self._lock:
            ready, self._ready = list(self._ready), {}
        if not ready:
            return Served()
        try:
            self._batch += 1
            found = served.serve(self._lake, self._model, ready, self._batch)
        except BaseException:
            with self._lock:
                self._ready.update(dict.fromkeys(ready))
            raise
        with self._lock:
            self._waiting.update(found.incomplete)
        return found

    @property
    def waiting(self) -> int:
        """Documents that lack a vector, now or for good."""
        return len(self._waiting)

    @property
    def unserved(self) -> bool:
        """Whether `serve` has something to do."""
        return bool(self._ready)

    @property
    def lacks_vectors(self) -> bool:
        """Whether `embed` has something to do now: not what is to be tried later or was given up."""
        return bool(self._due(1))

    def _due(self, most: int) -> list[Document]:
        now = datetime.now()
        with self._lock:
            return list(islice((one for one, at in self._waiting.items() if at is None or at <= now), most))

    def embed(self) -> Embedded:
        """Embed for as long as the settings give a batch; what is complete then waits for `serve`."""
        asked = self._due(DOCUMENTS_AT_ONCE)
        if not asked:
            return Embedded()
        settings = self._settings.embed
        texts = vectors.missing(self._lake, self._model, asked, limit=100_000)
        made = vectors.embed(texts, self._stage, time.time() + settings.seconds_per_batch).localCheckpoint()
        rows = made.where("vector IS NULL").select("content_hash", "reason", "retry").collect()
        failures = [Failure(*row) for row in rows if row["reason"] != LATER]
        count = vectors.store(self._lake, self._model, made)
        parked = self._remember(failures)
        with self._lock:
            for document in asked:
                if self._waiting.pop(document, False) is not False:
                    self._ready[document] = None
        return Embedded(count, len(failures), len(rows) - len(failures), parked)

    def _remember(self, failures: list[Failure]) -> int:
        settings = self._settings.embed
        vectors.remember(self._lake, failures, settings.attempts, settings.retry_after)
        if not failures:
            return 0
        parked = vectors.given_up(self._lake, failures)
        reasons = parked.select(
            "feed", "document", F.lit("not embedded").alias("reason"), F.col("last_error").alias("detail"),
            F.lit(None).cast("string").alias("position"),
        )  # fmt: skip
        return self._reject(reasons)

    def _reject(self, refused: DataFrame) -> int:
        rows = refused.select(
            F.col("feed").alias("source"), F.lit("documents").alias("table"), "reason", "detail",
            F.col("document").alias("key"), "position", F.current_timestamp().alias("rejected_at"),
            F.lit(f"{JOB}/{self._batch}").alias("batch"), F.lit(datetime.now(UTC).date()).alias("day"),
        ).localCheckpoint()  # fmt: skip
        count = rows.count()
        if count:
            self._lake.append(rows, self._lake.ensure(REJECTS, job=JOB))
        return count
