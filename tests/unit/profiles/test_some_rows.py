"""Changes of a few rows in the tables of people: the same as MERGE would leave, with less read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.lake import Lake, local_rows
from headrace.profiles.some_rows import FEW, put, remove_some_entries
from headrace.tables import ALIASES, BEHAVIOUR, IDENTIFIERS

HOUR = datetime(2026, 11, 26, 14, tzinfo=UTC)
SIGNS = ["it's", "'", "''", "\\", "\\'", "a\\nb", "a\nb", "${env:HOME}", "$", "%_", '["a\\"b"]', "ß雪", "-- x", " "]


@pytest.mark.parametrize("more", [0, FEW], ids=["a few", "more"])
def test_rows_take_the_place_of_those_of_the_same_key(spark: SparkSession, tmp_path: Path, more: int) -> None:
    lake, owners = Lake(spark, str(tmp_path)), [*SIGNS, *map(str, range(more))]
    hours = [HOUR, HOUR + timedelta(hours=1)]
    before = {(feed, owner, hour): "old" for feed in "ab" for owner in owners for hour in hours}
    lake.append(_behaviour(spark, before), lake.ensure(BEHAVIOUR))
    changed = {("a", owner, HOUR): None if owner in SIGNS[::2] else "new" for owner in [*owners, "nobody yet"]}
    put(lake, BEHAVIOUR, [(*key, body, 1) for key, body in changed.items()], delete="s.body IS NULL")
    rows = lake.read(BEHAVIOUR.path).collect()
    found = {(row["feed"], row["owner"], row["hour"].replace(tzinfo=UTC)): row["body"] for row in rows}
    assert found == {key: body for key, body in (before | changed).items() if body}
    assert len(rows) == len(found)


@pytest.mark.parametrize("more", [0, FEW], ids=["a few", "more"])
def test_entries_go_by_their_whole_key(spark: SparkSession, tmp_path: Path, more: int) -> None:
    lake, hashes = Lake(spark, str(tmp_path)), [*SIGNS, *map(str, range(more))]
    keys = [(kind, one, record, "k") for kind in ("email", "phone") for one in hashes for record in ("shop", "calls")]
    rows = local_rows(spark, [(*key, 0) for key in keys], IDENTIFIERS.schema)
    lake.append(rows, lake.ensure(IDENTIFIERS))
    gone = [("email", one, "shop", "k") for one in hashes]
    remove_some_entries(lake, gone)
    left = [tuple(row) for row in lake.read(IDENTIFIERS.path).drop("batch").collect()]
    assert sorted(left) == sorted(set(keys) - set(gone))


def test_a_few_rows_are_marked_in_their_file_and_written_anew_by_one_commit_without_a_merge(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(spark, str(tmp_path))
    rows = [(f"{number:04}", "x", 0, HOUR) for number in range(900)]
    lake.append(local_rows(spark, rows, ALIASES.schema).coalesce(1), lake.ensure(ALIASES))
    before, version = lake.read(ALIASES.path).inputFiles(), lake.version(ALIASES.path)
    put(lake, ALIASES, [("0700", "y", 1, HOUR), ("0701", "", 1, HOUR)], delete="s.now = ''")
    done = lake.table(ALIASES.path).history(1).select("version", "operation", "operationMetrics").collect()[0]
    # MERGE would read each file that may have one of the keys from end to end (benchmarks/profile_correction.py).
    assert (done["version"], done["operation"]) == (version + 1, "WRITE")
    assert done["operationMetrics"]["numDeletedRows"] == "2"
    after = lake.read(ALIASES.path).inputFiles()
    assert set(before) < set(after)
    assert spark.read.parquet(*(set(after) - set(before))).count() == 1
    found = {row["person"]: row["now"] for row in lake.read(ALIASES.path).collect()}
    assert found == {row[0]: row[1] for row in rows if row[0] != "0701"} | {"0700": "y"}


def _behaviour(spark: SparkSession, bodies: dict[tuple[str, str, datetime], str]) -> DataFrame:
    return local_rows(spark, [(*key, body, 0) for key, body in bodies.items()], BEHAVIOUR.schema)
