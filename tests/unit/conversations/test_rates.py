"""Wilson's interval against published values and against its own definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.conversations.rates import rate

Z = 1.959963984540054


# Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
@pytest.mark.parametrize(
    ("of", "among", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(of, among, low, high):
    found = rate(of, among)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(1, 10_000).flatmap(lambda among: st.tuples(st.integers(0, among), st.just(among))))
def test_its_ends_are_as_far_as_the_share_would_allow(case):
    of, among = case
    found = rate(of, among)
    assert 0 <= found.low <= found.value == of / among <= found.high <= 1
    # Each end is a true share from which what was seen lies exactly Z standard errors away.
    for end in (found.low, found.high):
        assert (found.value - end) ** 2 == pytest.approx(Z * Z * end * (1 - end) / among, rel=1e-6, abs=1e-12)


def test_nothing_counted_is_no_share():
    assert rate(0, 0) == (None, 0.0, 1.0, 0, False)


def test_few_are_told():
    assert not rate(20, 29).enough
    assert rate(20, 30).enough
    assert not rate(20, 30, least=100).enough


@pytest.mark.parametrize(("of", "among"), [(3, 2), (-1, 2)])
def test_more_than_there_are_is_refused(of, among):
    with pytest.raises(ValueError, match="expected a part of 2"):
        rate(of, among)
