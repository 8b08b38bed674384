"""A program that reads a stream with `headrace-kinesis` alone and keeps every try of every batch.

python kinesis_reader.py FOLDER OPTIONS(JSON) SECONDS_BETWEEN
"""

import json
import os
import sys
import time
from pathlib import Path

from pyspark.sql import DataFrame

from headrace.pipelines.runtime import SHORT_LIVED, spark_session
from headrace.stores.kinesis.source import KinesisDataSource


def main(folder: Path, options: dict[str, str], between: str) -> None:
    """Stream until ended from outside."""
    here = {"spark.master": "local[2]", "spark.local.dir": str(folder / "local")}
    spark = spark_session("kinesis-reader", settings={**SHORT_LIVED, **here})
    spark.dataSource.register(KinesisDataSource)

    def keep(frame: DataFrame, number: int) -> None:
        place = folder / "out" / f"batch={number}" / f"try={os.getpid()}-{time.time_ns()}"
        frame.drop("data").write.parquet(str(place))

    frame = spark.readStream.format("headrace-kinesis").options(**options).load()
    query = frame.writeStream.foreachBatch(keep).option("checkpointLocation", str(folder / "checkpoint"))
    query.trigger(processingTime=between).start().awaitTermination()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3])
