"""Each rule against cases counted by hand, and against a slow, obvious one on random minutes."""

from datetime import timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from headrace.config_alerts import Rule
from headrace.conversations.alert_rules import judge, lookback
from headrace.conversations.alert_series import Minute, Series
from headrace.conversations.latency import counted
from unit.conversations.alert_worlds import MINUTE, NOW, WEEK, ago, series

RULES = TypeAdapter(Rule)


def rule(kind: str, **settings: object) -> Rule:
    return RULES.validate_python({"rule": kind, "measure": "errors", **settings})


def said(one: Rule, minutes: Series, share: bool = True) -> str:
    return judge("r", one, minutes, NOW, share=share).why


@pytest.mark.parametrize(
    ("settings", "numerator", "denominator", "why"),
    [
        ({"above": 0.1, "certain": False}, 11, 100, "fires"),
        ({"above": 0.1, "certain": False}, 10, 100, "calm"),
        ({"below": 0.1, "certain": False}, 9, 100, "fires"),
        ({"below": 0.1, "certain": False}, 10, 100, "calm"),
        # Wilson's interval of 11 of 100 begins at 0.063, that of 180 of 1,000 at 0.157.
        ({"above": 0.1}, 11, 100, "calm"),
        ({"above": 0.1}, 180, 1000, "fires"),
        ({"below": 0.1}, 9, 100, "calm"),
        ({"below": 0.1}, 9, 1000, "fires"),
        ({"above": 0.1}, 29, 29, "too few"),
        ({"above": 0.1, "at_least": 29}, 29, 29, "fires"),
    ],
)
def test_a_threshold(settings, numerator, denominator, why):
    assert said(rule("threshold", **settings), series((ago(5), numerator, denominator))) == why


def test_a_window_holds_the_minutes_before_its_end_and_not_the_one_that_begins_there():
    one = rule("threshold", above=0.5, window="2m", at_least=1)
    assert said(one, series((ago(3), 9, 9))) == "too few"
    assert said(one, series((ago(2), 9, 9))) == "fires"
    assert said(one, series((ago(1), 9, 9))) == "fires"
    assert said(one, series((NOW, 9, 9))) == "too few"


@pytest.mark.parametrize(
    ("settings", "before", "now", "why"),
    [
        ({"by": 0.5, "certain": False}, (20, 100), (31, 100), "fires"),
        ({"by": 0.5, "certain": False}, (20, 100), (29, 100), "calm"),
        ({"by": 0.5, "certain": False}, (20, 100), (10, 100), "fires"),
        ({"by": 0.5, "certain": False, "direction": "up"}, (20, 100), (10, 100), "calm"),
        ({"by": 0.5, "certain": False, "direction": "down"}, (20, 100), (10, 100), "fires"),
        # Of 20 and 31 in 100 the intervals overlap, of 200 and 310 in 1,000 they do not.
        ({"by": 0.5}, (20, 100), (31, 100), "calm"),
        ({"by": 0.5}, (200, 1000), (310, 1000), "fires"),
        ({"by": 0.5, "points": 0.2, "certain": False}, (20, 100), (31, 100), "calm"),
        ({"by": 0.5, "points": 0.1, "certain": False}, (10, 100), (21, 100), "fires"),
        ({"by": 0.5, "certain": False}, (0, 100), (1, 100), "fires"),
        ({"by": 0.5, "certain": False}, (0, 100), (0, 100), "calm"),
        ({"by": 0.5}, (20, 29), (30, 100), "nothing to compare with"),
    ],
)
def test_a_change_against_the_same_minutes_a_week_ago(settings, before, now, why):
    assert said(rule("change", **settings), series((ago(5) - WEEK, *before), (ago(5), *now))) == why


def unusual(now: tuple[float, float], *past: tuple[float, float], share: bool = False, **settings: object) -> str:
    minutes = [(ago(5) - (place + 1) * WEEK, *one) for place, one in enumerate(past)]
    return said(rule("unusual", **settings), series((ago(5), *now), *minutes), share)


def test_what_is_far_from_the_median_of_the_same_minutes():
    # Of 10, 11, 12, 13, 14, 40: median 12.5, distances 2.5 1.5 .5 .5 1.5 27.5, their median 1.5, spread 2.2239.
    past = [(one * 100.0, 100.0) for one in (10, 11, 12, 13, 14, 40)]
    assert unusual((100 * (12.5 + 4 * 2.2239 + 0.001), 100), *past) == "fires"
    assert unusual((100 * (12.5 + 4 * 2.2239 - 0.001), 100), *past) == "calm"
    assert unusual((100 * (12.5 - 4 * 2.2239 - 0.001), 100), *past) == "fires"
    assert unusual((100 * (12.5 - 4 * 2.2239 - 0.001), 100), *past, direction="up") == "calm"
    assert unusual((100 * 99.0, 100), *past[:3]) == "nothing to compare with"


def test_weeks_that_agree_by_chance_do_not_make_a_share_unusual():
    # The same share six times has no spread of its own; that of 50 in 100 by chance is 0.05.
    same = [(50.0, 100.0)] * 6
    assert unusual((66, 100), *same, share=True) == "calm"
    assert unusual((71, 100), *same, share=True) == "fires"
    assert unusual((0, 100), *[(0.0, 100.0)] * 6, share=True) == "calm"
    assert unusual((30, 100), *[(0.0, 100.0)] * 6, share=True) == "fires"


def test_where_all_of_the_past_is_equal_a_hundredth_of_it_is_its_spread():
    assert unusual((1030, 100), *[(1000.0, 100.0)] * 6) == "calm"
    assert unusual((1050, 100), *[(1000.0, 100.0)] * 6) == "fires"
    assert unusual((1, 100), *[(0.0, 100.0)] * 6) == "nothing to compare with"


@pytest.mark.parametrize(
    ("counts", "long", "short", "why"),
    [
        # A budget of 1 % used ten times too fast is a share of 10 %, in both windows.
        ("bad", (0, 100), (20, 100), "fires"),
        ("bad", (0, 101), (20, 100), "calm"),
        ("bad", (100, 100), (9, 100), "calm"),
        ("bad", (100, 100), (10, 100), "fires"),
        ("bad", (100, 100), (0, 0), "calm"),
        ("good", (99, 100), (80, 100), "fires"),
        ("good", (120, 120), (80, 100), "calm"),
        ("good", (0, 100), (91, 100), "calm"),
    ],
)
def test_a_budget_that_burns_in_both_windows(counts, long, short, why):
    one = rule("burn_rate", budget=0.01, factor=10, counts=counts)
    assert said(one, series((ago(30), *long), (ago(3), *short))) == why


def test_a_percentile():
    fast, slow = Minute(ago(3), 0, 0, 95, counted([1.0] * 95)), Minute(ago(2), 0, 0, 5, counted([30.0] * 5))
    one = rule("threshold", measure="latency", percentile=0.95, above=2)
    assert said(one, Series([fast, slow]), share=False) == "calm"
    assert said(one, Series([fast, slow, slow]), share=False) == "fires"


minutes = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 9)).map(
        lambda one: (one[0], min(one[1:]), max(one[1:]))
    ),
    max_size=60,
)


@given(
    rows=minutes, before=st.integers(1, 20), window=st.integers(1, 15), least=st.integers(1, 10), doubled=st.booleans()
)
def test_random_minutes_give_what_a_slow_obvious_sum_gives(rows, before, window, least, doubled):
    """Of a mean: every number that a verdict tells, of three rules at once; in any order, and with several slices."""
    given = [Minute(ago(back), up, down, down) for back, up, down in rows]
    done = Series(given[::-1] if doubled else given)

    def value(shift: int) -> tuple[float | None, int]:
        inside = [(up, down) for back, up, down in rows if shift < back <= shift + window]
        n = sum(down for _, down in inside)
        return (sum(up for up, _ in inside) / n if n else None), n

    now, n = value(0)
    apart = timedelta(minutes=before)
    common = {"window": window * MINUTE, "at_least": least}
    limit = judge("r", rule("threshold", above=0.5, **common), done, NOW, share=False)
    change = judge("r", rule("change", by=0.25, before=apart, **common), done, NOW, share=False)
    far = judge("r", rule("unusual", z=2, periods=3, least_periods=3, apart=apart, **common), done, NOW, share=False)
    if now is None or n < least:
        assert {limit.why, change.why, far.why} == {"too few"}
        return
    assert (limit.numbers["value"], limit.numbers["n"], limit.fires) == (now, n, now > 0.5)
    earlier, earlier_n = value(before)
    if earlier is None or earlier_n < least:
        assert change.why == "nothing to compare with"
    else:
        assert change.fires == (now != earlier and abs(now - earlier) >= 0.25 * earlier)
    past = [one for one, many in (value(before * back) for back in (1, 2, 3)) if one is not None and many >= least]
    if len(past) < 3 or not any(past):
        assert far.why == "nothing to compare with"
    elif all(one == past[0] for one in past):
        assert far.fires == (abs(now - past[0]) / (0.01 * past[0]) >= 2)
    elif spread := 1.4826 * median(abs(one - median(past)) for one in past):
        assert far.fires == (abs((now - median(past)) / spread) >= 2)


@given(rows=minutes, window=st.integers(1, 9), kind=st.sampled_from(["threshold", "change", "unusual", "burn_rate"]))
def test_no_minute_outside_of_what_a_rule_says_it_reads_matters(rows, window, kind):
    more = {
        "threshold": {"above": 0.1},
        "change": {"by": 0.1, "before": 11 * MINUTE},
        "burn_rate": {"budget": 0.1, "factor": 1, "short": MINUTE},
        "unusual": {"apart": 5 * MINUTE, "periods": 3, "least_periods": 3},
    }[kind]
    one = rule(kind, window=(window + 1) * MINUTE, at_least=1, **more)
    all_of_them = [Minute(ago(back), up, down, down) for back, up, down in rows]
    read = [each for each in all_of_them if NOW - lookback(one) <= each.at < NOW]
    assert judge("r", one, Series(all_of_them), NOW, share=True) == judge("r", one, Series(read), NOW, share=True)
