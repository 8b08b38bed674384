"""A job hands its rules Spark, the command delta-rs: both read the same minutes, of a table with deletion vectors."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from pyspark.sql import SparkSession

from headrace.config_alerts import Rule
from headrace.conversations.alert_known import minutes_sql
from headrace.conversations.latency import counted
from headrace.pipelines.alerting import _minute, rows_of_lake
from unit.conversations.alert_worlds import NOW, ago
from unit.conversations.measure_tables import SLICES

RULES = TypeAdapter(dict[str, Rule]).validate_python({
    "all": {"rule": "threshold", "measure": "errors", "above": 0.1},
    "one": {"rule": "threshold", "measure": "errors", "above": 0.1, "slice": {"model": "nova's"}},
    "slow": {"rule": "threshold", "measure": "latency", "percentile": 0.95, "above": 5},
})  # fmt: skip
SCHEMA = f"""measure string, minute timestamp, slice string, {", ".join(f"{name} string" for name in SLICES)},
    numerator double, denominator double, n bigint, buckets map<int, bigint>, counted_at timestamp, day date"""


def row(measure: str, minutes: int, numerator: float, model: str, buckets: dict[int, int] | None = None) -> tuple:
    at, names = ago(minutes), [model if name == "model" else None for name in SLICES]
    return (measure, at, "[]", *names, numerator, 10.0, 10, buckets, at, at.date())


@pytest.fixture
def table(spark: SparkSession, lake: Path) -> Path:
    """Six rows, of which one was deleted later, which the files say by a vector."""
    rows = [
        row("errors", 3, 1.0, "nova's"), row("errors", 3, 2.0, "small"), row("errors", 2, 9.0, "nova's"),
        row("errors", 20, 5.0, "small"), row("latency", 3, 30.0, "small", dict(counted([1.0, 9.0]))),
        row("latency", 3, 30.0, "nova's", dict(counted([2.0]))),
    ]  # fmt: skip
    place = f"{lake}/measures"
    frame = spark.createDataFrame(rows, SCHEMA).coalesce(1)
    writer = frame.write.format("delta").partitionBy("day").option("delta.enableDeletionVectors", "true")
    writer.save(place)
    spark.sql(f"DELETE FROM delta.`{place}` WHERE numerator = 9.0")
    return lake


def test_both_readers_give_a_rule_the_same_minutes(spark: SparkSession, table: Path) -> None:
    log = "".join(file.read_text() for file in (table / "measures" / "_delta_log").glob("*.json"))
    assert '"deletionVector"' in log
    spark.read.format("delta").load(f"{table}/measures").createOrReplaceTempView("rows")
    expected = {"all": [(ago(3), 3.0, 20.0)], "one": [(ago(3), 1.0, 10.0)], "slow": [(ago(3), 30.0, 10.0)] * 2}
    for name, rule in RULES.items():
        sql = minutes_sql(rule, NOW - timedelta(minutes=15), NOW)
        by_spark = [_minute(one.asDict()) for one in spark.sql(sql).collect()]
        by_delta_rs = [_minute(one) for one in rows_of_lake(str(table))(sql)]
        assert [(one.at, one.numerator, one.denominator) for one in by_spark] == expected[name]
        assert [(one.at, one.numerator, one.denominator) for one in by_delta_rs] == expected[name]
        assert sorted(sorted(one.buckets.items()) for one in by_spark) == sorted(
            sorted(one.buckets.items()) for one in by_delta_rs
        )
