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
import os
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import _profiles_world as world
from _star_contraction import contracted
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines.kept_tables import upkeep_of_profiles
from headrace.pipelines.profile_batch import ProfileBatches
from headrace.pipelines.runtime import spark_session
from headrace.profiles.identity import Seen, step
from headrace.profiles.links import Ref, Rules
from headrace.tables import ALIASES, IDENTIFIERS, PEOPLE, PROFILES

IDENTITY = (PEOPLE.path, IDENTIFIERS.path, ALIASES.path, PROFILES.path)
TABLES = (*IDENTITY, "placed", "tables/customers", "tables/callers", "tables/devices", "tables/bookings")


class Took(NamedTuple):
    """Seconds on the clock, and of CPU in this process, its Java and its Python workers: on a shared machine the
    second says more."""

    seconds: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.cpu:.1f} s of CPU)"


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

    def rebuild(self) -> Took:
        """Seconds for everything from the ordered tables."""
        return timed(lambda: self.batches.fill(self.number, unclean=False))

    def keep_up(self) -> Took:
        """Seconds for the job's upkeep, as it is due after the first fill."""
        upkeep, now = upkeep_of_profiles(self.lake, self.config, timedelta(days=7)), datetime.now(UTC)
        upkeep.run(now)
        return timed(lambda: upkeep.run(now + timedelta(minutes=6)))

    def changed(self, changes: int, corrected: bool = False) -> Callable[[], Any]:
        """Changes are in the ordered tables; the batch that takes them is what comes back."""
        self.number += 1
        stamp, rng = f"s{self.number}", random.Random(self.number)
        if corrected:
            ids = world.some_ids(self.lake, [self.number * 7919 % (self.people // 10) * 10])
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
        return lambda: self.batches.take(touched, number)

    def identity(self, changes: int) -> tuple[Took, Took]:
        """Seconds to tell who is one person after so many changes, and for everybody by contraction in Spark."""
        people = self.lake.read(PEOPLE.path).where("NOT deleted").localCheckpoint()
        told = people.orderBy(F.xxhash64("key")).limit(changes).select("record", "key").collect()
        known = self.batches.people
        known.begin()
        held = known.records([Ref(row["record"], row["key"]) for row in told])
        # Each of these records loses its last value.
        seen = [Seen(ref, one.node.own, one.node.own, one.node.values[:-1]) for ref, one in held.items()]
        known.begin()
        ours = timed(lambda: step(known, seen, self.rules))
        values = people.select(F.concat_ws("/", "record", "key").alias("a"), F.explode("identifiers").alias("_one"))
        edges = values.select("a", F.concat_ws("/", "_one.kind", "_one.hash").alias("b"))
        return ours, timed(lambda: contracted(edges).count())

    def rows(self) -> Counter[str]:
        """Rows of each table."""
        return Counter({table: self.lake.read(table).count() for table in TABLES if self.lake.exists(table)})


def _elsewhere(column: str) -> Any:
    # A number nobody has: the record of the call centre is somebody else from now on.
    return F.concat(F.lit("+4989"), F.substring(column, 6, 8))


def timed(run: Callable[[], Any]) -> Took:
    """What it takes."""
    began, before = time.monotonic(), cpu()
    run()
    return Took(time.monotonic() - began, cpu() - before)


def cpu() -> float:
    """Seconds of CPU so far in this process and all that it started; Linux only."""
    used, children = {}, defaultdict(list)
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except OSError:  # it has just ended
            continue
        if fields:
            used[int(entry.name)] = sum(map(int, fields[11:15]))
            children[int(fields[1])].append(int(entry.name))
    ticks, waiting = 0, [os.getpid()]
    while waiting:
        one = waiting.pop()
        ticks += used.get(one, 0)
        waiting += children[one]
    return ticks / os.sysconf("SC_CLK_TCK")


def middle(some: Sequence[Took]) -> Took:
    """The medians, without the first, which warms up."""
    return Took(*(statistics.median(column) for column in zip(*(some[1:] or some), strict=True)))


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


def measure(spark: SparkSession, people: int, given: argparse.Namespace) -> Took:
    """Work through one world; what a batch of changes takes."""
    folder = tempfile.mkdtemp(prefix="headrace-profiles-")
    try:
        one = World(spark, folder, people)
        whole = one.rebuild()
        print(f"{people:,} people: all anew {whole}", flush=True)
        print(f"  upkeep after it {one.keep_up()}", flush=True)
        changes = min(given.changes, people)
        took = middle([timed(one.changed(changes)) for _ in range(given.rounds)])
        print(f"  {changes:,} changes: {took}; all anew takes {ratio(whole, took)} as long", flush=True)
        correction(one)
        told(one, *correction(one))
        ours, theirs = one.identity(changes)
        print(f"  identity step {ours}; contraction of all {theirs}: {ratio(theirs, ours)} as long", flush=True)
        return took
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def told(one: World, count: int, rows: Counter[str], new: Counter[str]) -> None:
    """Print what a correction costs."""
    every = one.rows()
    graph = sum(every[table] for table in IDENTITY)
    read, wrote = (sum(some[table] for table in IDENTITY) / graph for some in (rows, new))
    print(f"  a correction: {count} jobs, rows read {dict(rows)}, rows written {dict(new)}")
    print(f"  of {graph:,} rows of identity it read {read:.3%} and wrote {wrote:.3%}", flush=True)


def ratio(one: Took, other: Took) -> str:
    """How many times as long, by the clock and by CPU."""
    return f"{one.seconds / other.seconds:.1f} x ({one.cpu / max(other.cpu, 0.01):.1f} x the CPU)"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--warm-up", type=int, default=1_000, help="people of the world that warms Java up; 0 for none")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    kept = {"spark.ui.retainedJobs": "100000", "spark.sql.ui.retainedExecutions": "100000"}
    spark: SparkSession = spark_session("profiles", settings=kept)
    if given.warm_up:
        measure(spark, given.warm_up, argparse.Namespace(changes=given.warm_up // 2, rounds=2))
        print("that was the warm-up\n")
    batches = [measure(spark, people, given) for people in given.people]
    for people, took in zip(given.people[1:], batches[1:], strict=True):
        print(f"{given.people[0]:,} to {people:,} people: a batch takes {ratio(took, batches[0])} as long")


if __name__ == "__main__":
    main()
