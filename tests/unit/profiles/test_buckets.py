"""What a person did in one hour."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headrace.errors import Fatal
from headrace.profiles.buckets import Bucket, Counts, Event, Session, add, bucket, buckets, from_json, to_json
from unit.profiles.people import click, clicks, settings

WEB = settings().behaviour["web"]
GAP = WEB.session_gap
HOUR = datetime(2026, 11, 26, 14, tzinfo=UTC)


def at(minute: float, hour: datetime = HOUR) -> datetime:
    """A minute of the hour."""
    return hour + timedelta(minutes=minute)


def spent(*numbers: Any) -> str | None:
    """The sum of the numbers as JSON holds it."""
    one = bucket([click(str(place), at(1), number) for place, number in enumerate(numbers)], WEB)
    found: str | None = to_json(one)["sums"].get("spent")
    return found


def test_a_bucket_holds_count_sums_values_newest_event_and_sessions() -> None:
    events = [click("b", at(40), "2.50", "/a"), click("a", at(0), 0.1, "/a"), click("c", at(3), None, "/b")]

    assert bucket(events, WEB) == Bucket(
        HOUR, 3, {"spent": Decimal("2.6")}, {"page": Counts({"/a": 2, "/b": 1}, 0)}, (at(40), "b", {"page": "/a"}),
        (Session(at(0), at(3), 2), Session(at(40), at(40), 1)),
    )  # fmt: skip


EXACT = {
    "tenths": ([0.1] * 10, "1"),
    "a float that loses a digit": ([0.1, 0.2], "0.3"),
    "a small number between large ones": ([1e16, 1, -1e16], "1"),
    "text, whole and decimal": (["12.50", 3, Decimal("0.005")], "15.505"),
    "six hundred digits": ([10**300, 1, "1e-300"], "1" + "0" * 299 + "1." + "0" * 299 + "1"),
    "zero": (["-1.50", "+1.5"], "0"),
    "the largest float twice": ([1.7e308, 1.7e308], "34" + "0" * 307),
    "no number at all": ([None, "many", True, float("nan"), float("inf"), "1e9999", 10**5_000, "1_0"], None),
    "no number beside one": ([None, 2, "many"], "2"),
}


@pytest.mark.parametrize(("numbers", "total"), EXACT.values(), ids=EXACT)
def test_numbers_add_up_exactly(numbers: list[Any], total: str | None) -> None:
    assert spent(*numbers) == spent(*reversed(numbers)) == total


def test_values_are_counted_as_text_and_nothing_is_not_counted() -> None:
    pages = ["1", 1, True, "true", None, " ", {"b": 1, "a": [1]}, 10**20]
    one = bucket([click(str(place), at(1), page=page) for place, page in enumerate(pages)], WEB)

    assert one.top["page"].values == {"1": 2, "true": 2, '{"a":[1],"b":1}': 1, "1" + "0" * 20: 1}


def test_a_bucket_counts_a_thousand_values_by_name_and_the_others_together() -> None:
    events = [click(str(number), at(1), page=f"/{number % 1_500}") for number in range(3_000)]

    one = bucket(events, WEB)
    parts = add(add(bucket(events[2_000:], WEB), bucket(events[:700], WEB), GAP), bucket(events[700:2_000], WEB), GAP)

    assert parts == one
    assert len(one.top["page"].values) == 1_000 and set(one.top["page"].values.values()) == {2}
    assert one.top["page"].others == 1_000


def test_a_long_value_is_counted_among_the_others() -> None:
    one = bucket([click("a", at(1), page="x" * 201), click("b", at(1), page="x" * 200)], WEB)
    assert one.top["page"] == Counts({"x" * 200: 1}, 1)


def test_of_events_at_the_same_time_the_highest_key_is_the_newest() -> None:
    one = bucket([click("b", at(1)), click("c", at(1), last="/last"), click("a", at(1))], WEB)
    assert one.newest == (at(1), "c", {"page": "/last"})


def test_a_pause_of_the_gap_joins_and_a_longer_one_parts() -> None:
    instant = timedelta(microseconds=1)
    joined = bucket([click("a", at(0)), click("b", at(30))], WEB)
    parted = bucket([click("a", at(0)), click("b", at(30) + instant)], WEB)

    assert [each.events for each in joined.sessions] == [2]
    assert [each.events for each in parted.sessions] == [1, 1]


def test_an_event_between_two_sessions_joins_them() -> None:
    two = bucket([click("a", at(0)), click("b", at(50))], WEB)
    late = bucket([click("c", at(25))], WEB)

    assert add(two, late, GAP).sessions == (Session(at(0), at(50), 3),)


def test_events_are_sorted_into_hours_of_utc() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    found = clicks(click("a", at(59.99)), click("b", at(60)), click("c", at(0).astimezone(kathmandu)))

    assert [(one.hour, one.count) for one in found] == [(HOUR, 2), (at(60), 1)]


def test_the_hour_that_summer_time_repeats_is_two_hours() -> None:
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    found = clicks(click("a", twice), click("b", twice.replace(fold=1)))

    assert [one.hour.hour for one in found] == [0, 1]


@pytest.mark.parametrize("events", [[], [click("a", at(0)), click("b", at(60))]])
def test_a_bucket_is_of_one_hour(events: list[Event]) -> None:
    with pytest.raises(Fatal, match="expected events of one hour"):
        bucket(events, WEB)


def test_json_and_back() -> None:
    one = bucket(
        [click("a", at(0.123), "1e-300", "Łódź"), click("b", at(59), 10**300, last=[10**20, {"x": None}])], WEB
    )

    written = to_json(one)

    assert from_json(written) == one and to_json(from_json(written)) == written
    assert written["hour"] == "2026-11-26T14:00:00Z"
    assert written["sessions"][0] == ["2026-11-26T14:00:07.380000Z", "2026-11-26T14:00:07.380000Z", 1]
    assert buckets([], WEB) == []
