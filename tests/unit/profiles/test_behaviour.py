"""What a person did lately."""

from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.profiles.buckets import add
from headrace.profiles.values import Refusal
from unit.profiles.people import HOUR, NOW, click, clicks, profile, settings

MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC)


def web(built: Any) -> dict[str, Any]:
    """The section of the feed."""
    found: dict[str, Any] = built.document["behaviour"]["web"]
    return found


def counts(built: Any) -> dict[str, int]:
    """Events by window."""
    return {name: window["count"] for name, window in web(built)["windows"].items()}


def test_a_window_is_the_running_hour_and_those_before_it() -> None:
    running = NOW.replace(minute=0)
    times = [running, running - timedelta(seconds=1), running - 23 * HOUR, running - 23 * HOUR - timedelta(seconds=1)]

    built = profile(*clicks(*(click(str(place), at) for place, at in enumerate(times))))

    assert counts(built) == {"1h": 1, "24h": 3, "7d": 4, "30d": 4}


def test_sums_and_frequent_values_of_a_window() -> None:
    events = [
        click(str(n), NOW - n * HOUR, 0.1, page) for n, page in enumerate(["/b", "/a", "/c", "/c", "/b", "/d", "/a"])
    ]

    window = web(profile(*clicks(*events), behaviour=with_most(2)))["windows"]["24h"]

    assert window == {
        "count": 7, "sums": {"spent": "0.7"},
        "top": {"page": {"values": [{"value": "/a", "count": 2}, {"value": "/b", "count": 2}], "others": 3}},
    }  # fmt: skip


def with_most(most: int) -> dict[str, Any]:
    """The feed's settings with another `most`."""
    return {"web": settings().behaviour["web"].model_dump() | {"most": most}}


def test_nobody_who_did_nothing_has_a_last_event_or_session() -> None:
    assert web(profile())["last"] is None
    assert web(profile())["sessions"] == {"count": 0, "last": None}
    assert web(profile())["windows"]["1h"] == {
        "count": 0, "sums": {"spent": "0"}, "top": {"page": {"values": [], "others": 0}},
    }  # fmt: skip


def test_a_late_event_repairs_its_own_hour() -> None:
    before = clicks(click("a", NOW), click("b", NOW - 26 * HOUR))
    (late,) = clicks(click("c", NOW - 26 * HOUR, "5", "/late"))

    repaired = profile(*before, late)

    assert counts(profile(*before)) == {"1h": 1, "24h": 1, "7d": 2, "30d": 2}
    assert counts(repaired) == {"1h": 1, "24h": 1, "7d": 3, "30d": 3}
    assert web(repaired)["windows"]["24h"]["sums"] == {"spent": "0"}
    assert web(repaired)["windows"]["7d"]["sums"] == {"spent": "5"}
    assert web(repaired)["last"]["key"] == "a"
    assert repaired.document == profile(before[1], add(before[0], late, timedelta(minutes=30))).document


def test_a_session_goes_on_over_hours_and_midnight() -> None:
    events = [click(str(n), MIDNIGHT + timedelta(minutes=25 * n)) for n in range(-4, 5)]

    assert web(profile(*clicks(*events)))["sessions"] == {
        "count": 1, "last": {"start": "2026-11-25T22:20:00Z", "end": "2026-11-26T01:40:00Z", "events": 9},
    }  # fmt: skip


def test_sessions_are_counted_as_long_as_events_are_kept() -> None:
    events = [click(str(days), NOW - timedelta(days=days)) for days in (0, 1, 29, 30, 31)]

    assert web(profile(*clicks(*events)))["sessions"]["count"] == 3


def test_what_is_not_kept_counts_in_no_window() -> None:
    feed = settings().behaviour["web"].model_dump() | {"keep": "90m"}
    events = [click(str(hours), NOW - hours * HOUR) for hours in range(4)]

    assert counts(profile(*clicks(*events), behaviour={"web": feed})) == {"1h": 1, "24h": 2, "7d": 2, "30d": 2}


def test_an_hour_that_has_not_begun_does_not_count_yet() -> None:
    built = profile(*clicks(click("a", NOW + HOUR)))

    assert counts(built)["30d"] == 0 and web(built)["last"] is None
    assert built.due_at == NOW.replace(minute=0) + HOUR
    assert counts(profile(*clicks(click("a", NOW + HOUR)), now=built.due_at))["1h"] == 1


def test_a_profile_is_due_when_the_next_bucket_leaves_a_window() -> None:
    found, running = clicks(click("a", NOW - 5 * HOUR)), NOW.replace(minute=0)

    assert profile(*found).due_at == running + 19 * HOUR
    assert profile(*found, now=running + 19 * HOUR).due_at == running - 5 * HOUR + timedelta(days=7)
    assert profile(*found, now=running + timedelta(days=40)).due_at is None
    assert counts(profile(*found, now=running + 19 * HOUR)) == {"1h": 0, "24h": 0, "7d": 1, "30d": 1}


def test_the_oldest_bucket_of_a_window_leaves_first() -> None:
    events, running = [click(str(hours), NOW - hours * HOUR) for hours in (5, 20)], NOW.replace(minute=0)

    assert profile(*clicks(*events)).due_at == running + 4 * HOUR


def test_a_profile_is_due_when_what_is_kept_longer_than_any_window_is_over() -> None:
    found, running = clicks(click("a", NOW - 5 * HOUR)), NOW.replace(minute=0)

    assert profile(*found, windows=["1h"]).due_at == running - 5 * HOUR + timedelta(days=30)


def test_the_last_event_shows_the_columns_of_the_settings_and_no_value_that_is_too_long() -> None:
    short, long = clicks(click("a", NOW, last="/cart")), clicks(click("a", NOW, last="x" * 1_000_000))

    assert web(profile(*short))["last"] == {"at": "2026-11-26T14:05:00Z", "key": "a", "values": {"page": "/cart"}}
    assert web(profile(*long))["last"]["values"] == {"page": None}
    assert profile(*long).refused == (Refusal("behaviour", "web", "a", "page", 1_000_000, 4_096),)
