"""Takes micro-batches from the streams to the applier, one at a time, and ends the streams well."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from headrace.changes.apply import Applier, BatchResult
from headrace.changes.decode import decoded
from headrace.changes.journal import JOB
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.config_sources import Source
from headrace.lake import Transaction
from headrace.pipelines import streams
from headrace.pipelines.spark_errors import plain
from headrace.pipelines.streams import StreamStopping
from headrace.pipelines.telemetry import Telemetry, age
from headrace.pipelines.upkeep import Upkeep
from headrace.stores import schema_registry

log = logging.getLogger("headrace")


class Batches:
    """The batches of one job. One runs at a time: each table has one writer.

    Args:
        applied: called after each of them.
    """

    def __init__(
        self,
        applier: Applier,
        config: Config,
        upkeep: Upkeep,
        stop: threading.Event,
        telemetry: Telemetry | None = None,
        applied: Callable[[], None] = lambda: None,
    ) -> None:
        self._applier, self._config, self._upkeep, self._stop = applier, config, upkeep, stop
        self._applied = applied
        self._telemetry = telemetry or Telemetry(config.metrics)
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._routes = {name: Routes(config.tables_of(name)) for name in config.sources}

    def of(self, name: str, source: Source) -> Callable[[DataFrame, int], None]:
        """The function a stream calls with each of its micro-batches."""

        def take(frame: DataFrame, number: int) -> None:
            with self._lock:
                if self._stop.is_set() or self._failure is not None:
                    raise StreamStopping
                try:
                    self._take(frame, number, name, source)
                except BaseException as error:
                    self._failure = plain(error)
                if self._failure is not None:
                    raise self._failure

        return take

    def replay(self, messages: DataFrame, name: str, batch: str) -> BatchResult:
        """Apply messages kept in the lake once more."""
        with self._lock:
            few = streams.compact(messages)
            try:
                return self._apply(few, name, self._config.sources[name], batch, None, replayed=True)
            except Exception as error:
                raise streams.explained(error, name) from error

    def follow(
        self, queries: Sequence[tuple[str, StreamingQuery]], poll: float, between: Callable[[], None], every: int
    ) -> None:
        """Wait until all streams have ended or a stop was asked for, then end the rest after their running batch.

        Raises what made a stream fail.
        """
        self._ids = {name: query.id for name, query in queries}
        self._started.set()
        polls = 0
        while any(query.isActive for _, query in queries) and not self._stop.is_set() and self._failure is None:
            self._stop.wait(poll)
            polls += 1
            if polls % every == 0:
                self._told_of_idle(queries)
                between()
        for _, query in queries:
            streams.end(query, poll)
        if self._failure is not None:
            raise self._failure
        for _, query in queries:
            if failure := streams.failure(query):
                raise failure

    def _told_of_idle(self, queries: Sequence[tuple[str, StreamingQuery]]) -> None:
        for name, query in queries:
            if query.isActive and not query.status["isTriggerActive"]:
                self._telemetry.alive(JOB, name)
                self._telemetry.observe(JOB, name, LagSeconds=0.0)

    def _take(self, frame: DataFrame, number: int, name: str, source: Source) -> None:
        self._started.wait()
        self._telemetry.working(JOB, name)
        messages = streams.messages(frame, source)
        if messages is None:
            self._telemetry.alive(JOB, name)
            return
        exact = Transaction(f"headrace/{self._ids[name]}", number)
        clock = time.monotonic()
        try:
            result = self._apply(messages, name, source, f"{name}/{number}", exact)
        except Exception as error:
            raise streams.explained(error, name) from error
        self._told(name, result, time.monotonic() - clock)
        log.info(
            "source=%s batch=%s sent=%s applied=%s stale=%s rejected=%s ignored=%s seconds=%.1f",
            name, number, *[result.total(count) for count in ("sent", "applied", "stale", "rejected", "ignored")],
            time.monotonic() - clock,
        )  # fmt: skip
        self._upkeep.run(tables=1)

    def _told(self, name: str, result: BatchResult, seconds: float) -> None:
        self._telemetry.observe(
            JOB,
            name,
            BatchSeconds=seconds,
            RowsApplied=result.total("applied"),
            RowsStale=result.total("stale"),
            RowsRejected=result.total("rejected"),
            FreshnessSeconds=age(result.newest_changed_at),
            LagSeconds=age(result.oldest_arrived_at),
        )
        self._telemetry.alive(JOB, name)

    def _apply(
        self,
        messages: DataFrame,
        name: str,
        source: Source,
        batch: str,
        exact: Transaction | None,
        replayed: bool = False,
    ) -> BatchResult:
        envelopes = decoded(
            messages,
            name,
            source,
            self._routes[name],
            self._applier.known(),
            ignore_unknown=self._config.apply.unknown_tables == "ignore",
            replayed=replayed,
            registry=schema_registry.client_of(source),
        )
        result = self._applier.apply(envelopes, batch, exact, replayed=replayed)
        self._applied()
        return result
