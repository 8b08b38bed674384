"""Changes of a few rows in the tables of people: the same as MERGE would leave, and hardly a row is read for them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.lake import Lake, local_rows
from headrace.profiles.some_rows import FEW, put, remove_some_entries
from headrace.tables import ALIASES, BEHAVIOUR, IDENTIFIERS

HOUR = datetime(2026, 11, 26, 14, tzinfo=UTC)
SIGNS = ["it's", "'", "''", "\\", "\\'", "a\\nb", "a\nb", "${env:HOME}", "$", "%_", '["a\\"b"]', "ß雪", "-- x", " "]
PAGE = 500


@pytest.mark.parametrize("more", [0, FEW], ids=["a few", "more"])
def test_rows_take_the_place_of_those_of_the_same_key(spark: SparkSession, tmp_path: Path, more: int) -> None:
    lake, owners = Lake(spark, str(tmp_path)), [*SIGNS, *map(str, range(more))]
    hours = [HOUR, HOUR + timedelta(hours=1)]
    before = {(feed, owner, hour): "old" for feed in "ab" for owner in owners for hour in hours}
    lake.append(_behaviour(spark, before), lake.ensure(BEHAVIOUR))
    changed = {("a", owner, HOUR): None if owner in SIGNS[::2] else "new" for owner in [*owners, "nobody yet"]}
    put(lake, BEHAVIOUR, [(*key, body, 1) for key, body in changed.items()], delete="s.body IS NULL")
    rows = lake.read(BEHAVIOUR.path).collect()
    found = {(row["feed"], row["owner"], row["hour"].replace(tzinfo=UTC)): row["body"] for row in rows}
    assert found == {key: body for key, body in (before | changed).items() if body}
    assert len(rows) == len(found)


@pytest.mark.parametrize("more", [0, FEW], ids=["a few", "more"])
def test_entries_go_by_their_whole_key(spark: SparkSession, tmp_path: Path, more: int) -> None:
    lake, hashes = Lake(spark, str(tmp_path)), [*SIGNS, *map(str, range(more))]
    keys = [(kind, one, record, "k") for kind in ("email", "phone") for one in hashes for record in ("shop", "calls")]
    rows = local_rows(spark, [(*key, 0) for key in keys], IDENTIFIERS.schema)
    lake.append(rows, lake.ensure(IDENTIFIERS))
    gone = [("email", one, "shop", "k") for one in hashes]
    remove_some_entries(lake, gone)
    left = [tuple(row) for row in lake.read(IDENTIFIERS.path).drop("batch").collect()]
    assert sorted(left) == sorted(set(keys) - set(gone))


def test_for_a_few_rows_only_their_pages_are_read_and_nothing_else_is_written(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake, pages = Lake(spark, str(tmp_path)), 8
    rows = spark.range(0, pages * PAGE, 1, 1).select(
        F.format_string("%06d", "id").alias("person"), F.lit("x").alias("now"), F.lit(0).cast("bigint").alias("batch"),
        F.lit(HOUR).alias("at"),
    )  # fmt: skip
    with lake.setting({"parquet.page.row.count.limit": str(PAGE)}):
        lake.append(rows, lake.ensure(ALIASES))
    since = _executions(spark).executionsCount()
    put(lake, ALIASES, [("000700", "y", 1, HOUR), ("000701", "", 1, HOUR)], delete="s.now = ''")
    read = _rows_read(spark, since)
    assert read and sum(read) <= PAGE
    added = lake.table(ALIASES.path).history(1).select("operationMetrics").collect()[0][0]
    assert added["numOutputRows"] == "1"
    assert lake.read(ALIASES.path).where("batch = 0").count() == pages * PAGE - 2


def _behaviour(spark: SparkSession, bodies: dict[tuple[str, str, datetime], str]) -> DataFrame:
    return local_rows(spark, [(*key, body, 0) for key, body in bodies.items()], BEHAVIOUR.schema)


def _executions(spark: SparkSession) -> Any:
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()  # type: ignore[union-attr]
    return spark._jsparkSession.sharedState().statusStore()


def _rows_read(spark: SparkSession, since: int) -> list[int]:
    """What each scan of `aliases` put out since."""
    store, found = _executions(spark), []
    executions = store.executionsList(since, 1000)
    for number in (executions.apply(index).executionId() for index in range(executions.size())):
        metrics, nodes = store.executionMetrics(number), store.planGraph(number).allNodes()
        for node in (nodes.apply(index) for index in range(nodes.size())):
            if node.name().startswith("Scan parquet") and "/aliases]" in node.desc():
                told = [node.metrics().apply(index) for index in range(node.metrics().size())]
                rows = next(one.accumulatorId() for one in told if one.name() == "number of output rows")
                found.append(int(metrics.get(rows).get().replace(",", "")))
    return found
