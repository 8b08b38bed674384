import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.changes.envelope import Decoded, Message
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_sources import KafkaSource

EVENTS = Path(__file__).parents[3] / "data" / "events"


@pytest.fixture(scope="session")
def samples() -> Callable[[str], Any]:
    """The captured events of one file of `tests/data/events`."""

    def read(name: str) -> Any:
        return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def captured() -> Callable[[str], list[Message]]:
    """Kafka records of PostgreSQL and Debezium 3.7, as they were read from the broker."""

    def read(name: str) -> list[Message]:
        lines = (EVENTS / f"postgres_{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [_message(json.loads(line)) for line in lines]

    return read


def _message(record: dict[str, Any]) -> Message:
    key, value = (record[name].encode() if record[name] else None for name in ("key", "value"))
    headers = tuple((name, text.encode()) for name, text in record["headers"])
    return Message(key, value, headers, record["topic"], record["partition"], record["offset"], 1_800_000_000_000_000)


@pytest.fixture
def decoding() -> Callable[..., Callable[..., list[Decoded]]]:
    """`decoding(format, table, key=..., types=..., **source)` gives `decode(value, key=None, headers=(), stream=...)`.

    Values that are not bytes are written as JSON.
    """

    def build(
        form: str, source_table: str | None = None, /, *, key: Any = ("id",), types: Any = None, **source: Any
    ) -> Callable[..., list[Decoded]]:
        settings = KafkaSource(**{"from": "kafka"}, servers="-", topics=("t",), format=form, **source)
        tables = {"t": Table(source="s", source_table=source_table, key=key, types=types or {})}
        run = decoder(settings, Routes(tables))

        def decode(value: Any, key: Any = None, headers: Any = (), stream: str = "shop.public.t") -> list[Decoded]:
            return run(Message(_bytes(key), _bytes(value), tuple(headers), stream, 2, 7, 1_700_000_000_000_000))

        return decode

    return build


def _bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
