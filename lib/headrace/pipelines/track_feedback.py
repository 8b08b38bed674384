"""The job `track_feedback`: events of conversations -> turns, ratings, measures. Wiring only."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from headrace.config import Config
from headrace.config_feedback import Feedback
from headrace.config_sources import FilesSource, Source
from headrace.conversations import event_frames
from headrace.conversations.measures import Measure
from headrace.conversations.settled import taken_since
from headrace.conversations.track import JOB, Tracked, Tracker
from headrace.errors import ConfigError
from headrace.lake import Lake, Transaction
from headrace.pipelines import after_batch, feedback_progress, streams
from headrace.pipelines.after_batch import AfterBatch
from headrace.pipelines.comprehend_feeling import checked, feeler_of
from headrace.pipelines.erase_feedback import FeedbackErasure
from headrace.pipelines.kept_tables import upkeep_of_feedback
from headrace.pipelines.lag import checkpoint_folder
from headrace.pipelines.measure_names import measures_by
from headrace.pipelines.publish_measures import NotPublished, Rows
from headrace.pipelines.runtime import spark_session
from headrace.pipelines.spark_errors import plain
from headrace.pipelines.streams import StreamStopping
from headrace.pipelines.telemetry import Telemetry, age
from headrace.pipelines.upkeep import Upkeep
from headrace.stores.files import LakeFiles
from headrace.tables import MEASURES

ASK_AGAIN_SECONDS = 60.0
"""How often comments that a service did not answer are asked about again."""
log = logging.getLogger("headrace")


def run(config: Config, once: bool, stop: threading.Event, telemetry: Telemetry | None = None) -> int:
    """Run the job until `stop` is set, or with `once` until what is there is processed.

    Returns:
        0. What went wrong is raised.
    """
    settings = config.feedback
    if settings is None:
        todo = "See docs/measures.md."
        raise ConfigError(where="feedback", expected="sources of events", found="nothing", todo=todo)
    spark = spark_session(
        f"headrace {JOB}",
        kafka=streams.need_kafka(config),
        avro=streams.need_avro(config),
        s3=config.lake.startswith("s3://"),
        settings=config.spark,
        packages=streams.packages(config),
        runtime=config.runtime,
    )
    lake, measures = Lake(spark, config.lake), all_measures(settings)
    files = LakeFiles(config.lake)
    checked(feeler := feeler_of(settings, files))
    tracker = Tracker(lake, measures, feeler)
    count_all_if_others(files, tracker, settings, measures)
    erasure = FeedbackErasure(lake, config, tracker)
    erasure.run()
    upkeep = upkeep_of_feedback(lake, config, settings, tracker)
    told = telemetry or Telemetry(config.metrics)
    after = after_batch.of_config(config, rows_of_spark(lake), told.observe)
    batches = _Batches(tracker, erasure, upkeep, stop, told, after, settings.keep)
    try:
        queries = [(name, _start(spark, config, settings, batches, once, name)) for name in settings.sources]
        batches.follow(queries)
        if once:
            tracker.ask_again()
            after.run()
            upkeep.run()
    finally:
        after.close()
    return 0


def all_measures(settings: Feedback) -> tuple[Measure, ...]:
    """Those that Headrace brings, and the user's own."""
    return tuple(measures_by(settings).values())


def rows_of_spark(lake: Lake) -> Rows:
    """Reads the table of measures, called `rows` in a query; nothing where nothing was counted yet."""

    def rows(sql: str) -> Iterator[dict[str, Any]]:
        if not lake.exists(MEASURES.path):
            return
        # Made again for each query: it would keep the version it was made of.
        lake.read(MEASURES.path).createOrReplaceTempView("rows")
        yield from (row.asDict() for row in lake.spark.sql(sql).toLocalIterator())

    return rows


def count_all_if_others(files: LakeFiles, tracker: Tracker, settings: Feedback, measures: Sequence[Measure]) -> None:
    """Count everything again where measures or the model are others than when it was last counted."""
    told = feedback_progress.fingerprint(settings.sentiment, measures)
    before = feedback_progress.counted_by(files)
    if before == told:
        return
    if before is not None:
        log.info("job=%s measures or their model have changed: everything is counted again", JOB)
        tracker.count_all()
    feedback_progress.keep(files, told)


def _start(
    spark: SparkSession, config: Config, settings: Feedback, batches: "_Batches", once: bool, name: str
) -> StreamingQuery:
    source, place = config.sources[name], checkpoint_folder(config, name, JOB)
    take = batches.of(name, source)
    stream = streams.writer(spark, f"{JOB}/{name}", source, take, place, once, config.runtime)
    return streams.start(stream, source, once, settings.trigger.total_seconds())


class _Batches:
    """The batches of the job. One runs at a time: each table has one writer."""

    def __init__(
        self,
        tracker: Tracker,
        erasure: FeedbackErasure,
        upkeep: Upkeep,
        stop: threading.Event,
        telemetry: Telemetry,
        after: AfterBatch,
        keep: timedelta | None = None,
    ) -> None:
        self._erasure = erasure
        self._tracker, self._upkeep, self._stop, self._telemetry = tracker, upkeep, stop, telemetry
        self._after, self._keep = after, keep
        self._lock, self._started = threading.Lock(), threading.Event()
        self._ids: dict[str, str] = {}
        self._failure: BaseException | None = None
        self._asked = float("-inf")

    def of(self, name: str, source: Source) -> Callable[[DataFrame, int], None]:
        """The function a stream calls with each of its micro-batches."""
        return partial(self._one_at_a_time, name, source)

    def follow(self, queries: Sequence[tuple[str, StreamingQuery]]) -> None:
        """Wait until all streams have ended or a stop was asked for. Raises what made one fail."""
        self._ids = {name: query.id for name, query in queries}
        self._started.set()
        while any(query.isActive for _, query in queries) and not self._stop.is_set() and self._failure is None:
            self._stop.wait(streams.POLL_SECONDS)
            for name, query in queries:
                if query.isActive and not query.status["isTriggerActive"]:
                    self._telemetry.alive(JOB, name)
            self._idle()
        for _, query in queries:
            streams.end(query)
        for found in [self._failure, *(streams.failure(query) for _, query in queries)]:
            if found is not None:
                raise found

    def _idle(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._erasure.idle()
                self._ask_again()
                self._follow_up(self._after.idle)
            finally:
                self._lock.release()

    def _ask_again(self) -> None:
        if time.monotonic() - self._asked >= ASK_AGAIN_SECONDS:
            self._tracker.ask_again()
            self._asked = time.monotonic()

    def _one_at_a_time(self, name: str, source: Source, frame: DataFrame, number: int) -> None:
        with self._lock:
            if self._stop.is_set() or self._failure is not None:
                raise StreamStopping
            try:
                self._take(frame, number, name, source)
            except BaseException as error:
                self._failure = plain(streams.explained(error, name) if isinstance(error, Exception) else error)
                # `follow` raises what it was: Py4J passes nothing on but an Exception, and Spark would wait for ever.
                raise StreamStopping from error

    def _take(self, frame: DataFrame, number: int, name: str, source: Source) -> None:
        self._started.wait()
        self._telemetry.working(JOB, name)
        messages, clock = streams.messages(frame, source), time.monotonic()
        if messages is not None:
            exact = Transaction(f"headrace/{self._ids[name]}/rejects", number)
            suppressed = self._erasure.run()
            lines, since = isinstance(source, FilesSource), self._since()
            found = event_frames.events(messages, lines=lines, suppressed=suppressed, settled=since)
            done = self._tracker.take(found, name, f"{name}/{number}", exact)
            self._erasure.late(done.batch.erased, suppressed)
            self._ask_again()
            self._told(name, number, done, time.monotonic() - clock)
            self._follow_up(self._after.run)
            self._upkeep.run(tables=1)
        self._telemetry.alive(JOB, name)

    def _since(self) -> datetime | None:
        return taken_since(self._tracker.settled, self._keep, datetime.now(UTC))

    def _follow_up(self, step: Callable[[], None]) -> None:
        """What follows a batch. The batch is done whatever becomes of that; `follow` then ends the job."""
        try:
            step()
        except NotPublished as error:
            self._failure = plain(error)

    def _told(self, name: str, number: int, done: Tracked, seconds: float) -> None:
        self._telemetry.observe(
            JOB,
            name,
            BatchSeconds=seconds,
            RowsApplied=done.applied,
            RowsStale=done.stale,
            RowsRejected=done.batch.rejected,
            FreshnessSeconds=age(done.batch.newest),
            LagSeconds=age(done.batch.oldest_arrived),
        )
        log.info(
            "job=%s source=%s batch=%s applied=%s stale=%s rejected=%s measures=%s removed=%s seconds=%.1f",
            JOB, name, number, done.applied, done.stale, done.batch.rejected, done.counted.written,
            done.counted.removed, seconds,
        )  # fmt: skip
