"""What `track_feedback` does after each batch with the measures it counted: alerts, publishing, metrics. No Spark.

None of it can change what a batch has written, or end the job: but for `NotPublished`, which would be told for ever.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from headrace.config import Config
from headrace.errors import HeadraceError
from headrace.pipelines import alerting
from headrace.pipelines.measure_gauges import Gauges, Observe
from headrace.pipelines.measure_names import measures_of
from headrace.pipelines.publish_measures import MeasurePublisher, NotPublished, Rows
from headrace.stores.alert_sinks import alert_sinks
from headrace.stores.alert_sinks import close as close_sinks
from headrace.stores.files import LakeFiles
from headrace.stores.measure_stores import measure_store

IDLE_SECONDS = 15.0
"""How often it is done where no batch comes."""
Step = Callable[[datetime], object]
_LOG = logging.getLogger("headrace")


class AfterBatch:
    """Steps that are done one after the other.

    Args:
        steps: by what they are called in the log.
        closers: give back what the steps hold.
        clock: seconds; tests replace it.
    """

    def __init__(
        self,
        steps: Sequence[tuple[str, Step]] = (),
        closers: Sequence[Callable[[], None]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps, self._closers, self._clock = tuple(steps), tuple(closers), clock
        self._done = clock()

    def run(self) -> None:
        """Do all. An error of one keeps none of the others from being done, and is logged.

        Raises:
            NotPublished: after all was done.
        """
        ends: NotPublished | None = None
        for name, step in self._steps:
            try:
                _guarded(name, partial(step, datetime.now(UTC)))
            except NotPublished as error:
                ends = ends or error
        self._done = self._clock()
        if ends:
            raise ends

    def idle(self) -> None:
        """The same, where the last time was a while ago: minutes close and stores come back without a batch."""
        if self._steps and self._clock() - self._done >= IDLE_SECONDS:
            self.run()

    def close(self) -> None:
        """Give back what the steps hold."""
        for one in self._closers:
            _guarded("closing", one)


def of_config(config: Config, rows: Rows, observe: Observe) -> AfterBatch:
    """What the settings ask for; nothing is opened where they ask for nothing.

    Args:
        rows: reads the table of measures.
        observe: `Telemetry.observe`.

    Raises ConfigError where a rule, an output or a name does not fit.
    """
    closers: list[Callable[[], None]] = []
    try:
        return AfterBatch(list(_steps(config, rows, observe, closers)), closers)
    except BaseException:
        AfterBatch(closers=closers).close()
        raise


def _steps(
    config: Config, rows: Rows, observe: Observe, closers: list[Callable[[], None]]
) -> Iterator[tuple[str, Step]]:
    if config.alerts.rules:
        sinks = alert_sinks(config.alerts.outputs)
        closers.append(partial(close_sinks, sinks))
        yield "alerts", alerting.of_config(config, sinks, rows).after_batch
    for name, settings in config.feedback.publish.items() if config.feedback else ():
        publisher = MeasurePublisher(name, measure_store(settings), rows, LakeFiles(config.lake))
        closers.append(publisher.close)
        yield f"publishing to {name}", publisher.after_batch
    if names := config.metrics.measures:
        gauges = Gauges(names, config.metrics.window, config.alerts.settle, measures_of(config), rows, observe)
        yield "metrics of measures", gauges.after_batch


def _guarded(name: str, step: Callable[[], object]) -> None:
    try:
        step()
    except NotPublished:
        raise
    except HeadraceError as error:
        _LOG.warning("%s: %s", name, error)
    except Exception as error:
        _LOG.warning("%s: %s: %s", name, type(error).__name__, error)
