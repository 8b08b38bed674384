"""Events on a Kafka topic, one message each, keyed by their conversation."""

import json
from collections.abc import Sequence
from typing import Any

from headrace.config_conversations import KafkaEvents
from headrace.errors import MissingDependency, Unreachable
from headrace.stores.kafka_auth import Tokens
from headrace.stores.kafka_look import client_settings

_CONSUMERS = ("group.id", "enable.auto.commit", "allow.auto.create.topics")


class KafkaDelivery:
    """A topic; an `event_buffer.Delivery`. Nothing is asked of the brokers before the first event.

    Raises:
        MissingDependency: confluent-kafka is not installed.
    """

    def __init__(self, settings: KafkaEvents) -> None:
        try:
            from confluent_kafka import Producer
        except ModuleNotFoundError as error:
            todo = 'Run `pip install "headrace[kafka]"`.'
            raise MissingDependency(expected="confluent-kafka", found=f"no module {error.name}", todo=todo) from error
        self._make, self._settings = Producer, settings
        self._producer: Any = None

    def deliver(self, lines: Sequence[bytes]) -> int:
        """Send all of them and wait until the brokers have them. After a failure some may come twice."""
        from confluent_kafka import KafkaError, KafkaException

        never: list[str] = []
        failed: list[str] = []
        confirmed: list[None] = []

        def report(error: Any, _: Any) -> None:
            too_large = error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE
            if error is None:
                confirmed.append(None)
            else:
                (never if too_large else failed).append(error.str())

        try:
            producer = self._producer = self._producer or self._made()
            for line in lines:
                self._send(producer, line, report, never)
            producer.flush(2 * self._settings.timeout.total_seconds())
        except KafkaException as error:
            raise self._away(str(error)) from error
        if len(confirmed) + len(never) < len(lines):
            raise self._away(failed[0] if failed else "no confirmation in time")
        return len(never)

    def _send(self, producer: Any, line: bytes, report: Any, never: list[str]) -> None:
        from confluent_kafka import KafkaError, KafkaException

        key = str(json.loads(line).get("conversation", "")).encode(errors="replace")
        while True:
            try:
                producer.produce(self._settings.topic, line, key, on_delivery=report)
                return
            except BufferError:
                producer.poll(0.5)  # the client's queue is full; its messages are on their way
            except KafkaException as error:
                if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise
                never.append(error.args[0].str())
                return

    def _made(self) -> Any:
        settings = client_settings(self._settings.servers, self._settings.options)
        tokens = Tokens(self._settings.auth).settings() if self._settings.auth else {}
        plain = {name: value for name, value in settings.items() if name not in _CONSUMERS}
        return self._make(
            {
                **plain,
                **tokens,
                # A message that the client sends again for itself neither comes twice nor passes a later one.
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 5,
                "delivery.timeout.ms": int(self._settings.timeout.total_seconds() * 1000),
            }
        )

    def _away(self, found: str) -> Unreachable:
        # A producer that broke off what it was sending takes nothing more.
        self._producer = None
        where = f"kafka topic {self._settings.topic}"
        todo = "Check that the brokers run, that the topic exists, and `servers` and `options`."
        return Unreachable(expected="brokers that take events", found=found, todo=todo, where=where)

    def close(self) -> None:
        """Close the connections; nothing is on its way any more."""
        self._producer = None
