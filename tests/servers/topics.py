"""Reads the change events of a topic back, to say independently of Headrace what they mean."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from confluent_kafka import Consumer, TopicPartition

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Event:
    """One Kafka record; `value` is the parsed JSON without the schema block, None for a tombstone."""

    topic: str
    partition: int
    offset: int
    key: dict[str, Any] | None
    value: dict[str, Any] | None
    headers: dict[str, bytes | None]


def read(servers: str, pattern: str) -> list[Event]:
    """All records of the topics whose name begins with `pattern`, as they are now, by topic, partition and offset."""
    with _consumer(servers) as consumer:
        ends = _ends(consumer, pattern)
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
        wanted = sum(ends.values())
        return sorted(_take(consumer, wanted), key=lambda event: (event.topic, event.partition, event.offset))


def count(servers: str, pattern: str) -> int:
    """How many records those topics have taken."""
    with _consumer(servers) as consumer:
        return sum(_ends(consumer, pattern).values())


@contextmanager
def _consumer(servers: str) -> Iterator[Consumer]:
    settings = {"bootstrap.servers": servers, "group.id": "tests", "enable.auto.commit": False, "log_level": 0}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
    try:
        yield consumer
    finally:
        consumer.close()


def _ends(consumer: Consumer, pattern: str) -> dict[tuple[str, int], int]:
    topics = consumer.list_topics(timeout=10).topics
    parts = [TopicPartition(t, p, 0) for t in topics if t.startswith(pattern) for p in topics[t].partitions]
    return {(part.topic, part.partition): consumer.get_watermark_offsets(part)[1] for part in parts}


def _take(consumer: Consumer, wanted: int) -> Iterator[Event]:
    while wanted > 0:
        messages = consumer.consume(min(wanted, 1000), timeout=20)
        if not messages:
            raise TimeoutError(f"expected {wanted} more records from Kafka within 20 s, none came")
        for message in messages:
            if message.error():
                raise RuntimeError(str(message.error()))
            key, value = _payload(message.key()), _payload(message.value())
            yield Event(
                message.topic(), message.partition(), message.offset(), key, value, dict(message.headers() or [])
            )
        wanted -= len(messages)


def _payload(body: bytes | None) -> Any:
    parsed = None if body is None else json.loads(body)
    return parsed["payload"] if isinstance(parsed, dict) and set(parsed) == {"schema", "payload"} else parsed


def decimal(encoded: str | None, scale: int) -> Decimal | None:
    """Kafka Connect's Decimal: the unscaled whole number as big-endian bytes in base64."""
    return None if encoded is None else Decimal(int.from_bytes(b64decode(encoded), signed=True)).scaleb(-scale)


def intervals(
    events: list[Event], key: str, tracked: Callable[[dict[str, Any]], Values]
) -> dict[Any, list[tuple[Values, bool]]]:
    """The SCD2 history that the events of one table call for.

    `tracked` picks the tracked values of a row. Returns for each key its intervals in order: the values, and whether
    the next interval (or the open end) follows without a gap. The last one of a deleted key is followed by a gap.
    """
    by_key: dict[Any, dict[int, dict[str, Any]]] = {}
    for event in events:
        if event.value is None or event.key is None:
            continue
        at, seen = event.value["source"]["lsn"], by_key.setdefault(event.key[key], {})
        # Only a snapshot row can share its position with a change of the same row, and the change is the newer one.
        if at not in seen or seen[at]["op"] == "r":
            seen[at] = event.value
    found: dict[Any, list[tuple[Values, bool]]] = {}
    for identity, changes in by_key.items():
        rows = found.setdefault(identity, [])
        for _, change in sorted(changes.items()):
            if change["op"] == "d":
                rows[-1:] = [(values, False) for values, _ in rows[-1:]]
                continue
            values = tracked(change["after"])
            if not rows or rows[-1] != (values, True):
                rows.append((values, True))
    return found
