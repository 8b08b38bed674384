"""The job `index_knowledge`: documents -> passages -> indexes. Wiring only."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial

from headrace.config import Config
from headrace.config_knowledge import Knowledge
from headrace.errors import ConfigError, Fatal, NotThere, Retryable
from headrace.knowledge.indexer import JOB
from headrace.knowledge.lane import Lane
from headrace.knowledge.ready import Document
from headrace.lake import Lake
from headrace.pipelines import index_parts, streams
from headrace.pipelines.embedding_threads import EmbeddingThreads
from headrace.pipelines.index_parts import Parts
from headrace.pipelines.intake import Intake
from headrace.pipelines.kept_tables import upkeep_of_knowledge
from headrace.pipelines.model_change import ModelChange
from headrace.pipelines.publish import Publisher
from headrace.pipelines.runtime import spark_session
from headrace.pipelines.streams import POLL_SECONDS
from headrace.pipelines.telemetry import Telemetry
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
ASK_OUTBOX_SECONDS = 30.0
FORGET_EVERY = timedelta(hours=6)
TRIES = 5
"""Rounds of `once` in which a store may be away or a filled generation not pass its check."""


def run(config: Config, once: bool, stop: threading.Event, telemetry: Telemetry | None = None) -> int:
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
        kafka=streams.need_kafka(config),
        avro=streams.need_avro(config),
        s3=config.lake.startswith("s3://"),
        settings=config.spark,
        packages=streams.packages(config),
        runtime=config.runtime,
    )
    lake = Lake(spark, config.lake)
    parts = index_parts.build(lake, settings)
    job = _Job(lake, config, settings, parts, stop, telemetry or Telemetry(config.metrics))
    try:
        job.start()
        return job.once() if once else job.stream()
    finally:
        job.intake.close()
        parts.close()


class _Job:
    """The loop: look at the feeds, take, serve, publish; embedding goes on beside it."""

    def __init__(
        self,
        lake: Lake,
        config: Config,
        settings: Knowledge,
        parts: Parts,
        stop: threading.Event,
        telemetry: Telemetry,
    ) -> None:
        self._settings, self._stop, self._telemetry = settings, stop, telemetry
        self._parts, self._indexer = parts, parts.indexer
        self._change = ModelChange(parts, LakeFiles(config.lake))
        self.intake = Intake(lake, config, settings, parts.indexer, parts.fingerprints, telemetry)
        self._upkeep = upkeep_of_knowledge(lake, config, settings.keep_outbox)
        self._forget_at = datetime.now(UTC) + FORGET_EVERY
        self._away: Retryable | NotThere | None = None
        self._ask_outbox_at = time.monotonic()

    def start(self) -> None:
        """Open what can fail, find what is behind, and take in what every feed has now."""
        log.info("job=%s started; finding what changed meanwhile", JOB)
        self._indexer.start()
        self._change.start()
        self.intake.start()

    def once(self) -> int:
        """Until nothing is left to do.

        Raises:
            Retryable: a store or a folder stays away.
            Fatal: the generation of a new model is not complete.
        """
        tries = 0
        self.intake.drain(self._stop)
        while not self._stop.is_set():
            self._round()
            for one in self._parts.served:
                if one.lane.lacks_vectors:
                    self._embed(one.lane)
            if self._busy():
                continue
            late = any(publisher.late for one in self._parts.served for publisher in one.publishers)
            stuck = self._away is not None or self._change.filling
            tries += stuck
            if not (late or stuck) or tries > TRIES:
                break
            self._stop.wait(1)
        self._told_what_waits()
        self._upkeep.run()
        if self._away is not None:
            raise self._away
        if self._change.filling and self._change.problems:
            todo = "Run the job again, or drop the model: `headrace rebuild vectors --drop NAME`."
            raise Fatal(expected="a generation that is complete", found="; ".join(self._change.problems), todo=todo)
        return 0

    def stream(self) -> int:
        """Until a stop is asked for."""
        embedding = EmbeddingThreads(self._embed, self._parts.lake.spark.sparkContext)
        self.intake.start_streams()
        while not self._stop.is_set() and embedding.failure is None:
            began = time.monotonic()
            self._round()
            embedding.follow([one.lane for one in self._parts.served])
            left = self._settings.trigger.total_seconds() - (time.monotonic() - began)
            while left > 0 and not self._news() and not self._stop.wait(min(left, POLL_SECONDS)):
                left -= POLL_SECONDS
        self._stop.set()
        embedding.follow([])
        if embedding.failure is not None:
            raise embedding.failure
        return 0

    def _round(self) -> None:
        for feed in self._settings.documents:
            self._telemetry.working(JOB, feed)
        self._away = None
        self._tried("requests", self._change.carry_out)
        for step in (self.intake.look, self._serve, self._publish_all):
            self._remove_gone()
            step()
        self._tried("requests", self._change.settle)
        self._look_after()
        for feed in self._settings.documents:
            self._telemetry.alive(JOB, feed)
        for publisher in [publisher for one in self._parts.served for publisher in one.publishers]:
            self._telemetry.behind(JOB, publisher.name, publisher.behind or publisher.late > 0)

    def _remove_gone(self) -> None:
        """Between any two steps, as each may take seconds: what is gone must not be found any more."""
        gone = self.intake.take_gone()
        if gone:
            self._serve(gone)
            self._publish_all()

    def _serve(self, documents: Collection[Document] | None = None) -> None:
        done = self._indexer.serve(documents)
        if done.embedded:
            log.info("job=%s embedded=%s on the way", JOB, done.embedded)
        if done.written or done.deleted:
            self._ask_outbox_at = time.monotonic()

    def _publish_all(self) -> None:
        """Only this job writes the outbox: where it has not, the outbox is asked for its version only now and then."""
        told = time.monotonic() >= self._ask_outbox_at
        if told:
            self._ask_outbox_at = time.monotonic() + ASK_OUTBOX_SECONDS
        for one in self._parts.served:
            for publisher in one.publishers:
                if told or publisher.behind or publisher.late:
                    self._tried(f"store={publisher.name}", partial(self._publish, publisher))

    def _look_after(self) -> None:
        """Upkeep while nothing else waits, one table a round."""
        if self._urgent():
            return
        self._upkeep.run(tables=1)
        now = datetime.now(UTC)
        if now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY
            # A day more than the outbox: its days go whole.
            before = now - self._settings.keep_outbox - timedelta(days=1)
            for one in self._parts.served:
                for publisher in one.publishers:
                    self._tried(f"store={publisher.name}", partial(self._forget, publisher, before))

    def _forget(self, publisher: Publisher, before: datetime) -> None:
        log.info("store=%s forgot=%s", publisher.name, publisher.forget(before))

    def _news(self) -> bool:
        """Whether not to wait for the next round. A folder due a moment after a round would else wait for a second."""
        return self.intake.due or self._urgent()

    def _urgent(self) -> bool:
        """Whether the next round has something to do at once."""
        behind = any(publisher.behind for one in self._parts.served for publisher in one.publishers)
        waits = self.intake.waiting or self._indexer.unserved
        return waits or (behind and self._away is None)

    def _busy(self) -> bool:
        return self._urgent() or any(one.lane.lacks_vectors for one in self._parts.served)

    def _tried(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except (Retryable, NotThere) as error:
            self._ask_outbox_at = time.monotonic()
            self._away = error
            log.warning("%s %s", what, error)

    def _publish(self, publisher: Publisher) -> None:
        try:
            written = publisher.run()
        except NotThere as error:
            log.warning("store=%s is made again and filled: %s", publisher.name, error)
            publisher.made_again()
            self._change.show()
            return
        if written.applied or written.stale or written.failed:
            self._telemetry.observe(
                JOB,
                publisher.name,
                RowsApplied=written.applied,
                RowsStale=written.stale,
                RowsRejected=len(written.failed),
            )
            log.info(
                "store=%s applied=%s stale=%s rejected=%s late=%s",
                publisher.name, written.applied, written.stale, len(written.failed), publisher.late,
            )  # fmt: skip

    def _embed(self, lane: Lane) -> None:
        found = lane.embed()
        log.info("model=%s embedded=%s failed=%s left=%s", lane.model.name, found.made, found.failed, found.left)

    def _told_what_waits(self) -> None:
        for one in self._parts.served:
            if one.lane.waiting:
                log.warning(
                    "model=%s documents=%s still lack vectors; their older versions stay served",
                    one.model.name, one.lane.waiting,
                )  # fmt: skip
