"""Takes micro-batches from the streams to the applier, one at a time, and ends the streams well."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from headrace.changes.apply import Applier, BatchResult
from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.config_sources import FilesSource, Source
from headrace.errors import Fatal
from headrace.lake import Transaction
from headrace.pipelines.upkeep import Upkeep
from headrace.stores import file_source

log = logging.getLogger("headrace")


class _Stopping(Exception):
    """Ends a stream before its next batch, once a stop was asked for."""


class Batches:
    """The batches of one job. One runs at a time: each table has one writer."""

    def __init__(self, applier: Applier, config: Config, upkeep: Upkeep, stop: threading.Event) -> None:
        self._applier, self._config, self._upkeep, self._stop = applier, config, upkeep, stop
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
                    raise _Stopping
                try:
                    self._take(frame, number, name, source)
                except BaseException as error:
                    self._failure = error
                    raise

        return take

    def replay(self, messages: DataFrame, name: str, batch: str) -> BatchResult:
        """Apply messages kept in the lake once more."""
        with self._lock:
            return self._apply(messages, name, self._config.sources[name], batch, None, log_it=False)

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
                between()
        for _, query in queries:
            self._end(query, poll)
        if self._failure is not None:
            raise self._failure
        for _, query in queries:
            self._raise_failure(query)

    def _take(self, frame: DataFrame, number: int, name: str, source: Source) -> None:
        self._started.wait()
        messages = file_source.messages(frame, source) if isinstance(source, FilesSource) else frame
        if messages is None:
            return
        exact = Transaction(f"headrace/{self._ids[name]}", number)
        clock = time.monotonic()
        try:
            result = self._apply(messages, name, source, f"{name}/{number}", exact, log_it=True)
        except Exception as error:
            raise file_source.explained(error, name) from error
        log.info(
            "source=%s batch=%s sent=%s applied=%s stale=%s rejected=%s ignored=%s seconds=%.1f",
            name, number, *[result.total(count) for count in ("sent", "applied", "stale", "rejected", "ignored")],
            time.monotonic() - clock,
        )  # fmt: skip
        self._upkeep.run(tables=1)

    def _apply(
        self, messages: DataFrame, name: str, source: Source, batch: str, exact: Transaction | None, log_it: bool
    ) -> BatchResult:
        # Kafka gives a partition for each of its own: of a small batch each would be a task, and a file of the log.
        partitions = int(messages.sparkSession.conf.get("spark.sql.shuffle.partitions") or 2)
        envelopes = decoded(
            messages.coalesce(partitions),
            name,
            source,
            self._routes[name],
            self._applier.known(),
            ignore_unknown=self._config.apply.unknown_tables == "ignore",
            replayed=not log_it,
        )
        return self._applier.apply(envelopes, batch, exact, log=log_it)

    def _end(self, query: StreamingQuery, poll: float) -> None:
        # stop() interrupts a running batch; it would only be done again, but a batch may be long.
        while query.isActive and query.status["isTriggerActive"]:
            time.sleep(poll)
        query.stop()

    def _raise_failure(self, query: StreamingQuery) -> None:
        failure = query.exception()
        if failure is None or "_Stopping" in str(failure):
            return
        raise _explained(failure, query.name)


def _explained(failure: StreamingQueryException, name: str) -> BaseException:
    text = str(failure)
    if "Some data may have been lost" in text or "OffsetOutOfRange" in text or "KAFKA_DATA_LOSS" in text:
        return Fatal(
            where=name,
            expected="every record since the last batch to be still in Kafka",
            found="records deleted by the topic's retention before they were read",
            todo=(
                "Take a new snapshot at the source (or replay from another copy), then remove this source's checkpoint "
                "and start again: positions make the overlap harmless."
            ),
        )
    return failure
