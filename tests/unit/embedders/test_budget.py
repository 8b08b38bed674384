"""What a day's budget allows."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from headrace.config_knowledge import Budget
from headrace.knowledge.budget import Spent, allowed, cost, day

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("budget", "spent", "wanted", "may"),
    [
        (Budget(), Spent(TODAY, 10**9, 10**12), [5] * 7, 7),
        (Budget(texts=10), Spent(TODAY, 4, 0), [5] * 7, 6),
        (Budget(texts=10), Spent(TODAY, 10, 0), [5] * 7, 0),
        (Budget(texts=10), Spent(TODAY, 12, 0), [5] * 7, 0),
        (Budget(tokens=100), Spent(TODAY, 0, 90), [5] * 7, 2),
        (Budget(tokens=100), Spent(TODAY, 0, 90), [5, 6, 1], 1),
        (Budget(tokens=100), Spent(TODAY, 0, 100), [1], 0),
        (Budget(texts=3, tokens=100), Spent(TODAY, 0, 90), [2] * 9, 3),
        (Budget(texts=9, tokens=100), Spent(TODAY, 0, 95), [2] * 9, 2),
        (Budget(money=0.3, price_per_million_tokens=0.1), Spent(TODAY, 0, 2_999_990), [5] * 9, 2),
        (Budget(money=1, price_per_million_tokens=0.02), Spent(TODAY, 0, 49_999_999), [1] * 9, 1),
        (Budget(money=1, price_per_million_tokens=0), Spent(TODAY, 0, 10**12), [5] * 9, 9),
        (Budget(texts=1), Spent(TODAY), [], 0),
    ],
)
def test_the_texts_that_fit_from_the_first_are_allowed(budget, spent, wanted, may):
    assert allowed(budget, spent, NOON, wanted) == may


def test_a_new_day_begins_at_zero_and_the_day_is_utc():
    spent = Spent(TODAY, 10, 100)
    assert allowed(Budget(texts=10), spent, NOON + timedelta(days=1), [1] * 20) == 10
    tokyo = datetime(2026, 3, 2, 8, tzinfo=timezone(timedelta(hours=9)))
    assert day(tokyo) == TODAY
    assert allowed(Budget(texts=10), spent, tokyo, [1] * 20) == 0


def test_what_is_spent_adds_up_within_a_day():
    spent = Spent(TODAY, 10, 100).plus(NOON, 1, 5)
    assert spent == Spent(TODAY, 11, 105)
    assert spent.plus(NOON + timedelta(days=1), 1, 5) == Spent(date(2026, 3, 2), 1, 5)


def test_cost_is_known_where_a_price_is():
    assert cost(Budget(price_per_million_tokens=0.02), 5_000_000) == pytest.approx(0.1)
    assert cost(Budget(), 5) is None
