"""Which rows count for somebody: those that are placed there. The driver says so for a few, Spark for many."""

import random
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from headrace.lake import Lake, local_rows
from headrace.pipelines.profile_placed import Moved, Placed
from headrace.pipelines.profile_rows import OWNED
from headrace.tables import PLACED

FEEDS = (("related", "bookings"), ("behaviour", "clicks"), ("consent", ""))
PLACES = ("", "anna", "bert")
"""The first: the row belongs to nobody, or is gone."""


def test_driver_and_spark_keep_the_rows_that_are_where_the_newest_batch_placed_them(
    spark: SparkSession, tmp_path: Path
) -> None:
    rng, batch = random.Random(3), 9
    nothing: Any = None
    lake, keys = Lake(spark, str(tmp_path)), [f"[{number}]" for number in range(40)]
    every = [(f"{group}.{name}", key) for group, name in FEEDS for key in keys]
    # Of every third row no batch has known so far; of others several have, in no order.
    told = [
        (feed, key, rng.choice(PLACES), number)
        for feed, key in every
        for number in rng.sample(range(batch), 0 if key in keys[::3] else rng.randint(1, 3))
    ]
    lake.append(local_rows(spark, told, PLACED.schema), lake.ensure(PLACED))
    moved = [
        Moved(group, name, key, rng.choice(PLACES), rng.choice(PLACES))
        for group, name in FEEDS
        for key in rng.sample(keys, 15)
    ]
    newest = {(feed, key): place for feed, key, place, _ in sorted(told, key=lambda one: one[3])}
    newest |= {(one.feed, one.key): one.now for one in moved}
    rows = [
        (feed, key, place, f"owner of {place}", "related", "bookings", f"{number}")
        for number, (feed, key) in enumerate(every)
        for place in PLACES[1:]
    ]
    expected = sorted(row for row in rows if newest.get(row[:2]) == row[2])
    placed = Placed(lake, nothing, nothing, nothing)  # it looks at the table only
    for few in (True, False):
        found = placed.placed_here(local_rows(spark, rows, OWNED), moved, batch, few)
        assert sorted(map(tuple, found.select(*local_rows(spark, [], OWNED).columns).collect())) == expected, few
    assert 0 < len(expected) < len(rows)
