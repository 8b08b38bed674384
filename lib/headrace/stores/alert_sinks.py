"""The outputs of alerts that the settings name."""

from collections.abc import Mapping

from headrace.config_alerts import LOG, LogOutput, Output, SnsOutput, WebhookOutput
from headrace.ports_alerts import AlertSink
from headrace.stores.alert_log import LogSink
from headrace.stores.alert_sns import SnsSink
from headrace.stores.alert_webhook import WebhookSink


def alert_sinks(outputs: Mapping[str, Output]) -> dict[str, AlertSink]:
    """New ones by name, the log among them; nobody is asked yet. The caller closes them.

    Raises ConfigError where one cannot be made.
    """
    made: dict[str, AlertSink] = {LOG: LogSink()}
    try:
        for name, one in outputs.items():
            made[name] = _sink(one, name)
    except BaseException:
        close(made)
        raise
    return made


def close(sinks: Mapping[str, AlertSink]) -> None:
    """Give back what they hold."""
    for one in sinks.values():
        one.close()


def _sink(settings: Output, name: str) -> AlertSink:
    match settings:
        case LogOutput():
            return LogSink()
        case SnsOutput():
            return SnsSink(settings)
        case WebhookOutput():
            return WebhookSink(settings, name)
    raise TypeError(f"no output for {type(settings).__name__}")
