"""Live measures of the jobs and their heartbeats: gathered here, sent by a thread of its own.

A service that is away costs nothing but the measures: what was counted is kept and sent later.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from headrace.config_metrics import Metrics
from headrace.errors import HeadraceError
from headrace.measured import Measured, MetricSink

log = logging.getLogger("headrace")

UNITS: Mapping[str, str] = {
    "LagSeconds": "Seconds",
    "BatchSeconds": "Seconds",
    "FreshnessSeconds": "Seconds",
    "RowsApplied": "Count",
    "RowsStale": "Count",
    "RowsRejected": "Count",
    "Heartbeat": "Count",
    "MeasureValue": "None",
    "MeasureRows": "Count",
}
"""Every metric and its unit.

LagSeconds: of a source, the time its oldest message of a batch waited until the batch was done, 0 where nothing waits;
of an index, the time since it was last in step. FreshnessSeconds: age of the newest change of a batch, by the source's
own clock, when it was done. Heartbeat: one for each report while the source is followed and no batch is stuck.
MeasureValue: of a measure of conversations, whose name stands as source, over the newest minutes; MeasureRows: how many
rows it is of.
"""

HEARTBEATS = "heartbeats/{job}.json"
"""Where a job's heartbeats lie in the lake: one row for each source."""

Key = tuple[str, str, str]


class Telemetry:
    """Measures of all jobs in this process. Every method may be called from any thread.

    Args:
        settings: how often to report.
        sinks: who is told.
        beat: keeps heartbeats of one job, as `source, at`.
    """

    def __init__(
        self,
        settings: Metrics,
        sinks: Iterable[MetricSink] = (),
        beat: Callable[[str, Mapping[str, datetime]], None] = lambda job, beats: None,
    ) -> None:
        self._seconds, self._stuck = settings.every.total_seconds(), settings.stuck_after.total_seconds()
        self._pending: list[tuple[MetricSink, dict[Key, Measured]]] = [(sink, {}) for sink in sinks]
        self._beat = beat
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._alive: dict[tuple[str, str], datetime] = {}
        self._running: dict[tuple[str, str], float] = {}
        self._behind: dict[tuple[str, str], float] = {}
        self._thread = threading.Thread(target=self._report, name="telemetry", daemon=True)

    def start(self) -> None:
        """Report from now on."""
        self._thread.start()

    def observe(self, job: str, source: str, **values: float | None) -> None:
        """Take values by metric; None is passed over."""
        with self._lock:
            for metric, value in values.items():
                if value is not None:
                    self._take(Measured(job, source, metric, 1, value, value, value, value))

    def alive(self, job: str, source: str) -> None:
        """The source is followed, and no batch of it runs."""
        with self._lock:
            self._running.pop((job, source), None)
            self._alive[job, source] = datetime.now(UTC)

    def working(self, job: str, source: str) -> None:
        """A batch begins. The source counts as alive until the batch has run for too long."""
        with self._lock:
            self._running[job, source] = time.monotonic()

    def behind(self, job: str, store: str, behind: bool) -> None:
        """Whether a store lacks something now: observed as its lag."""
        now = time.monotonic()
        with self._lock:
            since = self._behind.setdefault((job, store), now) if behind else now
            if not behind:
                self._behind.pop((job, store), None)
        self.observe(job, store, LagSeconds=now - since)

    def close(self) -> None:
        """Report what is left and end."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._send()
        for sink, _ in self._pending:
            sink.close()

    def _take(self, new: Measured) -> None:
        for _, kept in self._pending:
            key = (new.job, new.source, new.metric)
            kept[key] = joined(kept[key], new) if key in kept else replace(new)

    def _report(self) -> None:
        while not self._closed.wait(self._seconds):
            self._send()

    def _send(self) -> None:
        with self._lock:
            alive, self._alive = self._alive, {}
            now, at = time.monotonic(), datetime.now(UTC)
            alive |= {source: at for source, began in self._running.items() if now - began < self._stuck}
            for job, source in alive:
                self._take(Measured(job, source, "Heartbeat", 1, 1.0, 1.0, 1.0, 1.0))
            ready = [(place, dict(kept)) for place, (_, kept) in enumerate(self._pending) if kept]
            for _, kept in self._pending:
                kept.clear()
        for job in sorted({job for job, _ in alive}):
            beats = {source: at for (of, source), at in alive.items() if of == job}
            self._guarded(partial(self._beat, job, beats))
        for place, measured in ready:
            sink = self._pending[place][0]
            if not self._guarded(partial(sink.put, list(measured.values()))):
                self._put_back(place, measured)

    def _put_back(self, place: int, measured: dict[Key, Measured]) -> None:
        with self._lock:
            kept = self._pending[place][1]
            for key, older in measured.items():
                kept[key] = joined(older, kept[key]) if key in kept else older

    def _guarded(self, step: Callable[[], None]) -> bool:
        try:
            step()
            return True
        except HeadraceError as error:
            log.warning("metrics: %s", error)
        except Exception as error:
            log.warning("metrics: %s: %s", type(error).__name__, error)
        return False


def age(moment: datetime | None) -> float | None:
    """Seconds since then, not below 0, of a moment as Spark collects it: without a zone it is this process's."""
    if moment is None:
        return None
    return max(0.0, (datetime.now(UTC) - moment.astimezone(UTC)).total_seconds())


def joined(older: Measured, newer: Measured) -> Measured:
    """Both as one."""
    return replace(
        newer,
        count=older.count + newer.count,
        total=older.total + newer.total,
        low=min(older.low, newer.low),
        high=max(older.high, newer.high),
    )


def heartbeat_text(run: str, kept: str | None, beats: Mapping[str, datetime]) -> str:
    """A job's heartbeats with newer ones: one row for each source, as JSON.

    Args:
        kept: the text as it was.
    """
    rows = json.loads(kept) if kept else {}
    rows |= {source: {"at": at.isoformat(timespec="seconds"), "run": run} for source, at in beats.items()}
    return json.dumps(rows, indent=2, sort_keys=True) + "\n"
