import re
from pathlib import Path
from types import SimpleNamespace as Named

import pytest
from py4j.java_gateway import JavaPackage
from pyspark.sql import SparkSession

from headrace.errors import ConfigError, MissingDependency
from headrace.pipelines import runtime
from headrace.pipelines.runtime import spark_session


def test_the_session_writes_and_merges_delta_tables(spark: SparkSession, lake: Path) -> None:
    table = str(lake / "tables" / "users")
    spark.createDataFrame([(1, "old"), (2, "kept")], "id int, name string").write.format("delta").save(table)
    spark.createDataFrame([(1, "new"), (3, "added")], "id int, name string").createOrReplaceTempView("incoming")
    spark.sql(
        f"MERGE INTO delta.`{table}` t USING incoming s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    rows = spark.read.format("delta").load(table).orderBy("id").collect()
    assert [tuple(row) for row in rows] == [(1, "new"), (2, "kept"), (3, "added")]


def test_the_session_reads_kafka_and_keeps_to_this_machine(spark: SparkSession) -> None:
    assert spark.read.format("kafka") is not None
    assert "spark-sql-kafka-0-10_2.13" in spark._jvm.System.getProperty("java.class.path")
    assert spark.sparkContext.getConf().get("spark.driver.host") == "127.0.0.1"
    assert spark.sparkContext.uiWebUrl is None
    assert spark.sql("SELECT current_timezone()").first()[0] == "UTC"


def test_a_running_session_is_reused_and_takes_sql_settings(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    try:
        again = spark_session("other", settings={"spark.sql.shuffle.partitions": "3"})
        assert again.sparkContext is spark.sparkContext
        assert spark.conf.get("spark.sql.shuffle.partitions") == "3"
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)


def test_a_setting_the_running_session_cannot_take_is_refused(spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match=r"expected a session with spark.driver.memory=9g; found .*=2g"):
        spark_session("other", settings={"spark.driver.memory": "9g"})


@pytest.mark.parametrize(
    ("where", "todo"),
    [
        ("glue", "Give the job --datalake-formats delta."),
        ("databricks", "Take a Databricks runtime"),
        ("local", "End the"),
    ],
)
def test_a_session_without_deltas_jar_is_told_before_a_table_is_asked_for(monkeypatch, where, todo) -> None:
    class Bare:
        """A name that Java does not know is a package to py4j."""

        _jvm = Named(io=Named(delta=Named(tables=Named(DeltaTable=JavaPackage("io.delta.tables.DeltaTable", None)))))

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: Bare())
    with pytest.raises(MissingDependency, match=f"{where}: expected Delta's jar .* {todo}"):
        spark_session("other", runtime=where)


def test_a_message_of_an_error_loses_its_line_breaks_and_nothing_else():
    text = Path(runtime.__file__).with_name("log4j2.properties").read_text(encoding="utf-8")
    # A backslash in a file of properties is an escape: Java reads one of two, and none of one.
    [read] = [re.sub(r"\\(.)", r"\1", line) for line in text.splitlines() if ".layout.pattern" in line]
    found = re.search(r"%replace\{%ex\{short\.message\}\}\{(.+?)\}\{ \}", read)
    assert found and re.sub(found[1], " ", "session\n\tis  lost") == "session is lost"
