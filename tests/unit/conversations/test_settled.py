"""From when on events are taken: what `feedback.keep` would let go is not taken in either."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from headrace.conversations.settled import border, taken_since

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
KEEP = timedelta(days=400)
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
KEEPS = st.timedeltas(timedelta(days=2), timedelta(days=4_000))


def test_a_new_lake_takes_nothing_that_it_would_not_keep() -> None:
    assert taken_since(None, KEEP, NOW) == datetime(2025, 10, 22, tzinfo=UTC) == border(NOW, KEEP)
    assert taken_since(None, None, NOW) is None


def test_what_is_settled_stays_so_whatever_the_settings_say() -> None:
    settled = datetime(2026, 11, 1, tzinfo=UTC)
    assert taken_since(settled, KEEP, NOW) == taken_since(settled, None, NOW) == settled
    assert taken_since(datetime(2020, 1, 1, tzinfo=UTC), KEEP, NOW) == border(NOW, KEEP)


@given(TIMES, TIMES, KEEPS)
def test_nothing_is_taken_that_the_next_upkeep_lets_go(settled: datetime, now: datetime, keep: timedelta) -> None:
    since = taken_since(settled, keep, now)
    assert since is not None and since >= settled and since >= border(now, keep)
    assert now - keep - timedelta(days=1) < border(now, keep) <= now - keep
