"""Percentiles of buckets against exact ones, and the same buckets in SQL."""

import math
import sqlite3
from contextlib import closing
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headrace.conversations.latency import GAMMA, ZERO, bucket, bucket_sql, counted, merged, percentile

SECONDS = st.one_of(st.floats(0.001, 600), st.floats(1e-9, 1e12), st.sampled_from([0.0, 1.0, GAMMA, GAMMA**50]))
QS = (0.0, 0.01, 0.07, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


def exact(values: list[float], q: float) -> float:
    """The smallest value that the share `q` does not exceed, by looking at each."""
    share = Fraction(str(q))
    return min(one for one in values if Fraction(sum(other <= one for other in values), len(values)) >= share)


@given(st.lists(SECONDS, min_size=1, max_size=60), st.sampled_from(QS))
@example([float(one) for one in range(1, 101)], 0.07)
@example([1.0] * 19 + [100.0], 0.95)
def test_a_percentile_is_off_by_at_most_one_percent(values, q):
    found = percentile(counted(values), q)
    assert found == pytest.approx(exact(values, q), rel=0.01, abs=1e-9)


@given(st.lists(st.lists(SECONDS, max_size=20), max_size=5))
def test_counts_of_parts_add_up_to_those_of_the_whole(parts):
    whole = [value for part in parts for value in part]
    assert merged(map(counted, parts)) == counted(whole)


def test_nothing_has_no_percentile():
    assert percentile({}, 0.5) is None
    assert merged([]) == {}


def test_zero_has_a_bucket_of_its_own():
    assert counted([0, 0, 5]) == {ZERO: 2, 82: 1}
    assert percentile(counted([0, 0, 5]), 0.5) == 0


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(ValueError, match="expected a number from 0 on"):
        bucket(value)


@pytest.mark.parametrize("q", [-0.1, 1.1])
def test_a_share_lies_between_0_and_1(q):
    with pytest.raises(ValueError, match="expected a share from 0 to 1"):
        percentile({1: 1}, q)


@given(st.lists(st.one_of(SECONDS, st.none(), st.just(-1.0), st.just(math.inf)), min_size=1, max_size=30))
def test_sql_finds_the_same_bucket(values):
    with closing(sqlite3.connect(":memory:")) as database:
        database.create_function("LN", 1, math.log, deterministic=True)
        database.create_function("CEIL", 1, math.ceil, deterministic=True)
        database.execute("CREATE TABLE turns (seconds DOUBLE)")
        database.executemany("INSERT INTO turns VALUES (?)", [(one,) for one in values])
        found = [row[0] for row in database.execute(f"SELECT {bucket_sql('seconds')} FROM turns ORDER BY rowid")]
    assert found == [None if one is None or one < 0 or one == math.inf else bucket(one) for one in values]
