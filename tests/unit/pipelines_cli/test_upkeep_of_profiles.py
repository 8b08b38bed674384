"""Upkeep of the tables of people: sorted for those who look for a few rows, and free of what counts no more."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.lake import Lake, local_rows
from headrace.pipelines import upkeep
from headrace.pipelines.kept_tables import upkeep_of_profiles
from headrace.tables import BEHAVIOUR, PEOPLE, PLACED

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER, NEXT_DAY = NOW + timedelta(minutes=6), NOW + timedelta(days=1, minutes=10)


def config(lake: Path) -> Config:
    source = {"from": "files", "path": "in", "format": "json", "position": ["at"]}
    clicks = {"table": "clicks", "by": {"shop": "customer"}, "at": "at", "keep": "7 days"}
    profiles = {
        "hash_key": "a secret of 16 or more", "behaviour": {"clicks": clicks},
        "records": {"shop": {"table": "customers", "identifiers": {"email": "email"}}},
        "identifiers": {"email": {"normalise": "email"}}, "stores": {"main": {"store": "sqlite", "path": "p.db"}},
    }  # fmt: skip
    names = ("customers", "clicks")
    tables = {name: {"source": name, "key": ["id"]} for name in names}
    return Config.model_validate(
        {"lake": str(lake), "sources": dict.fromkeys(names, source), "tables": tables, "profiles": profiles}
    )


def test_people_are_sorted_and_what_counts_no_more_goes(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, settings = Lake(spark, str(tmp_path)), config(tmp_path)
    keys = ["m", "c", "x", "a", "t", "e", "b"]
    people = [("shop", key, f"own {key}", f"own {key}", [], False, 0) for key in keys]
    lake.append(local_rows(spark, people, PEOPLE.schema).coalesce(1), lake.ensure(PEOPLE))
    places = [("related.b", "1", "old", 0), ("related.b", "1", "new", 3), ("related.b", "2", "only", 1),
              ("consent.", "1", "other feed", 0)]  # fmt: skip
    lake.append(local_rows(spark, places, PLACED.schema), lake.ensure(PLACED))
    ages = {"clicks": [7, 9], "left": [900]}
    hours = [(feed, "r", NEXT_DAY - timedelta(days=ago), "{}", 0) for feed, some in ages.items() for ago in some]
    lake.append(local_rows(spark, hours, BEHAVIOUR.schema), lake.ensure(BEHAVIOUR))
    monkeypatch.setattr(upkeep, "WORTH_SORTING_BYTES", 1)
    job = upkeep_of_profiles(lake, settings, timedelta(days=7))
    job.run(NOW)
    job.run(LATER)
    files = defaultdict(list)
    for row in lake.read(PEOPLE.path).select("key", F.input_file_name().alias("file")).collect():
        files[row["file"]].append(row["key"])
    assert [key for some in sorted(files.values()) for key in some] == sorted(keys)
    assert lake.read(PLACED.path).count() == 4, "what goes is looked for a day after the table was first looked at"
    job.run(NEXT_DAY)
    assert {tuple(row) for row in lake.read(PLACED.path).collect()} == set(places[1:])
    left = {(row["feed"], row["hour"]) for row in lake.read(BEHAVIOUR.path).collect()}
    assert {feed for feed, _ in left} == {"clicks", "left"}
    assert len(left) == 2, "the hours of a feed that left the settings stay, as nobody says how long they count"
