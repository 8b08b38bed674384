"""Random turns and ratings in any order and cut: every measure is what plain Python finds in the final truth."""

import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from feedback_world import history, messages, told, truth
from headrace.conversations.alert_known import known
from headrace.conversations.event_frames import events
from headrace.conversations.events import Event
from headrace.conversations.latency import merged, percentile
from headrace.conversations.measures import Measure
from headrace.conversations.shipped import SHIPPED
from headrace.conversations.track import Tracker
from headrace.lake import Lake
from headrace.pipelines.feeling import feeler
from headrace.tables import MEASURES
from headrace.testing.measures_oracle import SPREADS, measures_truth

Found = dict[tuple[str, datetime, tuple[Any, ...]], Any]


def track(spark: SparkSession, folder: str, measures: Sequence[Measure], batches: Sequence[Sequence[Event]]) -> Lake:
    """The lake after these batches."""
    lake = Lake(spark, folder)
    for number, batch in enumerate(batches):
        # A new start each time: nothing rests on what a process remembers.
        tracker = Tracker(lake, measures, feeler("vader"))
        tracker.take(events(messages(spark, batch), lines=False), "s", f"s/{number}")
    return lake


def measured(lake: Lake) -> Found:
    rows = lake.read(MEASURES.path).collect()
    found = {(row["measure"], row["minute"].astimezone(UTC), tuple(json.loads(row["slice"]))): row for row in rows}
    assert len(found) == len(rows), "a minute and slice stands there twice"
    return found


def must_be(turns: list[dict[str, Any]], ratings: list[dict[str, Any]], measure: Measure) -> dict[Any, Any]:
    """Of a measure, by minute and slice: parts and values. Nothing is kept of what comes to nothing."""
    rows = measures_truth(turns, ratings, measure.name, measure.dimensions)
    return {where: parts for where, parts in rows.items() if parts[0] or parts[1]}


def check(
    found: Found, measures: Sequence[Measure], turns: list[dict[str, Any]], ratings: list[dict[str, Any]]
) -> None:
    for measure in measures:
        truth_of = must_be(turns, ratings, measure)
        mine = {(minute, slices): row for (name, minute, slices), row in found.items() if name == measure.name}
        assert mine.keys() == truth_of.keys(), measure.name
        for where, (numerator, denominator, values) in truth_of.items():
            row = mine[where]
            assert (row["numerator"], row["denominator"]) == pytest.approx((numerator, denominator)), measure.name
            assert tuple(row[name] for name in measure.dimensions) == where[1]
            assert row["day"] == where[0].date()
            if measure.name in SPREADS:
                assert row["n"] == sum(row["buckets"].values()) == len(values)
    assert {name for name, _, _ in found} <= {measure.name for measure in measures}


def check_hours(lake: Lake, turns: list[dict[str, Any]], ratings: list[dict[str, Any]]) -> None:
    """Hours and days are sums over the table; percentiles of days are those of all values but for 1 %."""
    for unit in ("hour", "day"):
        summed = lake.spark.sql(
            f"SELECT measure, date_trunc('{unit}', minute) AS at, SUM(numerator) AS one, SUM(denominator) AS other "
            f"FROM {lake.sql_name(MEASURES.path)} GROUP BY 1, 2"
        ).collect()
        expected: dict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for measure in SHIPPED:  # whatever else they are sliced by
            for (minute, _), parts in must_be(turns, ratings, measure).items():
                whole = minute.replace(minute=0) if unit == "hour" else minute.replace(minute=0, hour=0)
                expected[measure.name, whole][0] += parts[0]
                expected[measure.name, whole][1] += parts[1]
        got = {(row["measure"], row["at"].astimezone(UTC)): [row["one"], row["other"]] for row in summed}
        assert got.keys() == expected.keys()
        for where, parts in expected.items():
            assert got[where] == pytest.approx(parts), where


def check_percentiles(found: Found, turns: list[dict[str, Any]]) -> None:
    for name in SPREADS:
        values = sorted(v for *_, some in measures_truth(turns, [], name, ()).values() for v in some)
        counts: Iterable[Counter[int]] = (Counter(row["buckets"]) for (one, *_), row in found.items() if one == name)
        buckets = merged(counts)
        for q in (0.5, 0.95, 0.99):
            exact = values[max(0, -(-int(q * 100) * len(values) // 100) - 1)]
            assert percentile(buckets, q) == pytest.approx(exact, rel=0.01, abs=1e-9), (name, q)


def holds(
    spark: SparkSession, seed: int, conversations: int, cuts: int, more: Sequence[str], again: bool = False
) -> None:
    dice = random.Random(seed)
    sent = history(dice, conversations)
    measures = tuple(known({}, more).values())
    with tempfile.TemporaryDirectory() as folder:
        batches = told(dice, sent, cuts)
        lake = track(spark, folder, measures, [*batches, batches[-1]] if again else batches)
        turns, ratings = truth(sent)
        found = measured(lake)
        check(found, measures, turns, ratings)
        check_hours(lake, turns, ratings)
        check_percentiles(found, turns)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=1)
def test_every_measure_is_what_plain_python_finds_in_the_final_truth(spark: SparkSession, seed: int) -> None:
    holds(spark, seed, conversations=40, cuts=2, more=("tenant",))


@pytest.mark.deep
@given(seed=st.integers(0, 2**32), cuts=st.integers(1, 5), more=st.sampled_from([(), ("tenant",)]))
@settings(max_examples=1)
def test_so_it_is_however_the_stream_is_cut(spark: SparkSession, seed: int, cuts: int, more: tuple[str, ...]) -> None:
    holds(spark, seed + 1, conversations=25, cuts=cuts, more=more, again=True)
