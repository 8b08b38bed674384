"""Profiles kept by what changed against all profiles made anew; the rows one correction costs; the identity step.

    python benchmarks/profiles.py --people 100000 1000000 --changes 10000

For each number of people, in one run and in this order: all people and profiles from ordered tables (the rebuild), the
job's own upkeep, batches of changes (half of them to customers, of which one in ten gets another address; half to
bookings), corrections of one link of a person of five records, and who is one person by a contraction in Spark.
A small world is worked through first, so that Java is warm. Stores are not published to. Rows read are what Spark's
scans report, rows written are those of new files; both are shown as a share of the rows of all tables of identity.
"""

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import profiles_world as world
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from star_contraction import contracted

from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines.kept_tables import upkeep_of_profiles
from headrace.pipelines.profile_batch import Carried, ProfileBatches
from headrace.pipelines.runtime import spark_session
from headrace.profiles.identity import Seen, step
from headrace.profiles.links import Ref, Rules
from headrace.tables import ALIASES, IDENTIFIERS, PEOPLE, PROFILES

IDENTITY = (PEOPLE.path, IDENTIFIERS.path, ALIASES.path, PROFILES.path)
TABLES = (*IDENTITY, "placed", "tables/customers", "tables/callers", "tables/devices", "tables/bookings")


class World:
    """So many people, and the numbers of the batches."""

    def __init__(self, spark: SparkSession, folder: str, people: int) -> None:
        self.lake, self.people, self.number = Lake(spark, f"{folder}/lake"), people, 0
        self.config = Config.model_validate(world.settings(self.lake.root, f"{folder}/store.db"))
        assert self.config.profiles
        self.batches: ProfileBatches = world.batches(self.lake, self.config)
        self.rules = Rules.of(self.config.profiles)
        world.fill(self.lake, people)
        self.batches.people.start()

    def rebuild(self) -> float:
        """Seconds for everything from the ordered tables."""
        return timed(lambda: self.batches.fill(self.number))[0]

    def keep_up(self) -> float:
        """Seconds for the job's upkeep, as it is due after the first fill."""
        upkeep, now = upkeep_of_profiles(self.lake, self.config, timedelta(days=7)), datetime.now(UTC)
        upkeep.run(now)
        return timed(lambda: upkeep.run(now + timedelta(minutes=6)))[0]

    def changed(self, changes: int, corrected: bool = False) -> Callable[[], Any]:
        """Changes are in the ordered tables; the batch that takes them is what comes back."""
        self.number += 1
        stamp, rng = f"s{self.number}", random.Random(self.number)
        if corrected:
            ids = world.some_ids(self.lake, [rng.randrange(self.people // 10) * 10])
            rows = {"customers": world.rows_of(ids, "customers", stamp).withColumn("phone", _elsewhere("phone"))}
        else:
            numbers = rng.sample(range(self.people), changes)
            ids, others = (world.some_ids(self.lake, some) for some in (numbers[::2], numbers[1::2]))
            mails = F.when(F.rand(self.number) < 0.1, F.concat(F.lit(stamp), "email")).otherwise(F.col("email"))
            rows = {
                "customers": world.rows_of(ids, "customers", stamp).withColumn("email", mails),
                "bookings": world.rows_of(others, "bookings", stamp).withColumn("price", F.lit(self.number * 1.5)),
            }
        rows = {table: some.localCheckpoint() for table, some in rows.items()}
        for table, some in rows.items():
            world.change(self.lake, table, some)
        touched, number = world.touched(rows, stamp), self.number
        return lambda: self.batches.take(touched, Carried(), number)

    def identity(self, changes: int) -> tuple[float, float]:
        """Seconds to tell who is one person after so many changes, and for everybody by contraction in Spark."""
        people = self.lake.read(PEOPLE.path).where("NOT deleted").localCheckpoint()
        told = people.orderBy(F.xxhash64("key")).limit(changes).select("record", "key").collect()
        known = self.batches.people
        known.begin()
        held = known.records([Ref(row["record"], row["key"]) for row in told])
        # Each of these records loses its last value.
        seen = [Seen(ref, one.node.own, one.node.own, one.node.values[:-1]) for ref, one in held.items()]
        known.begin()
        ours = timed(lambda: step(known, seen, self.rules))[0]
        values = people.select(F.concat_ws("/", "record", "key").alias("a"), F.explode("identifiers").alias("_one"))
        edges = values.select("a", F.concat_ws("/", "_one.kind", "_one.hash").alias("b"))
        return ours, timed(lambda: contracted(edges).count())[0]

    def rows(self) -> Counter[str]:
        """Rows of each table."""
        return Counter({table: self.lake.read(table).count() for table in TABLES if self.lake.exists(table)})


def _elsewhere(column: str) -> Any:
    # A number nobody has: the record of the call centre is somebody else from now on.
    return F.concat(F.lit("+4989"), F.substring(column, 6, 8))


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds it took, and what came back."""
    began = time.monotonic()
    found = run()
    return time.monotonic() - began, found


def jobs(spark: SparkSession) -> int:
    """Jobs of Spark so far, as far as it remembers them."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    return int(spark.sparkContext._jsc.sc().statusStore().jobsList(None).size())


def read(spark: SparkSession, since: int) -> Iterator[tuple[str, int]]:
    """Tables and the rows that scans read of them."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    store = spark._jsparkSession.sharedState().statusStore()
    executions = store.executionsList(since, 10_000)
    for execution in (executions.apply(index).executionId() for index in range(executions.size())):
        metrics, nodes = store.executionMetrics(execution), store.planGraph(execution).allNodes()
        for node in (nodes.apply(index) for index in range(nodes.size())):
            if node.name().startswith("Scan parquet"):
                found = {m.name(): metrics.get(m.accumulatorId()) for m in _each(node.metrics())}
                rows = found.get("number of output rows")
                count = int(rows.get().replace(",", "")) if rows is not None and rows.isDefined() else 0
                yield next((table for table in TABLES if f"/lake/{table}]" in node.desc()), "other"), count


def _each(sequence: Any) -> list[Any]:
    return [sequence.apply(index) for index in range(sequence.size())]


def logs(lake: Lake) -> dict[str, set[Path]]:
    """The commits of each table so far."""
    return {table: set(Path(lake.path(table), "_delta_log").glob("*[0-9].json")) for table in TABLES}


def written(before: dict[str, set[Path]], after: dict[str, set[Path]]) -> Counter[str]:
    """Rows of new files in the commits since; a file that only got marks of deleted rows is not new."""
    found: Counter[str] = Counter()
    for table, commits in after.items():
        for line in (line for commit in commits - before[table] for line in commit.read_text().splitlines()):
            add = json.loads(line).get("add")
            if add and not add.get("deletionVector"):
                found[table] += json.loads(add["stats"])["numRecords"]
    return found


def correction(one: World) -> tuple[int, Counter[str], Counter[str]]:
    """Jobs, rows read and rows written by the batch that takes one corrected row."""
    spark, run, before = one.lake.spark, one.changed(1, corrected=True), logs(one.lake)
    store = spark._jsparkSession.sharedState().statusStore()
    since, count = int(store.executionsCount()), jobs(spark)
    run()
    rows: Counter[str] = Counter()
    for table, some in read(spark, since):
        rows[table] += some
    return jobs(spark) - count, rows, written(before, logs(one.lake))


def measure(spark: SparkSession, people: int, given: argparse.Namespace) -> float:
    """Work through one world; the seconds of a batch."""
    folder = tempfile.mkdtemp(prefix="headrace-profiles-")
    try:
        one = World(spark, folder, people)
        whole = one.rebuild()
        kept = one.keep_up()
        took = [timed(one.changed(min(given.changes, people)))[0] for _ in range(given.rounds)]
        seconds = statistics.median(took[1:] or took)
        print(f"{people:,} people: all anew {whole:.1f} s, upkeep after it {kept:.1f} s", flush=True)
        share = whole / seconds
        print(
            f"  {given.changes:,} changes: {[round(each, 1) for each in took]} s, all anew takes {share:.1f} x as long"
        )
        correction(one)
        count, rows, new = correction(one)
        every = one.rows()
        graph = sum(every[table] for table in IDENTITY)
        shares = [sum(some[table] for table in IDENTITY) / graph for some in (rows, new)]
        print(f"  a correction: {count} jobs, rows read {dict(rows)}, rows written {dict(new)}")
        print(f"  of {graph:,} rows of identity it read {shares[0]:.3%} and wrote {shares[1]:.3%}", flush=True)
        ours, theirs = one.identity(min(given.changes, people))
        print(
            f"  identity step {ours:.1f} s, contraction of all in Spark {theirs:.1f} s: {theirs / ours:.1f} x",
            flush=True,
        )
        return seconds
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    kept = {"spark.ui.retainedJobs": "100000", "spark.sql.ui.retainedExecutions": "100000"}
    spark: SparkSession = spark_session("profiles", settings=kept)
    measure(spark, 1_000, argparse.Namespace(changes=500, rounds=2))
    print("that was the warm-up\n")
    seconds = [measure(spark, people, given) for people in given.people]
    for people, took in zip(given.people[1:], seconds[1:], strict=True):
        print(f"{given.people[0]:,} to {people:,} people: a batch takes {took / seconds[0]:.2f} x as long")


if __name__ == "__main__":
    main()
