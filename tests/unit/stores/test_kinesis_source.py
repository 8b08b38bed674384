"""Rows of Kinesis as messages: the columns, on plain frames; streams themselves are read in tests/servers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.changes.envelope import Message
from headrace.changes.formats.image import arrival
from headrace.config_sources import KinesisSource
from headrace.errors import FromWorker, Unreachable
from headrace.stores import kinesis_source
from headrace.stores.kinesis.natives import common
from headrace.tables import MESSAGES

AT = datetime(2026, 11, 22, 9, 0, 0, 123_000, tzinfo=UTC)
HIGH = "49590338271490256608559692538361571095921575989136588898"
ROW = "data binary, partitionKey string, sequenceNumber string, approximateArrivalTimestamp timestamp"


def test_a_row_becomes_a_message_and_its_number_is_kept_whole(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        (b"one", "k", HIGH, AT, "orders", "shardId-000000000012"),
        (b"two", "k", "49590338271490256608559692538361571095921575989136588899", AT, "orders", None),
    ]
    frame = spark.createDataFrame(rows, f"{ROW}, streamName string, shardId string")
    monkeypatch.setattr(kinesis_source, "_frame", lambda *_: frame)
    source = KinesisSource.model_validate({"from": "kinesis", "streams": ["orders"], "format": "dms"})
    messages = kinesis_source.stream(spark, source)
    wanted = spark.createDataFrame([], MESSAGES)
    assert [(one.name, one.dataType.simpleString()) for one in messages.schema] == [
        (one.name, one.dataType.simpleString()) for one in wanted.schema
    ]
    first, second = (row.asDict(recursive=True) for row in messages.collect())
    millis = 217_501_200_123  # since 2020
    assert first["offset"] >> 23 == second["offset"] >> 23 == millis
    assert first["offset"] != second["offset"]
    assert (first["partition"], second["partition"]) == (12, 0)
    assert (first["message_key"], first["message"], first["stream"]) == (b"k", b"one", "orders")
    assert first["headers"] == [{"key": "headrace.sequence", "value": HIGH.encode()}]


def test_records_of_one_millisecond_are_ordered_by_their_numbers_whatever_their_length() -> None:
    def place(number: int, offset: int) -> tuple[str, ...]:
        header = ("headrace.sequence", str(number).encode())
        return arrival(Message(None, None, (header,), arrived_at=5, offset=offset))

    assert place(int(HIGH), 9) < place(int(HIGH) + 1, 1)
    assert place(9, 9) < place(10, 1)


def test_rows_of_the_platforms_sources_become_the_same(spark: SparkSession) -> None:
    row: tuple[Any, ...] = (b"one", "k", "17", AT, "orders")
    glue = common(spark.createDataFrame([row], f"{ROW}, streamName string"), "glue")
    told = spark.createDataFrame([(*row, "shardId-1")], f"{ROW}, stream string, shardId string")
    databricks = common(told, "databricks")
    assert glue.columns == databricks.columns
    assert glue.first()["shardId"] is None and databricks.first()["shardId"] == "shardId-1"  # type: ignore[index]
    assert glue.first()["streamName"] == databricks.first()["streamName"] == "orders"  # type: ignore[index]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("headrace.errors.Fatal: Kinesis stream a: expected x; found y. Do z.", FromWorker),
        ("headrace.stores.kinesis.faults.OutOfReach: Kinesis stream a: expected x; found y. Do z.", FromWorker),
        ("headrace.stores.kinesis.faults.Later: Kinesis stream a: expected x; found y. Do z.", Unreachable),
        ("headrace.errors.Unreachable: Kinesis stream a: expected x; found y. Do z.", Unreachable),
        ("java.lang.Exception: something else", RuntimeError),
    ],
)
def test_what_a_process_of_sparks_raised_is_told_in_its_own_words(said: str, kind: type[Exception]) -> None:
    trace = f"[PYTHON_STREAMING_DATA_SOURCE_RUNTIME_ERROR] failed\nTraceback:\n  File a\n{said}\n\tat org.apache.Spark"
    found = kinesis_source.explained(RuntimeError(trace), "shop")
    assert type(found) is kind
    if kind is not RuntimeError:
        assert "expected x; found y. Do z." in str(found) and "Traceback" not in str(found)
