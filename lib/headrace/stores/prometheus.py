"""Measures as a page that Prometheus reads: `http://<host>:<port>/metrics`."""

from collections.abc import Sequence
from typing import Any

from headrace.config_metrics import Prometheus
from headrace.errors import ConfigError, MissingDependency
from headrace.measured import Measured

_LABELS = ("name", "job_name", "source")
# `job` is Prometheus's own label.
_GAUGES = {
    "LagSeconds": ("headrace_lag_seconds", "how long the oldest message waited"),
    "FreshnessSeconds": ("headrace_freshness_seconds", "age of the newest change"),
    "MeasureValue": ("headrace_measure_value", "of a measure of conversations, over the newest minutes"),
    "MeasureRows": ("headrace_measure_rows", "how many rows that value is of"),
}
_ROWS = {"RowsApplied": "applied", "RowsStale": "stale", "RowsRejected": "rejected"}


class PrometheusSink:
    """Serves the newest measures until it is closed. A `ports.MetricSink`.

    Args:
        name: the label `name`, beside `job_name` and `source`.

    Raises:
        MissingDependency: prometheus-client is not installed.
        ConfigError: the address is taken or not of this machine.
    """

    def __init__(self, settings: Prometheus, name: str) -> None:
        try:
            import prometheus_client as prometheus
        except ModuleNotFoundError as error:
            todo = "Run `pip install 'headrace[prometheus]'`."
            raise MissingDependency(expected="prometheus-client", found=f"no module {error.name}", todo=todo) from error
        self._name = name
        registry = prometheus.CollectorRegistry()
        self._gauges: dict[str, Any] = {
            metric: prometheus.Gauge(name, what, _LABELS, registry=registry) for metric, (name, what) in _GAUGES.items()
        }
        self._rows = prometheus.Counter("headrace_rows", "rows by outcome", (*_LABELS, "outcome"), registry=registry)
        self._batches = prometheus.Counter("headrace_batches", "batches done", _LABELS, registry=registry)
        self._busy = prometheus.Counter("headrace_batch_seconds", "seconds of batches", _LABELS, registry=registry)
        self._beat = prometheus.Gauge(
            "headrace_heartbeat_timestamp_seconds", "when it was last seen alive", _LABELS, registry=registry
        )
        try:
            self._server, self._thread = prometheus.start_http_server(
                settings.port, addr=settings.host, registry=registry
            )
        except OSError as error:
            raise ConfigError(
                where="metrics.prometheus",
                expected="a free port on this machine",
                found=f"{settings.host}:{settings.port}: {error.strerror or error}",
                todo="Name another port, or end what listens there.",
            ) from error

    def put(self, measured: Sequence[Measured]) -> None:
        """Show them from now on."""
        for one in measured:
            labels = (self._name, one.job, one.source)
            if one.metric in self._gauges:
                self._gauges[one.metric].labels(*labels).set(one.last)
            elif one.metric in _ROWS:
                self._rows.labels(*labels, _ROWS[one.metric]).inc(one.total)
            elif one.metric == "BatchSeconds":
                self._batches.labels(*labels).inc(one.count)
                self._busy.labels(*labels).inc(one.total)
            elif one.metric == "Heartbeat":
                self._beat.labels(*labels).set_to_current_time()

    def close(self) -> None:
        """End the page."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
