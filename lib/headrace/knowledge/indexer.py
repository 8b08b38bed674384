"""Keeps passages in step with documents: takes events, and lets each model's lane embed and serve.

Three steps that may be repeated and interrupted anywhere: `take` brings the wanted state up to date, `Lane.embed` fills
the cache, `serve` brings the served state in step. `take` and `serve` belong to one thread.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_embed import EmbedBase
from headrace.config_knowledge import Knowledge
from headrace.knowledge import documents, read, served, wanted
from headrace.knowledge.lane import Lane
from headrace.knowledge.ready import Document
from headrace.knowledge.served import Served
from headrace.knowledge.vectors import Stage
from headrace.lake import Lake
from headrace.ports import Loader, Model
from headrace.tables import REJECTS

log = logging.getLogger("headrace")
JOB = "index_knowledge"
FEW = 20
"""Events whose documents one worker reads as fast as several."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Counts of one batch of events: sent = applied + stale + rejected.

    `not_loaded`: documents among the rejected that may be there all the same.
    """

    sent: int = 0
    applied: int = 0
    stale: int = 0
    rejected: int = 0
    not_loaded: tuple[Document, ...] = ()


class Indexer:
    """Takes document events in and leads the lanes, one for each model. Not safe for two processes on one lake."""

    def __init__(
        self, lake: Lake, settings: Knowledge, fingerprints: Mapping[str, str], load: Callable[[], Loader]
    ) -> None:
        self._lake, self._settings, self._fingerprints, self._load = lake, settings, fingerprints, load
        self._batch = -1
        self.lanes: list[Lane] = []

    def start(self) -> None:
        """Mend what a crash left. Comes before the first lane."""
        self._batch = served.last_batch(self._lake)
        for feed, count in wanted.forget_feeds(self._lake, list(self._fingerprints)).items():
            log.warning("feed=%s is not in the settings any more: its %s documents are taken out", feed, count)
        served.tell_again(self._lake)

    def add(self, model: Model, settings: EmbedBase, stage: Stage) -> Lane:
        """Serve passages of one more model from now on."""
        lane = Lane(self._lake, model, settings, stage, self._reject)
        lane.start()
        self.lanes.append(lane)
        return lane

    def remove(self, lane: Lane) -> None:
        """Serve them no more."""
        self.lanes.remove(lane)

    def take(self, events: DataFrame) -> Taken:
        """Bring documents and chunks up to date with a batch of events, schema `documents.EVENTS`.

        Of each document the newest event that can be read counts; those that cannot are rejected.
        """
        events = events.localCheckpoint(eager=False)
        sent, applied, rejected = events.count(), 0, 0
        left, not_loaded = events, []
        while sent:
            newest = documents.newest(left)
            pending = documents.news(self._lake, newest, self._fingerprints)
            if sent > FEW:
                # Events are small and documents are not: Spark would read them all in one task.
                pending = pending.repartition(int(self._lake.spark.sparkContext.defaultParallelism))
            found = read.documents(pending, self._load, self._settings.parse, self._settings.chunk)
            found = found.localCheckpoint(eager=False)
            rows = found.select("op", "feed", "document", "reason").collect()
            touched = [(row["feed"], row["document"]) for row in rows if row["op"] in ("upsert", "delete")]
            if touched:
                self._write(found.where("op IN ('upsert', 'delete')"), touched)
                applied += len(touched)
            if not any(row["op"] == "refused" for row in rows):
                break
            not_loaded += [(row["feed"], row["document"]) for row in rows if row["reason"] == read.NOT_LOADED]
            refused = found.where("op = 'refused'")
            rejected += self._reject(refused)
            # By the event's own position: a refused document has that of what is stored, where this is higher.
            above = newest.join(refused, ["feed", "document"], "left_semi")
            above = above.select("feed", "document", F.col("position").alias("_refused"))
            left = left.join(above, ["feed", "document"]).where("position < _refused").drop("_refused")
        return Taken(sent, applied, sent - applied - rejected, rejected, tuple(not_loaded))

    def _write(self, told: DataFrame, touched: Sequence[Document]) -> None:
        self._batch += 1
        wanted.write_chunks(self._lake, told, self._batch)
        wanted.write_documents(self._lake, told, self._fingerprints, self._batch)
        for lane in self.lanes:
            lane.touch(touched)

    def serve(self, documents: Collection[Document] | None = None) -> Served:
        """Serve what is complete in every lane, of these documents or of all."""
        done = Served()
        for lane in self.lanes:
            if lane.unserved:
                self._batch += 1
                done += lane.serve(self._batch, documents)
        return done

    @property
    def unserved(self) -> bool:
        """Whether `serve` has something to do."""
        return any(lane.unserved for lane in self.lanes)

    def _reject(self, refused: DataFrame) -> int:
        rows = refused.select(
            F.col("feed").alias("source"), F.lit("documents").alias("table"), "reason", "detail",
            F.col("document").alias("key"), "position", F.current_timestamp().alias("rejected_at"),
            F.lit(f"{JOB}/{self._batch}").alias("batch"), F.lit(datetime.now(UTC).date()).alias("day"),
        ).localCheckpoint(eager=False)  # fmt: skip
        count = rows.count()
        if count:
            self._lake.append(rows, self._lake.ensure(REJECTS, job=JOB))
        return count
