"""Alerts in the job's log."""

import logging

from headrace.ports_alerts import Alert

_LOG = logging.getLogger("headrace.alerts")


class LogSink:
    """Writes a warning for each. As `AlertSink`."""

    def send(self, alert: Alert) -> None:
        """As in `AlertSink`."""
        _LOG.warning("%s [%s]", alert.text, alert.id)

    def close(self) -> None:
        """As in `AlertSink`."""
