"""What the tables of identity cost one corrected link, at a size that is quick to make.

    python benchmarks/profile_correction.py --people 1000000

People of up to five records are written straight into `people`, `identifiers` and `profiles`, with documents of 500
bytes that say nothing, in the order of nothing. The job's upkeep sorts them. Then a record of a person of five loses
the value it shares with another one: the identity step, the look-up of members and the writing of both people's
profiles are the job's own; the documents are not built. Rows read are what Spark's scans report, rows written are those
of new files.
"""

import argparse
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta

from _profiles_world import settings, union
from profiles import IDENTITY, jobs, logs, read, timed, written
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.identifiers.normalise import Value
from headrace.lake import Lake
from headrace.pipelines.kept_tables import upkeep_of_profiles
from headrace.pipelines.runtime import spark_session
from headrace.profiles import served_some
from headrace.profiles.identity import Seen, step
from headrace.profiles.links import Ref, Rules
from headrace.profiles.people_tables import LakePeople
from headrace.tables import IDENTIFIERS, PEOPLE, PROFILES

VALUES = {"shop": ("customer_id", "email", "phone"), "calls": ("phone",), "devices": ("customer_id",)}
RECORDS = [("shop", 0, 1), ("calls", 0, 2), *[("devices", number, 5) for number in range(3)]]
AS_PLANNED = {"spark.sql.adaptive.enabled": "false"}


def text(*parts: object) -> Column:
    """32 letters that say nothing, of a person's number and more."""
    return F.md5(F.concat_ws("/", "id", *[F.lit(one) for one in parts]))


def fill(lake: Lake, people: int) -> None:
    """Write the three tables: of each person one record of the shop, of every second a call, of every fifth three
    devices."""
    ids = lake.spark.range(0, people, 1, 8).withColumn("person", F.concat(F.lit("0"), text("own")))
    number, alive = F.lit(0).cast("bigint").alias("batch"), F.lit(False).alias("deleted")
    rows = union([_records(ids, *one) for one in RECORDS])
    told = rows.select("record", "key", "own", "person", F.col("values").alias("identifiers"), alive, number)
    lake.append(told, lake.ensure(PEOPLE))
    index = rows.select(F.explode("values").alias("_one"), "record", "key", number).select("_one.*", "*").drop("_one")
    lake.append(index, lake.ensure(IDENTIFIERS))
    theirs = [F.when(F.col("id") % share == 0, _key(name, number)) for name, number, share in RECORDS]
    body = F.concat_ws("", *[F.sha2(F.concat_ws("/", "id", F.lit(part)), 512) for part in range(4)])
    profiles = ids.select(
        "person", alive, body.alias("body"), F.md5("person").alias("digest"),
        F.array_compact(F.array(*theirs)).alias("records"), _values("shop").alias("identifiers"), number,
    )  # fmt: skip
    lake.append(profiles, lake.ensure(PROFILES))


def _records(ids: DataFrame, name: str, number: int, share: int) -> DataFrame:
    own = F.concat(F.lit("0" if name == "shop" else f"1{name}{number}"), text("own"))
    told = (_key(name, number).alias("_key"), own.alias("own"), "person", _values(name).alias("values"))
    return ids.where(F.col("id") % share == 0).select(*told).select("_key.*", "*").drop("_key")


def _key(name: str, number: int) -> Column:
    return F.struct(F.lit(name).alias("record"), F.to_json(F.array(text(name, number))).alias("key"))


def _values(name: str) -> Column:
    return F.array(*[F.struct(F.lit(kind).alias("kind"), text(kind).alias("hash")) for kind in VALUES[name]])


def corrected(lake: Lake, rules: Rules, number: int, batch: int) -> None:
    """The record of the shop of this person has another phone from now on."""
    row = lake.spark.range(number, number + 1).select(
        F.to_json(F.array(text("shop", 0))).alias("key"), *[text(kind).alias(kind) for kind in VALUES["shop"]]
    )
    (found,) = row.collect()
    values = [Value(kind, found[kind] if kind != "phone" else f"{batch:032}") for kind in VALUES["shop"]]
    people = LakePeople(lake)
    with lake.setting(AS_PLANNED):
        outcome = step(people, [Seen(Ref("shop", found["key"]), "", "", tuple(values), str(batch))], rules)
        assert [event.kind for event in outcome.events] == ["split"]
        people.write(outcome, batch)
        before = served_some.held(lake, outcome.persons)
        refs = {*outcome.people, *(ref for one in before.values() for ref in one.records)}
        members = [one for one in people.records(refs).values() if one.person in outcome.persons]
        built = [
            {
                "person": person, "body": "{}", "digest": str(batch), "due_at": None,
                "records": [one.node.ref._asdict() for one in members if one.person == person],
                "identifiers": [
                    value._asdict()
                    for value in sorted({v for one in members if one.person == person for v in one.node.values})
                ],
            }
            for person in outcome.persons
        ]  # fmt: skip
        done = served_some.serve(lake, people, built, before, outcome.persons, list(VALUES["shop"]), batch)
    assert (len(members), done.written) == (5, 2)


def told(lake: Lake, rules: Rules, number: int, batch: int, rows: int) -> None:
    """Correct, and print what it cost."""
    spark, before = lake.spark, logs(lake)
    store = spark._jsparkSession.sharedState().statusStore()
    since, count = int(store.executionsCount()), jobs(spark)
    took = timed(lambda: corrected(lake, rules, number, batch))
    seen: Counter[str] = Counter()
    for table, some in read(spark, since):
        seen[table] += some
    new = written(before, logs(lake))
    shares = [sum(some[table] for table in IDENTITY) / rows for some in (seen, new)]
    print(f"  {took}, {jobs(spark) - count} jobs, rows read {dict(seen)}, rows written {dict(new)}")
    print(f"  of {rows:,} rows it read {shares[0]:.3%} and wrote {shares[1]:.4%}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--before", action="store_true", help="correct once before upkeep, too")
    given = parser.parse_args()
    kept = {"spark.ui.retainedJobs": "100000", "spark.sql.ui.retainedExecutions": "100000"}
    spark: SparkSession = spark_session("correction", settings=kept)
    with tempfile.TemporaryDirectory(prefix="headrace-correction-") as folder:
        lake = Lake(spark, f"{folder}/lake")
        config = Config.model_validate(settings(lake.root, f"{folder}/store.db"))
        assert config.profiles
        rules = Rules.of(config.profiles)
        print(f"{given.people:,} people, written in {timed(lambda: fill(lake, given.people))}", flush=True)
        rows = sum(lake.read(one.path).count() for one in (PEOPLE, IDENTIFIERS, PROFILES))
        if given.before:
            told(lake, rules, 10, 1, rows)
        upkeep, now = upkeep_of_profiles(lake, config, timedelta(days=7)), datetime.now(UTC)
        upkeep.run(now)
        print(f"upkeep, which sorts: {timed(lambda: upkeep.run(now + timedelta(minutes=6)))}", flush=True)
        for number in range(2, 5):
            told(lake, rules, number * 10 * (given.people // 60), number, rows)


if __name__ == "__main__":
    main()
