"""Applying a batch: Headrace against the textbook recipe and against a plain append, in one run.

    python benchmarks/apply.py --rows 1000000 --batch 10000 --keys random

Textbook recipe: newest row per key by a window, then MERGE, Delta's default properties. Plain append: the same rows
written to an empty Delta table. All three get the same typed, cached rows. Text (uuid) keys, PostgreSQL positions, ten
columns. The first batches warm up and are not counted (four; one for the textbook, whose batches are long); the medians
of the rest are printed with their ratios.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from headrace.changes.ordered_table import DEFAULT_PROPERTIES
from headrace.lake import Lake
from headrace.ordering.collapse import KNOWN_FLOOR, above_floors, collapse
from headrace.ordering.guarded_merge import merge
from headrace.ordering.join_settings import BROADCAST, join_settings
from headrace.pipelines.runtime import spark_session

COLUMNS = ["id", *[f"c{number}" for number in range(9)]]
WARM_UP = 4


@dataclass
class Measured:
    """One contender's batches: seconds, and bytes of data files written."""

    seconds: list[float] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    def add(self, table: Path, run: Callable[[], object]) -> None:
        before = _files(table)
        began = time.monotonic()
        run()
        self.seconds.append(time.monotonic() - began)
        self.written.append(sum(size for name, size in _files(table).items() if name not in before))


def _files(table: Path) -> dict[str, int]:
    data = (file for file in table.rglob("*") if file.is_file() and "_delta_log" not in file.parts)
    return {str(file): file.stat().st_size for file in data}


def rows(spark: SparkSession, ids: DataFrame, sequence: int) -> DataFrame:
    """Ten columns and a position for a frame of numbers `n`."""
    digest = F.md5(F.col("n").cast("string"))
    groups = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    uuid = F.concat_ws("-", *[F.substring(digest, at, size) for at, size in groups])
    lsn = F.lpad((F.lit(sequence) * 10_000_000 + F.col("n")).cast("string"), 20, "0")
    position = F.concat(F.lit("0000-"), lsn, F.lit("-4"), F.substring(F.md5(F.concat(lsn, F.lit("x"))), 1, 12))
    texts = [(F.col("n") * (i + 3 + sequence) % 100_003).cast("string") for i in range(6)]
    values = [F.concat(F.lit(f"value {i} "), text) for i, text in enumerate(texts)]
    numbers = [(F.col("n") % 997).cast("int"), (F.col("n") * 1.5).alias("x"), F.to_date(F.lit("2026-01-01"))]
    named = [value.alias(name) for value, name in zip([uuid, *values, *numbers], COLUMNS, strict=True)]
    changed_at = F.timestamp_micros(F.lit(1_760_000_000_000_000) + F.col("n"))
    return ids.select(*named, position.alias("_position"), changed_at.alias("_changed_at"))


def batch(spark: SparkSession, total: int, size: int, keys: str, sequence: int) -> DataFrame:
    """Changes of `size` keys: nine in ten exist; `recent` takes them from the newest twentieth of the table."""
    span, start = (total, 0) if keys == "random" else (total // 20, total - total // 20)
    picked = F.when(F.rand(sequence) < 0.9, F.lit(start) + (F.rand(sequence + 100) * span).cast("bigint"))
    ids = spark.range(size).select(F.coalesce(picked, F.lit(total + sequence * size) + F.col("id")).alias("n"))
    frame = rows(spark, ids.dropDuplicates(["n"]), sequence).repartition(2).persist()
    frame.count()
    return frame


def textbook(target: DeltaTable, changes: DataFrame) -> None:
    """What the tutorials show."""
    newest = Window.partitionBy("id").orderBy(F.col("_position").desc())
    latest = changes.withColumn("_n", F.row_number().over(newest)).where("_n = 1").drop("_n")
    merged = target.alias("t").merge(latest.alias("s"), "t.id = s.id")
    merged.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()


def headrace(target: DeltaTable, changes: DataFrame, stored: int) -> None:
    """Collapse, floors, guarded MERGE: the applier's own steps on typed rows."""
    typed = changes.withColumns(
        {
            "_key": F.to_json(F.array("id")), "_op": F.lit("upsert"), "_problem": F.lit(None).cast("string"),
            "_warning": F.lit(None).cast("string"), "_sent": F.lit(None).cast("array<string>"),
        }
    )  # fmt: skip
    grouped = collapse(typed, COLUMNS, ["id"], []).withColumn(KNOWN_FLOOR, F.lit(None).cast("string"))
    reduced = above_floors(grouped, COLUMNS, ["id"], []).localCheckpoint(eager=False)
    size = reduced.agg(F.count("_key"), F.count("_position"), F.max("_floor")).collect()[0][0]
    session = changes.sparkSession
    usual = str(session.conf.get(BROADCAST))
    for setting, value in join_settings(stored, int(size), usual).items():
        session.conf.set(setting, value)
    merge(target, reduced.where(F.col("_key") > ""), key=["id"], columns=COLUMNS, partial=[])
    session.conf.set(BROADCAST, usual)


def make_tables(spark: SparkSession, folder: Path, total: int) -> None:
    """The table of `total` rows, as the textbook has it and as Headrace does."""
    lake = Lake(spark, str(folder))
    base = rows(spark, spark.range(total).select(F.col("id").alias("n")), 0).repartition(max(2, total // 500_000))
    base.write.format("delta").save(lake.path("textbook"))
    stats = {"delta.dataSkippingStatsColumns": "id,_position"}
    lake.create("headrace", base.schema, {**DEFAULT_PROPERTIES, **stats})
    lake.append(lake.read("textbook"), "headrace")
    lake.create("append", base.schema)


def measure(spark: SparkSession, folder: Path, total: int, size: int, keys: str, batches: int) -> None:
    """Run all contenders on the tables in `folder` and print a table of medians and ratios."""
    lake = Lake(spark, str(folder))
    found = {name: Measured() for name in ("append", "headrace", "textbook", "repeats")}
    for number in range(batches + WARM_UP):
        changes = batch(spark, total, size, keys, number + 1)
        tables = {name: lake.table(name) for name in ("headrace", "textbook")}
        found["append"].add(folder / "append", lambda c=changes: lake.append(c, "append"))
        spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
        found["headrace"].add(folder / "headrace", lambda c=changes, t=tables: headrace(t["headrace"], c, total))
        found["repeats"].add(folder / "headrace", lambda c=changes, t=tables: headrace(t["headrace"], c, total))
        spark.conf.set("spark.databricks.delta.merge.materializeSource", "auto")
        if number >= WARM_UP - 1:
            found["textbook"].add(folder / "textbook", lambda c=changes, t=tables: textbook(t["textbook"], c))
        changes.unpersist()
    _print(found, batches, f"{total:,} rows, {size:,} changes, {keys} keys")


def _print(found: dict[str, Measured], batches: int, title: str) -> None:
    warm = {
        name: (statistics.median(one.seconds[-batches:]), statistics.median(one.written[-batches:]))
        for name, one in found.items()
    }
    print(f"\n{title}: medians of {batches} warm batches")
    print(f"{'':10} {'seconds':>8} {'x append':>9} {'MB':>8} {'x append':>9}")
    for name, (seconds, written) in warm.items():
        ratios = seconds / warm["append"][0], written / warm["append"][1]
        print(f"{name:10} {seconds:8.2f} {ratios[0]:9.2f} {written / 1e6:8.2f} {ratios[1]:9.2f}", flush=True)
    print(f"textbook / headrace: {warm['textbook'][0] / warm['headrace'][0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--batch", type=int, nargs="+", default=[10_000])
    parser.add_argument("--keys", choices=["random", "recent"], nargs="+", default=["random"])
    parser.add_argument("--batches", type=int, default=4, help="warm batches that count")
    args = parser.parse_args()
    spark = spark_session("benchmark apply", settings={"spark.driver.memory": "6g"})
    for total in args.rows:
        with tempfile.TemporaryDirectory(prefix="headrace-bench-") as scratch:
            fresh = Path(scratch) / "fresh"
            make_tables(spark, fresh, total)
            for number, (size, keys) in enumerate(product(args.batch, args.keys)):
                folder = Path(scratch) / f"run-{number}"
                shutil.copytree(fresh, folder)
                measure(spark, folder, total, size, keys, args.batches)
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
