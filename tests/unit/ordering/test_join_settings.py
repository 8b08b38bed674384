"""Spark makes the Bloom filter that keeps big tables out of the shuffle; nothing else would notice if it stopped to."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.ordering.join_settings import BROADCAST, WORTH_ROWS, join_settings


def test_a_small_table_keeps_the_sessions_own_joins() -> None:
    assert join_settings(WORTH_ROWS - 1, 10, "10485760b") == {BROADCAST: "10485760b"}


@pytest.mark.parametrize("how", ["inner", "left"])
def test_a_big_table_is_filtered_before_it_is_shuffled(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    spark.range(1000).select(F.col("id").cast("string").alias("id")).write.format("delta").save(str(tmp_path))
    batch = spark.range(10).select(F.col("id").cast("string").alias("id"), F.lit('["1"]').alias("_key"))
    kept = batch.localCheckpoint(eager=False)
    settings = join_settings(WORTH_ROWS, 10, "10485760b")
    usual = {name: spark.conf.get(name) for name in settings}
    try:
        for name, value in settings.items():
            spark.conf.set(name, value)
        kept.where(F.col("_key") > "").join(spark.read.format("delta").load(str(tmp_path)), "id", how).explain(True)
    finally:
        for name, value in usual.items():
            spark.conf.set(name, str(value))
    assert "might_contain" in capsys.readouterr().out.lower()
