"""100 000 examples through duplicates and splits in Spark, twice as many later: no leak, and nothing moves."""

import json
import os

import pytest
from pyspark.sql import DataFrame, SparkSession

from chat_world import ORIGINS, chats
from headrace.lake import local_rows
from headrace.training import bulk_duplicates, bulk_leaks, bulk_splits
from headrace.training.duplicates import DuplicateRules
from headrace.training.leaks import Leaks
from headrace.training.splits import SplitRules

pytestmark = pytest.mark.soak
PAIRS = int(os.environ.get("HEADRACE_SOAK_PAIRS", "100000"))
RULES = SplitRules(key=b"a key of a test")


def kept(examples: DataFrame) -> DataFrame:
    gone = bulk_duplicates.duplicates(examples, DuplicateRules(origins=ORIGINS))
    return examples.join(gone, "id", "left_anti").localCheckpoint()


def test_no_leak_and_growth_keeps_sides(spark: SparkSession) -> None:
    rows = [(one.id, json.dumps(one.to_json())) for one in chats(2 * PAIRS)]
    early, every = (
        kept(local_rows(spark, some, "id string, body string").repartition(8)) for some in (rows[:PAIRS], rows)
    )
    first = bulk_splits.split(early, RULES)
    sides = first.sides.localCheckpoint()
    assert bulk_leaks.leaks(early, sides, RULES.likeness) == Leaks()
    assert sides.count() < PAIRS

    grown = bulk_splits.split(every, RULES, first.nodes)
    later = grown.sides.localCheckpoint()
    assert bulk_leaks.leaks(every, later, RULES.likeness) == Leaks()
    strength = {"train": 0, "validation": 1, "test": 2}
    moved = later.where("was <> side").groupBy("was", "side").count().collect()
    assert all(strength[row["side"]] > strength[row["was"]] for row in moved)
    print(bulk_splits.split_report(every, grown, RULES))
