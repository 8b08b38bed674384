"""The judge of the demo must see every kind of difference."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from headrace.travel.columns import Row
from headrace.travel.compare import comparable, compare

NIGHT = date(2026, 5, 1)
TRUTH: list[Row] = [
    {"hotel_id": 1, "night": NIGHT, "amount": Decimal("99.50"), "currency": "EUR"},
    {"hotel_id": 2, "night": NIGHT, "amount": None, "currency": None},
]


def test_equal_rows_in_another_order_are_equal() -> None:
    assert compare("prices", TRUTH, reversed([comparable(row) for row in TRUTH])).equal


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (TRUTH[:1], "prices [2, datetime.date(2026, 5, 1)]: not in the lake"),
        ([*TRUTH, TRUTH[0] | {"hotel_id": 3}], "prices [3, datetime.date(2026, 5, 1)]: not in the source"),
        ([*TRUTH, TRUTH[0]], "prices [1, datetime.date(2026, 5, 1)]: in the lake twice"),
        ([TRUTH[0] | {"amount": Decimal("99.51")}, TRUTH[1]], "amount: source Decimal('99.50'), lake Decimal('99.51')"),
        ([TRUTH[0] | {"amount": 99.5}, TRUTH[1]], "amount: source Decimal('99.50'), lake 99.5"),
        ([TRUTH[0] | {"currency": None}, TRUTH[1]], "currency: source 'EUR', lake None"),
        ([TRUTH[0] | {"extra": 1}, TRUTH[1]], "extra: source None, lake 1"),
        ([{"hotel_id": 1, "night": NIGHT, "amount": Decimal("99.50")}, TRUTH[1]], "currency: source 'EUR', lake None"),
    ],
    ids=["missing", "too many", "twice", "other value", "other type", "null", "column too many", "column missing"],
)
def test_each_difference_is_found_and_named(found: list[dict[str, Any]], said: str) -> None:
    comparison = compare("prices", TRUTH, found)
    assert (comparison.equal, comparison.count) == (False, 1)
    assert said in comparison.differences[0]


def test_a_timestamp_is_compared_as_microseconds_in_utc() -> None:
    row: Row = {"flight_id": 1, "departs_at": datetime(2026, 3, 1, 6, 0, 0, 7, tzinfo=UTC)}
    assert comparable(row) == {"flight_id": 1, "departs_at": 1772344800000007}


def test_only_the_first_differences_are_shown_and_all_are_counted() -> None:
    truth: list[Row] = [{"flight_id": number} for number in range(20)]
    comparison = compare("flights", truth, [])
    assert (len(comparison.differences), comparison.count) == (5, 20)
