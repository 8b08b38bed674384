"""Alerts to a topic of Amazon SNS."""

import json
from typing import Any

from headrace.config_alerts import SnsOutput
from headrace.ports_alerts import Alert
from headrace.stores.aws_clients import aws_client, translated

_SUBJECT = 100
"""Characters that a subject may have; ASCII without line breaks."""


class SnsSink:
    """Publishes one message for each alert: its JSON, with rule, kind and measure as attributes to filter by.

    To a topic that ends with `.fifo` the alert's id is the id by which SNS knows a repeat within five minutes.

    Args:
        client: of `sns`; made from the settings where not given.
    """

    def __init__(self, settings: SnsOutput, client: Any = None) -> None:
        self._topic = settings.topic
        self._client = client or aws_client("sns", region=settings.region, role=settings.role, seconds=10, calls=1)

    def send(self, alert: Alert) -> None:
        """As in `AlertSink`."""
        try:
            self._client.publish(**_message(self._topic, alert))
        except Exception as error:
            raise translated(error, self._topic, "a message to be taken") from error

    def close(self) -> None:
        """As in `AlertSink`."""
        self._client.close()


def _message(topic: str, alert: Alert) -> dict[str, Any]:
    about = {"rule": alert.rule, "kind": alert.kind, "measure": alert.measure}
    message: dict[str, Any] = {
        "TopicArn": topic,
        "Subject": f"Headrace: {alert.rule} ({alert.measure})"[:_SUBJECT],
        "Message": json.dumps(alert.as_dict(), ensure_ascii=False),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in about.items() if value
        },
    }
    if topic.endswith(".fifo"):
        message |= {"MessageGroupId": alert.rule, "MessageDeduplicationId": alert.id}
    return message
