"""Rows a second from Kinesis to Delta: ranges found on the driver and read by tasks, against reading on the driver.

The stream is kinesalite on this machine, so both share its speed; what a client alone can do is in the third line.

python benchmarks/kinesis.py [records] [shards]
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, SimpleDataSourceStreamReader
from pyspark.sql.types import StructType

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from headrace.pipelines.runtime import spark_session
from headrace.stores.kinesis.api import Kinesis, Record
from headrace.stores.kinesis.options import Place, read_options
from headrace.stores.kinesis.positions import TRIM_HORIZON
from headrace.stores.kinesis.reader import arrow_schema
from headrace.stores.kinesis.source import SCHEMA, KinesisDataSource
from servers.kinesis import ENVIRONMENT, KinesisServer

SIZE = 500


class Prefetch(DataSource):
    """The textbook way: the driver reads the rows and hands them to Spark."""

    @classmethod
    def name(cls) -> str:
        return "kinesis-prefetch"

    def schema(self) -> str:
        return SCHEMA

    def simpleStreamReader(self, schema: StructType) -> SimpleDataSourceStreamReader:
        return PrefetchReader(dict(self.options))


class PrefetchReader(SimpleDataSourceStreamReader):
    """Reads one large page of every shard at a time."""

    def __init__(self, options: dict[str, str]) -> None:
        self._place = read_options(options).place
        self._kinesis = Kinesis(self._place)

    def initialOffset(self) -> dict[str, str]:
        return dict.fromkeys(self._kinesis.shards(), TRIM_HORIZON)

    def read(self, start: dict[str, str]) -> tuple[Iterator[tuple[Any, ...]], dict[str, str]]:
        rows: list[tuple[Any, ...]] = []
        end = dict(start)
        for shard, place in start.items():
            found = self._kinesis.first_page(shard, place, 10_000).records
            rows += [_row(self._place.name, shard, record) for record in found]
            end[shard] = found[-1].sequence if found else place
        return iter(rows), end

    def readBetweenOffsets(self, start: dict[str, str], end: dict[str, str]) -> Iterator[tuple[Any, ...]]:
        raise NotImplementedError  # only after a crash


def _row(stream: str, shard: str, record: Record) -> tuple[Any, ...]:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(record.arrived / 1000, UTC)
    return record.data, stream, record.key, record.sequence, at, shard


def streamed(spark: SparkSession, name: str, options: dict[str, str], folder: Path, total: int) -> float:
    """Seconds from the second batch on until all rows are in Delta, as rows a second."""
    seen: list[tuple[float, int]] = []

    def keep(frame: DataFrame, number: int) -> None:
        frame.write.format("delta").mode("append").save(str(folder / "table"))
        table = spark.read.format("delta").load(str(folder / "table"))
        seen.append((time.monotonic(), table.count()))

    frame = spark.readStream.format(name).options(**options).load()
    query = frame.writeStream.foreachBatch(keep).option("checkpointLocation", str(folder / "checkpoint"))
    running = query.trigger(processingTime="0 seconds").start()
    deadline = time.monotonic() + 600
    while (not seen or seen[-1][1] < total) and running.isActive and time.monotonic() < deadline:
        time.sleep(0.1)
    failure = running.exception()
    running.stop()
    if failure is not None:
        raise failure
    if not seen or seen[-1][1] != total:
        raise RuntimeError(f"{name}: expected {total} rows, found {seen[-1][1] if seen else 0}")
    first, last = seen[0], seen[-1]
    return (last[1] - first[1]) / (last[0] - first[0])


def alone(place: Place) -> float:
    """Rows a second of the calls and of Arrow, without Spark."""
    import pyarrow as pa

    from headrace.stores.kinesis.ranges import columns

    kinesis, count, started = Kinesis(place), 0, time.monotonic()
    for shard in kinesis.shards():
        for page in kinesis.pages(shard, TRIM_HORIZON, 10_000):
            if not page.records:
                break
            pa.RecordBatch.from_pydict(dict(columns(place.name, shard, page.records)), schema=arrow_schema())
            count += len(page.records)
    return count / (time.monotonic() - started)


def main(records: int, shards: int) -> None:
    """Fill a stream, read it in each way, print one table."""
    os.environ.update(ENVIRONMENT)
    folder = Path(tempfile.mkdtemp(prefix="kinesis-bench-"))
    server = KinesisServer(folder / "server", "lite").start()
    try:
        server.create("bench", shards)
        server.put("bench", ((f"key{number % 997}", b"x" * SIZE) for number in range(records)))
        spark = spark_session("bench kinesis")
        spark.dataSource.register(KinesisDataSource)
        spark.dataSource.register(Prefetch)
        options = {"streamName": "bench", "region": "eu-west-1", "endpoint": server.url, "callSeconds": "2"}
        options["maxRowsPerBatch"] = str(records // 5)
        found = {
            "prefetch on the driver": streamed(spark, Prefetch.name(), options, folder / "prefetch", records),
            "exact bounds, tasks read": streamed(spark, KinesisDataSource.name(), options, folder / "exact", records),
            "calls and Arrow alone": alone(Place("bench", "eu-west-1", server.url, call_seconds=2)),
        }
        spark.stop()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    base = found["prefetch on the driver"]
    print(f"\n{records} records of {SIZE} bytes, {shards} shards")
    print("| | rows a second | x prefetch |\n|---|---|---|")
    for name, rate in found.items():
        print(f"| {name} | {rate:,.0f} | {rate / base:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 4)
