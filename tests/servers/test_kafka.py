"""What Kafka itself brings: topics by pattern, batch size, headers, tombstones, null keys, topics created later."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .chain import read
from .driver import Driver
from .kafka import Kafka

ROWS = 600
BATCH = 400


def event(table: str, op: str, row: dict[str, Any], lsn: int) -> bytes:
    """A Debezium event of PostgreSQL without schema block."""
    source = {
        "connector": "postgresql",
        "schema": "public",
        "table": table,
        "lsn": lsn,
        "ts_ms": 1_700_000_000_000 + lsn,
    }
    images = {"before": row, "after": None} if op == "d" else {"before": None, "after": row}
    return json.dumps({**images, "source": {**source, "snapshot": "false"}, "op": op, "ts_ms": 1}).encode()


def key_of(row_id: int) -> bytes:
    return json.dumps({"id": row_id}).encode()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory, kafka: Kafka) -> Iterator[Driver]:
    """Two topics that the pattern names and one that it does not are taken in; then one more that it names appears."""
    source = {"from": "kafka", "servers": kafka.servers, "topics": ["pat.public.*"], "format": "debezium"}
    source["max_offsets_per_batch"] = BATCH
    tables = {name: {"source": "feed", "source_table": f"public.{name}", "key": ["id"]} for name in ("a", "b", "later")}
    driver = Driver(tmp_path_factory.mktemp("pattern"), {"feed": source}, tables)
    kafka.create_topic("pat.public.a", partitions=3)
    kafka.create_topic("pat.public.b")
    kafka.create_topic("elsewhere.public.a")
    for number in range(ROWS):
        kafka.send("pat.public.a", key_of(number), event("a", "c", {"id": number, "name": f"n{number}"}, 1000 + number))
    kafka.send("elsewhere.public.a", key_of(-1), event("a", "c", {"id": -1, "name": "not ours"}, 5000))
    kafka.send("pat.public.b", key_of(1), event("b", "c", {"id": 1, "name": "one"}, 10))
    kafka.send("pat.public.b", key_of(1), event("b", "d", {"id": 1, "name": ""}, 11))
    kafka.send("pat.public.b", key_of(1), None)
    kafka.send(
        "pat.public.b",
        None,
        event("b", "c", {"id": 2, "name": "no record key"}, 12),
        [("x", b"\x00\xff"), ("x", b"2")],
    )
    kafka.send("pat.public.b", None, event("b", "c", {"name": "no key at all"}, 13))
    kafka.flush()
    driver.once()
    kafka.create_topic("pat.public.later")
    kafka.send("pat.public.later", key_of(7), event("later", "c", {"id": 7, "name": "seven"}, 20))
    kafka.flush()
    driver.forget_last_commit("feed")
    driver.once()
    driver.forget_last_commit("feed")
    kafka.send("pat.public.later", key_of(8), event("later", "c", {"id": 8, "name": "eight"}, 21))
    kafka.flush()
    driver.start().wait_commits(["later"])
    assert driver.stop() == 0
    yield driver


def rows(driver: Driver, table: str) -> list[dict[str, Any]]:
    """Id and name of every row, by id."""
    return sorted(read(driver.lake / "tables" / table, "id", "name"), key=lambda row: row["id"])


def test_every_partition_of_a_topic_is_read_and_a_topic_outside_the_pattern_is_not(driver: Driver) -> None:
    assert rows(driver, "a") == [{"id": number, "name": f"n{number}"} for number in range(ROWS)]


def test_a_row_without_a_record_key_is_keyed_by_its_columns_and_a_deleted_row_is_gone(driver: Driver) -> None:
    assert rows(driver, "b") == [{"id": 2, "name": "no record key"}]


def test_a_topic_created_later_is_taken_in_by_a_run_that_first_repeats_a_batch_cut_off(driver: Driver) -> None:
    assert rows(driver, "later")[0] == {"id": 7, "name": "seven"}


def test_a_stream_that_first_repeats_a_batch_cut_off_goes_on_with_the_next(driver: Driver) -> None:
    assert rows(driver, "later")[1:] == [{"id": 8, "name": "eight"}]


def test_only_the_row_without_any_key_is_rejected(driver: Driver) -> None:
    (refused,) = read(driver.lake / "rejects" / "apply_changes", "table", "message", "message_key", "origin")
    assert json.loads(refused["message"])["after"] == {"name": "no key at all"}
    assert refused["message_key"] is None
    assert refused["origin"] == {"stream": "pat.public.b", "partition": 0, "offset": 4, "part": 0}


def test_the_log_keeps_headers_byte_for_byte_and_in_order(driver: Driver) -> None:
    log = read(driver.lake / "changes_log", "headers", "message_key", "origin")
    (kept,) = [row for row in log if row["origin"]["stream"] == "pat.public.b" and row["origin"]["offset"] == 3]
    assert kept["headers"] == [{"key": "x", "value": b"\x00\xff"}, {"key": "x", "value": b"2"}]
    assert kept["message_key"] is None


def test_no_batch_takes_more_records_than_the_limit_and_every_record_is_counted(driver: Driver) -> None:
    batches = read(driver.lake / "batches", "batch", "table", "sent", "applied", "stale", "rejected", "ignored")
    for row in batches:
        assert row["applied"] + row["stale"] + row["rejected"] + row["ignored"] == row["sent"]
    sent = {(row["batch"], row["table"]): row["sent"] for row in batches}  # a batch cut off was counted twice
    per_batch: dict[int, int] = {}
    for (batch, _), count in sent.items():
        per_batch[batch] = per_batch.get(batch, 0) + count
    assert max(per_batch.values()) <= BATCH + 2  # Spark shares the limit between partitions and rounds up
    assert sum(per_batch.values()) == ROWS + 5 + 2
    ignored = {row["batch"] for row in batches if row["ignored"]}
    assert len(ignored) == 1  # the batch with the tombstone after the delete
