"""What `headrace check` tries of what follows a batch of `track_feedback`: rules, metrics, and every store."""

from collections.abc import Callable, Iterator
from contextlib import closing

from headrace.config import Config
from headrace.config_feedback import Feedback
from headrace.config_publish import MeasureStoreSettings, SqliteMeasures
from headrace.conversations.alert_known import check
from headrace.pipelines.check_knowledge import may_be_made
from headrace.pipelines.measure_gauges import check_names
from headrace.pipelines.measure_names import measures_of
from headrace.stores.measure_stores import measure_store

Trial = tuple[str, Callable[[], str]]


def trials(config: Config, settings: Feedback) -> Iterator[Trial]:
    """The rules of alerts and the metrics where there are some, and every store."""
    if config.alerts.rules:
        yield "alerts: rules", lambda: _rules(config)
    if config.metrics.measures:
        yield "metrics: measures", lambda: _metrics(config)
    for name, store in settings.publish.items():
        yield f"feedback: publish {name}", lambda store=store: _store(store)  # type: ignore[misc]


def _rules(config: Config) -> str:
    check(config.alerts.rules, measures_of(config))
    return f"{len(config.alerts.rules)} fit their measures"


def _metrics(config: Config) -> str:
    check_names(config.metrics.measures, measures_of(config))
    return f"{', '.join(config.metrics.measures)}: known"


def _store(settings: MeasureStoreSettings) -> str:
    with closing(measure_store(settings)) as store:
        if store.look():
            return f"{settings.store}: there"
    if isinstance(settings, SqliteMeasures):
        may_be_made(settings.path)
    return f"{settings.store}: not made yet; `headrace run track_feedback` makes it"
