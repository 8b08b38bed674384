"""A topic of passages with their vectors, for OpenSearch Ingestion or anything else that reads Kafka.

A message's key is the passage's; its value is the document that `opensearch_index` would write, deleted ones included,
so that whoever reads the topic can write it to OpenSearch with `row.key` as id and `row.version` as external version.
Kafka refuses nothing: the guard is the reader's, by the version in each message. A topic cannot be searched, claimed,
listed by key or swept.
"""

from collections.abc import Sequence
from typing import Any

from headrace.config_indexes import KafkaIndex
from headrace.errors import Fatal, MissingDependency, Unreachable
from headrace.ports import Failed, Model, Projected, Written
from headrace.stores.generations import checked_generation, not_open
from headrace.stores.kafka_auth import Tokens
from headrace.stores.kafka_look import client_settings
from headrace.stores.knows_no_keys import KnowsNoKeys
from headrace.stores.opensearch_bulk import document_of, dumps
from headrace.stores.passage_rows import Row, checked, first_model, too_large

_SECONDS_TO_OPEN = 10.0
_SECONDS_TO_DELIVER = 60.0


class KafkaVectorIndex(KnowsNoKeys):
    """The write side; a `ports.VectorIndex` as far as a topic can be one.

    Args:
        settings: brokers and topic.
        generation: travels in the header `generation`; a reader of the topic decides what it does with each.
        model: what the vectors are made with; None takes what the first passage says.
    """

    def __init__(self, settings: KafkaIndex, generation: str, model: Model | None = None) -> None:
        self._settings, self._model = settings, model
        self._generation = checked_generation(generation)
        self._where = f"kafka topic {settings.topic}"
        self._producer: Any = None
        self._headers: list[tuple[str, bytes]] = []

    def open(self, owner: str) -> None:
        """Connect and look for the topic. `owner` travels in a header; a topic cannot be claimed."""
        try:
            from confluent_kafka import KafkaException, Producer
        except ModuleNotFoundError as error:
            todo = 'Run `pip install "headrace[kafka]"`.'
            raise MissingDependency(expected="confluent-kafka", found=f"no module {error.name}", todo=todo) from error
        dumps(None)  # a missing package shows now and not at the first row
        said: list[str] = []
        tokens = Tokens(self._settings.auth) if self._settings.auth else None
        told = self._told(tokens, said)
        try:
            producer = Producer(told)
            found = producer.list_topics(timeout=_SECONDS_TO_OPEN).topics
        except (KafkaException, SystemError) as error:
            if tokens and tokens.failure:
                raise tokens.failure from error
            if isinstance(error, SystemError):
                raise
            todo = "Check that the brokers run and that `servers` and `options` are right."
            why = said[-1] if said else str(error)
            raise Unreachable(expected="an answer from Kafka", found=why, todo=todo, where=self._where) from error
        if self._settings.topic not in found:
            todo = "Create it, best with cleanup.policy=compact."
            raise Fatal(expected="a topic of that name", found="none", todo=todo, where=self._where)
        self._producer = producer
        self._headers = [("owner", owner.encode()), ("generation", self._generation.encode())]

    def _told(self, tokens: Tokens | None, said: list[str]) -> dict[str, Any]:
        """Settings of the producer; its complaints go to `said`."""
        basics = client_settings(self._settings.servers, self._settings.options)
        for name in ("group.id", "enable.auto.commit", "allow.auto.create.topics"):
            basics.pop(name, None)  # a consumer's
        return {
            **basics,
            **(tokens.settings() if tokens else {}),
            # Idempotent: a message the client sends again for itself neither comes twice nor passes a later one.
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 20,
            "message.max.bytes": max(1_000_000, 2 * self._settings.bytes_per_write),
            "delivery.timeout.ms": int(_SECONDS_TO_DELIVER * 1000),
            "error_cb": lambda error: said.append(error.str()),
        }

    def attach(self, owner: str) -> None:
        """The same: nothing is made."""
        self.open(owner)

    def write(self, rows: Sequence[Projected]) -> Written:
        """Send the newest row of each key; what the brokers confirmed counts as applied."""
        producer = self._opened()
        taken, failed, replaced = checked(rows, self._model)
        self._model = self._model or first_model(taken)
        delivered: list[str] = []
        for row in taken:
            value = self._value(row, failed)
            if value is not None:
                self._send(producer, row, value, delivered, failed)
        producer.flush(_SECONDS_TO_DELIVER)
        reported = set(delivered) | {one.key for one in failed}
        failed += [_failure(row, "no confirmation in time", True) for row in taken if row.key not in reported]
        return Written(len(delivered), replaced, tuple(failed))

    def _value(self, row: Row, failed: list[Failed]) -> bytes | None:
        try:
            value = dumps(document_of(row))
        except (TypeError, ValueError) as error:
            failed.append(_failure(row, f"expected a body of JSON values; {error}", False))
            return None
        problem = too_large(row, len(value), self._settings.bytes_per_write)
        if problem:
            failed.append(problem)
        return None if problem else value

    def _send(self, producer: Any, row: Row, value: bytes, delivered: list[str], failed: list[Failed]) -> None:
        from confluent_kafka import KafkaError

        def report(error: Any, _: Any) -> None:
            if error is None:
                delivered.append(row.key)
            else:
                failed.append(_failure(row, error.str(), error.code() != KafkaError.MSG_SIZE_TOO_LARGE))

        headers = [*self._headers, ("version", str(row.version).encode())]
        while True:
            try:
                producer.produce(self._settings.topic, value, row.key.encode(), headers=headers, on_delivery=report)
                producer.poll(0)
                return
            except BufferError:
                producer.poll(0.5)  # the client's queue is full; its messages are on their way

    def close(self) -> None:
        """Wait for what is on its way."""
        if self._producer is not None:
            self._producer.flush(_SECONDS_TO_DELIVER)
            self._producer = None

    def _opened(self) -> Any:
        if self._producer is None:
            raise not_open(self._where)
        return self._producer


def _failure(row: Row, reason: str, retry: bool) -> Failed:
    return Failed(row.key, row.version, reason, retry)
