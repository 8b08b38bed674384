"""Which record's value a field gets."""

from datetime import timedelta, timezone
from itertools import permutations
from typing import Any

import pytest

from headrace.config_profiles import ProfileField
from headrace.errors import Fatal
from headrace.profiles.inputs import RecordRow
from headrace.profiles.survivorship import newest_first
from headrace.profiles.values import Refusal, iso, plain
from unit.profiles.people import HOUR, NOW, RECORDS, profile, record


def name(*rows: RecordRow, **rule: Any) -> Any:
    """The name that is chosen, the same in every order of the rows."""
    fields = {"name": ProfileField(**rule).model_dump()}
    found = {str(profile(*order, fields=fields).document["fields"].get("name")) for order in permutations(rows)}
    assert len(found) == 1
    return profile(*rows, fields=fields).document["fields"].get("name", {}).get("value")


def test_the_newest_change_counts() -> None:
    assert name(record("shop", "Ada", hours=2), record("calls", "Ada L.", hours=1)) == "Ada L."


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"changed_at": NOW}, {"changed_at": NOW - HOUR, "position": "9"}),
        ({"changed_at": NOW - HOUR}, {"changed_at": None, "position": "9"}),
        ({"position": "2", "own": "o9"}, {"position": "1", "own": "o1"}),
        ({"own": "o1", "key": "9"}, {"own": "o2", "key": "1"}),
        ({"key": "1"}, {"key": "2"}),
    ],
)
def test_of_two_rows_of_a_record(better: dict[str, Any], worse: dict[str, Any]) -> None:
    """Later, then of a higher position, then of a lower id, then of a lower key."""
    assert name(record("shop", "worse", **({"key": "5"} | worse)), record("shop", "better", **better)) == "better"


def test_of_changes_at_the_same_place_the_record_that_the_settings_name_first_counts() -> None:
    rows = [record("devices", "c", own="o1"), record("calls", "b", own="o2"), record("shop", "a", own="o3")]

    assert name(*rows) == "a"
    assert [row.record for row in newest_first(rows, RECORDS)] == ["shop", "calls", "devices"]


def test_a_field_whose_record_is_not_in_the_settings_any_more_is_passed_over() -> None:
    built = profile(record("old", "Ada"), record("shop", "Bo"))

    assert built.document["fields"]["name"]["value"] == "Bo"
    assert built.document["record_count"] == 2


def test_the_first_record_of_the_order_that_has_a_value_counts_then_the_newest_of_it() -> None:
    rows = [
        record("shop", "new"),
        record("calls", "older", 3),
        record("calls", "old", 2, key="2"),
        record("devices", None),
    ]

    assert name(*rows, choose="source", order=("devices", "calls")) == "old"
    assert name(*rows, choose="source") == "new"


def test_the_longest_text_counts_by_characters_not_bytes() -> None:
    assert name(record("shop", "Łódź", 1), record("calls", "Lodz!", 2), choose="longest") == "Lodz!"
    assert name(record("shop", "abcd", 2), record("calls", "東京東京", 1), choose="longest") == "東京東京"


def test_the_most_frequent_value_counts_and_the_newest_of_equally_frequent_ones() -> None:
    rows = [record("shop", "a", 1), record("calls", {"x": 1, "y": 2}, 2), record("devices", {"y": 2, "x": 1}, 3)]

    assert name(*rows, choose="most_frequent") == {"x": 1, "y": 2}
    assert name(*rows[:2], choose="most_frequent") == "a"
    assert (
        name(record("shop", 1, 1), record("calls", True, 2), record("devices", True, 3), choose="most_frequent") is True
    )


@pytest.mark.parametrize("nothing", [None, "", " \t\n", "\u2003", float("nan"), float("inf"), [], {}])
def test_nothing_is_no_value(nothing: Any) -> None:
    assert name(record("shop", nothing, 1), record("calls", "Ada", 2)) == "Ada"
    assert name(record("shop", nothing)) is None


@pytest.mark.parametrize("value", [0, False, 0.0, "0", "null"])
def test_zero_and_false_are_values(value: Any) -> None:
    assert name(record("shop", value, 1), record("calls", "Ada", 2)) == value


def test_a_field_tells_where_its_value_comes_from() -> None:
    row = record("shop", "Ada", key="7", position="0042", changed_at=(NOW - HOUR).astimezone(timezone(HOUR * 5)))

    assert profile(row).document["fields"]["name"] == {
        "value": "Ada", "record": "shop", "key": "7", "position": "0042", "changed_at": "2026-11-26T13:05:00Z",
    }  # fmt: skip


def test_a_value_of_a_megabyte_is_refused_and_an_older_one_used() -> None:
    built = profile(record("shop", "x" * 1_000_000, 1, key="7"), record("calls", "Ada", 2))

    assert built.document["fields"]["name"]["value"] == "Ada"
    assert built.refused == (Refusal("records", "shop", "7", "name", 1_000_000, 4_096),)


@pytest.mark.parametrize(
    ("value", "size"),
    [("€" * 14, 42), ("x" * 41, 41), (["x" * 37], 41), (10**40, 41), ({"a": "x" * 33}, 41), (10**5_000, 5_001)],
    ids=["text", "ascii", "list", "number", "object", "long number"],
)
def test_a_value_is_measured_in_bytes(value: Any, size: int) -> None:
    (refusal,) = profile(record("shop", value), max_field_bytes=40).refused
    assert (refusal.size, refusal.limit) == (size, 40)
    assert profile(record("shop", value), max_field_bytes=size).refused == ()


def test_what_stores_cannot_hold_is_written_otherwise() -> None:
    deep: Any = "end"
    for _ in range(10_000):
        deep = [deep]

    assert plain([2**63 - 1, -(2**63)]) == [2**63 - 1, -(2**63)]
    assert plain([2**63, -(2**63) - 1]) == ["9223372036854775808", "-9223372036854775809"]
    assert plain({"a": [float("-inf"), "\ud800x", ("\ud83d\ude00",)]}) == {"a": [None, "\ufffdx", ["😀"]]}
    assert str(plain(deep)) == "[" * 16 + "'...'" + "]" * 16


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(Fatal, match="expected a time with a zone"):
        iso(NOW.replace(tzinfo=None))
    assert iso(NOW + timedelta(microseconds=1)) == "2026-11-26T14:05:00.000001Z"
