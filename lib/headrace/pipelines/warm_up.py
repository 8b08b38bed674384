"""A minute of ordinary work, so that the class archive holds what jobs load: `python -m headrace.pipelines.warm_up`.

Arguments: an empty folder, JVM options. Prints the JVM's class path as JSON on the last line.
"""

import json
import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from headrace.pipelines.runtime import spark_session

_PROPERTIES = "delta.enableDeletionVectors = true, delta.dataSkippingStatsColumns = 'id'"


def main(folder: Path, java_options: str) -> None:
    """Merge a stream of JSON files into a Delta table, read it back, print the class path and wait for Java to end."""
    settings = {"spark.master": "local[2]", "spark.driver.extraJavaOptions": java_options}
    spark = spark_session("headrace warm-up", settings=settings)
    table = f"delta.`{folder / 'table'}`"
    spark.sql(f"CREATE TABLE {table} (id BIGINT, name STRING, at TIMESTAMP) USING delta TBLPROPERTIES ({_PROPERTIES})")
    incoming = folder / "in"
    incoming.mkdir()
    for number in range(2):
        lines = [json.dumps({"id": id, "name": "x"}) for id in range(number, number + 5)]
        (incoming / f"{number}.json").write_text("\n".join(lines))
    stream = spark.readStream.schema("id BIGINT, name STRING").option("maxFilesPerTrigger", 1).json(str(incoming))
    writer = stream.writeStream.foreachBatch(lambda batch, _: _merge(batch, table)).trigger(availableNow=True)
    writer.option("checkpointLocation", str(folder / "checkpoint")).start().awaitTermination()
    spark.table(table).groupBy("name").count().toPandas()
    _end(spark)


def _merge(batch: DataFrame, table: str) -> None:
    batch.selectExpr("id", "name", "current_timestamp() AS at").createOrReplaceTempView("incoming")
    batch.sparkSession.sql(
        f"MERGE INTO {table} t USING (SELECT id, max_by(name, at) AS name, max(at) AS at FROM incoming GROUP BY id) s "
        "ON t.id = s.id WHEN MATCHED AND s.at > t.at THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    ).collect()


def _end(spark: SparkSession) -> None:
    # The list of loaded classes is complete only when Java has ended.
    gateway = spark.sparkContext._gateway
    assert gateway is not None
    path: str = gateway.jvm.System.getProperty("java.class.path")
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(60)
    print(json.dumps(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
