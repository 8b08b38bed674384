"""Looks into a Kafka cluster without Spark: topics, offsets, a few messages. Never commits anything."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from headrace.config_kafka import MskIam
from headrace.errors import MissingDependency, Unreachable
from headrace.stores.kafka_auth import Tokens

_SAME_NAME = ("security.protocol", "sasl.mechanism", "ssl.endpoint.identification.algorithm", "client.id")
_JAAS = re.compile(r'(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"')
_GROUP = "headrace-look"


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it stands in the topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class KafkaLook:
    """A short-lived, read-only client.

    Args:
        servers: bootstrap servers.
        options: options of Spark's Kafka source; the `kafka.` ones that librdkafka knows are used.
        auth: how to sign in to Amazon MSK.
        seconds: how long one call may wait for an answer.

    Raises (every method): Unreachable where no broker answers; MissingDependency without confluent-kafka; with `auth`
    what AWS refuses, as Fatal or Retryable.
    """

    def __init__(
        self,
        servers: str,
        options: Mapping[str, str | SecretStr] | None = None,
        auth: MskIam | None = None,
        seconds: float = 5.0,
    ) -> None:
        self.servers, self._seconds, self._auth = servers, seconds, auth
        self._settings = client_settings(servers, options or {})

    def topics(self, patterns: Sequence[str]) -> dict[str, list[int]]:
        """Partitions of every topic that one of the patterns names; `*` stands for any characters."""
        matches = topic_pattern(patterns)
        with self._consumer() as consumer:
            found = consumer.list_topics(timeout=self._seconds).topics
            return {name: sorted(found[name].partitions) for name in sorted(found) if matches.fullmatch(name)}

    def offsets(self, topics: Mapping[str, Sequence[int]]) -> dict[str, dict[int, tuple[int, int]]]:
        """First offset still there and next offset to be written, by topic and partition."""
        from confluent_kafka import TopicPartition

        with self._consumer() as consumer:
            return {
                topic: {
                    partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=self._seconds)
                    for partition in partitions
                }
                for topic, partitions in topics.items()
            }

    def sample(self, topics: Mapping[str, Sequence[int]], most: int) -> dict[str, list[Record]]:
        """Up to `most` of the oldest messages of each topic, by topic."""
        from confluent_kafka import TopicPartition

        ends = self.offsets(topics)
        with self._consumer() as consumer:
            found: dict[str, list[Record]] = {}
            for topic, partitions in ends.items():
                wanted = {place: bounds for place, bounds in partitions.items() if bounds[0] < bounds[1]}
                consumer.assign([TopicPartition(topic, place, bounds[0]) for place, bounds in wanted.items()])
                found[topic] = self._read(consumer, {place: end for place, (_, end) in wanted.items()}, most)
            return found

    def _read(self, consumer: Any, ends: dict[int, int], most: int) -> list[Record]:
        records: list[Record] = []
        open_places = set(ends)
        deadline = time.monotonic() + self._seconds
        while open_places and len(records) < most and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None or message.error():
                continue
            place = message.partition()
            records.append(Record(message.topic(), place, message.offset(), message.key(), message.value()))
            if message.offset() + 1 >= ends[place]:
                open_places.discard(place)
        return records

    @contextmanager
    def _consumer(self) -> Iterator[Any]:
        try:
            from confluent_kafka import Consumer, KafkaException
        except ModuleNotFoundError as error:
            todo = "Run `pip install 'headrace[kafka]'`."
            raise MissingDependency(expected="confluent-kafka", found=f"no module {error.name}", todo=todo) from error
        said: list[str] = []
        consumer = None
        tokens = Tokens(self._auth) if self._auth else None
        signed = tokens.settings() if tokens else {}
        try:
            # Its own complaints would go to stderr, once a second; they go into the error instead.
            consumer = Consumer({**self._settings, **signed, "error_cb": lambda error: said.append(error.str())})
            yield consumer
        except (KafkaException, SystemError) as error:
            # Without a token the client's C code calls error_cb while its own exception is set: a SystemError.
            if tokens and tokens.failure:
                raise tokens.failure from error
            if isinstance(error, SystemError):
                raise
            if consumer is not None:
                consumer.poll(0)  # what it has to say comes through the callback, which only a call lets run
            found = said[-1] if said else error.args[0].str()
            todo = "Check servers, the network and options (security, credentials)."
            raise Unreachable(where=self.servers, expected="a Kafka broker", found=found, todo=todo) from error
        finally:
            if consumer is not None:
                consumer.close()


def topic_pattern(patterns: Sequence[str]) -> re.Pattern[str]:
    """One regular expression for names and patterns with `*`."""
    return re.compile("|".join(".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns))


def client_settings(servers: str, options: Mapping[str, str | SecretStr]) -> dict[str, Any]:
    """Settings of librdkafka for options of Spark's Kafka source. Key stores in Java's own format are left out."""
    plain = {
        name.removeprefix("kafka."): value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in options.items()
        if name.startswith("kafka.")
    }
    settings: dict[str, Any] = {name: plain[name] for name in _SAME_NAME if name in plain}
    for name, value in _JAAS.findall(plain.get("sasl.jaas.config", "")):
        settings[f"sasl.{name}"] = re.sub(r"\\(.)", r"\1", value)
    if plain.get("ssl.truststore.type", "").upper() == "PEM" and "ssl.truststore.location" in plain:
        settings["ssl.ca.location"] = plain["ssl.truststore.location"]
    return {
        **settings,
        "bootstrap.servers": servers,
        "group.id": _GROUP,
        "enable.auto.commit": False,
        "allow.auto.create.topics": False,
        "log_level": 0,
    }
