"""A derived table kept by keys against the same table computed whole, in one run.

    python benchmarks/derive.py --rows 1000000 --batch 1000

Bookings joined to flights and hotels, 1 in 100 flights and 1 in 1,000 hotels for each booking. In each round `batch`
bookings change; then the derived rows are brought up to date three ways: by the keys that changed, by computing all
rows and writing what differs (both `DerivedTable`), and by writing the whole table anew, which tells nobody what
changed. The first round warms up. Rows and files are what Spark's scans report, taken from the plans that ran.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.changes.derive_settings import derivations
from headrace.changes.derived_table import DerivedTable
from headrace.config import Config
from headrace.lake import Lake
from headrace.ordering.join_settings import BROADCAST
from headrace.pipelines.runtime import spark_session

SQL = """
    SELECT b.booking_id, b.customer_id, b.status, f.number, h.name AS hotel FROM bookings b
    LEFT JOIN flights f ON f.flight_id = b.flight_id LEFT JOIN hotels h ON h.hotel_id = b.hotel_id"""
REACH = {
    "flights": "SELECT booking_id FROM bookings JOIN changed USING (flight_id)",
    "hotels": "SELECT booking_id FROM bookings JOIN changed USING (hotel_id)",
}


def config_of(root: str) -> Config:
    """Settings whose source is never read."""
    tables = {name: {"source": "feed", "key": [f"{name[:-1]}_id"]} for name in ("bookings", "flights", "hotels")}
    derive = {"trips": {"key": ["booking_id"], "sql": SQL, "reach": REACH}}
    source = {"from": "files", "path": "/in", "format": "debezium"}
    return Config.model_validate({"lake": root, "sources": {"feed": source}, "tables": tables, "derive": derive})


def fill(lake: Lake, total: int) -> None:
    """The base tables, in files of 125,000 rows ordered by key."""
    numbers = F.col("id").cast("string")
    bookings = lake.spark.range(0, total, 1, max(1, total // 125_000)).select(
        F.lpad(numbers, 10, "0").alias("booking_id"), F.concat(F.lit("c"), F.col("id") % 50_000).alias("customer_id"),
        F.lit("held").alias("status"), (F.col("id") * 7919 % (total // 100)).alias("flight_id"),
        (F.col("id") * 104729 % (total // 1000)).alias("hotel_id"), F.rand(1).alias("price"),
    )  # fmt: skip
    flights = lake.spark.range(total // 100).select(
        F.col("id").alias("flight_id"), F.concat(F.lit("LH"), "id").alias("number")
    )
    hotels = lake.spark.range(total // 1000).select(
        F.col("id").alias("hotel_id"), F.concat(F.lit("H"), "id").alias("name")
    )
    for name, rows in (("bookings", bookings), ("flights", flights), ("hotels", hotels)):
        system = {"_position": F.lit("0"), "_changed_at": F.current_timestamp()}
        lake.create(f"tables/{name}", rows.withColumns(system).schema, {"delta.enableDeletionVectors": "true"})
        lake.append(rows.withColumns(system), f"tables/{name}")


def change(lake: Lake, keys: DataFrame, number: int) -> None:
    """Another status for these bookings, as a batch's MERGE would leave it."""
    merge = lake.table("tables/bookings").alias("t").merge(keys.alias("s"), "t.booking_id = s.booking_id")
    merge.whenMatchedUpdate(set={"status": F.lit(f"paid {number}")}).execute()


def written_whole(lake: Lake) -> None:
    """The table written anew, without a look at what was there: nobody learns what changed."""
    tables = ", ".join(
        f"{name} AS (SELECT * FROM {lake.sql_name(f'tables/{name}')})" for name in ("bookings", "flights", "hotels")
    )
    rows = lake.spark.sql(f"WITH {tables} {SQL}")
    rows.write.format("delta").mode("overwrite").save(lake.path("written"))


def picked(spark: SparkSession, total: int, size: int, spread: str, number: int) -> DataFrame:
    """Keys of bookings: any, or of the newest twentieth."""
    start = 0 if spread == "random" else total - total // 20
    ids = spark.range(size).select(
        (F.lit(start) + (F.rand(number) * (total - start)).cast("bigint")).cast("string").alias("n")
    )
    return ids.select(F.lpad("n", 10, "0").alias("booking_id")).distinct().localCheckpoint()


def measured(spark: SparkSession, run: Callable[[], Any]) -> tuple[float, int, int]:
    """Seconds, rows and files that scans read while it runs."""
    store = spark._jsparkSession.sharedState().statusStore()
    before = store.executionsCount()
    began = time.monotonic()
    run()
    seconds = time.monotonic() - began
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    rows = files = 0
    executions = store.executionsList(int(before), 10_000)
    for index in range(executions.size()):
        one = executions.apply(index).executionId()
        metrics = store.executionMetrics(one)
        nodes = store.planGraph(one).allNodes()
        for node in (nodes.apply(number) for number in range(nodes.size())):
            if node.name().startswith("Scan parquet"):
                found = {m.name(): metrics.get(m.accumulatorId()) for m in _each(node.metrics())}
                rows += _number(found.get("number of output rows"))
                files += _number(found.get("number of files read"))
    return seconds, rows, files


def _each(sequence: Any) -> list[Any]:
    return [sequence.apply(index) for index in range(sequence.size())]


def _number(option: Any) -> int:
    return int(option.get().replace(",", "").split()[0]) if option is not None and option.isDefined() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--keys", choices=("random", "recent"), default="random")
    args = parser.parse_args()
    root = tempfile.mkdtemp(prefix="headrace-derive-")
    spark = spark_session("derive", settings={"spark.driver.memory": "2g"})
    lake, config = Lake(spark, root), config_of(root)
    (one,) = derivations(spark, config)
    table = DerivedTable(one, str(spark.conf.get(BROADCAST)))
    fill(lake, args.rows)
    table.apply(lake, {}, (), None)
    table.told()
    found: dict[str, list[tuple[float, int, int]]] = {"by keys": [], "whole": [], "written": []}
    for number in range(args.rounds):
        for way, runs in found.items():
            keys = picked(spark, args.rows, args.batch, args.keys, 3 * number + list(found).index(way))
            change(lake, keys, number)
            texts = {"bookings": keys.select(F.to_json(F.array("booking_id")).alias("key"))}
            given = ({}, ("bookings",), None) if way == "whole" else (texts, (), None)
            run = (lambda: written_whole(lake)) if way == "written" else partial(table.apply, lake, *given)
            runs.append(measured(spark, run))
            table.told()
    print(f"{args.rows} rows, {args.batch} {args.keys} keys, medians of {args.rounds - 1} rounds after one")
    middle = {way: [statistics.median(column) for column in zip(*runs[1:], strict=True)] for way, runs in found.items()}
    for way, (seconds, rows, files) in middle.items():
        print(f"{way:8} {seconds:6.1f} s  {rows:12,.0f} rows read  {files:5,.0f} files read")
    for way in ("whole", "written"):
        ratios = [whole / max(few, 1e-9) for whole, few in zip(middle[way], middle["by keys"], strict=True)]
        print(f"{way} / by keys: {ratios[0]:.1f} x the time, {ratios[1]:.1f} x the rows, {ratios[2]:.1f} x the files")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
