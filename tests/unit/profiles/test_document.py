"""The whole document: related rows, sources, purposes, its size and its digest."""

import json
from typing import Any

import pytest

from headrace.profiles.document import digest
from headrace.profiles.inputs import RelatedRow
from headrace.profiles.related import in_order
from headrace.profiles.values import Refusal, canonical
from unit.profiles.people import HOUR, NOW, booking, click, clicks, profile, record, said, settings


def keys(rows: list[Any]) -> str:
    """Their keys in a row."""
    return "".join(row.key if isinstance(row, RelatedRow) else row["key"] for row in rows)


def test_a_small_profile_in_full() -> None:
    built = profile(
        record("shop", "Ada"), booking("b", day="2026-12-01"), *clicks(click("c", NOW, "1")), said("ads", True, 2),
        fields={"name": {"purpose": "ads"}},
    )  # fmt: skip
    source = {"fields": {"record": "shop", "key": "1", "position": "1", "changed_at": "2026-11-26T13:05:00Z"}}
    window = {
        "count": 1,
        "sums": {"spent": "1"},
        "top": {"page": {"values": [{"value": "/", "count": 1}], "others": 0}},
    }
    statement = {"granted": True, "basis": "consent", "at": "2026-11-26T12:05:00Z", "until": None}
    nothing = {"basis": None, "at": None, "until": None, "changes_at": None, "history": [], "statements": 0}
    session = {"start": "2026-11-26T14:05:00Z", "end": "2026-11-26T14:05:00Z", "events": 1}

    assert built.document == {
        "schema": 1,
        "person": "p1",
        "fields": {"name": {"value": "Ada", **source["fields"]}},
        "records": [{"record": "shop", "key": "1"}],
        "record_count": 1,
        "related": {
            "bookings": {
                "rows": [{"key": "b", "changed_at": "2026-11-26T13:05:00Z", "values": {"day": "2026-12-01"}}],
                "count": 1,
            }
        },
        "consent": {
            "ads": {**statement, "state": "granted", "changes_at": None, "history": [statement], "statements": 1},
            "contract": {"granted": True, "state": "default", **nothing},
        },
        "behaviour": {
            "web": {
                "windows": dict.fromkeys(["1h", "24h", "7d", "30d"], window),
                "last": {"at": "2026-11-26T14:05:00Z", "key": "c", "values": {"page": "/"}},
                "sessions": {"count": 1, "last": session},
            }
        },
        "sources": {
            "t_bookings": {"changed_at": "2026-11-26T13:05:00Z", "position": "1"},
            "t_clicks": {"changed_at": "2026-11-26T14:05:00Z", "position": None},
            "t_consent": {"changed_at": "2026-11-26T12:05:00Z", "position": "1"},
            "t_shop": {"changed_at": "2026-11-26T13:05:00Z", "position": "1"},
        },
        "purposes": {"fields.name": "ads"},
        "cut": False,
    }
    assert built.refused == ()


def test_rows_are_sorted_with_nothing_last_and_by_key_in_the_end() -> None:
    days = {"a": 2, "b": None, "c": 1, "d": 2, "e": "", "f": float("nan")}
    rows = [booking(key, day=day) for key, day in days.items()][::-1]

    assert keys(in_order(rows, ["day"])) == "cadbef"
    assert keys(in_order(rows, ["-day"])) == "adcbef"
    assert keys(in_order(rows, [])) == "abcdef"


def test_rows_are_sorted_by_several_columns_and_values_of_every_kind() -> None:
    rows = [booking(key, day=day, hotel=hotel) for key, day, hotel in ["a1x", "b1y", "c2x"]]
    kinds = [{"x": 1}, "9", "10", 10**30, 2.5, 2, True, None]
    mixed = [booking(str(number), day=value) for number, value in enumerate(kinds)]

    assert keys(in_order(rows, ["day", "-hotel"])) == "bac"
    assert keys(in_order(mixed, ["day"])) == "65432107"
    assert keys(in_order(mixed, ["-day"])) == "01234567"


def test_of_ten_thousand_rows_the_first_are_shown_and_all_counted() -> None:
    found = profile(*[booking(f"{n:05}", day=n) for n in range(10_000)]).document["related"]["bookings"]

    assert found["count"] == 10_000
    assert [row["key"] for row in found["rows"]] == [f"{n:05}" for n in range(9_999, 9_979, -1)]


def test_a_row_shows_its_columns_and_no_value_that_is_too_long() -> None:
    related = {"bookings": settings().related["bookings"].model_dump() | {"columns": ["hotel", "note", "gone"]}}
    built = profile(booking("b", day="2026-12-01", hotel="Porto", note="x" * 1_000_000), related=related)

    assert built.document["related"]["bookings"]["rows"][0]["values"] == {"hotel": "Porto", "note": None, "gone": None}
    assert built.refused == (Refusal("related", "bookings", "b", "note", 1_000_000, 4_096),)


def test_rows_and_events_of_feeds_that_the_settings_do_not_name_are_passed_over() -> None:
    row = RelatedRow("old", "t_old", "1", "1", NOW, {})
    assert profile(row).document == profile().document


def test_a_source_shows_its_newest_change() -> None:
    rows = [record("shop", "a", 1, position="9"), record("shop", "b", 1, key="2", position="10"), record("calls", "c")]
    assert profile(*rows).document["sources"]["t_shop"] == {"changed_at": "2026-11-26T13:05:00Z", "position": "9"}
    assert profile(record("shop", "a", changed_at=None)).document["sources"]["t_shop"]["changed_at"] is None


def test_only_what_is_there_needs_a_purpose() -> None:
    fields = {"name": {"purpose": "ads"}, "city": {"purpose": "ads"}}
    assert profile(record("shop", "Ada"), fields=fields).document["purposes"] == {"fields.name": "ads"}


def wide(**changes: Any) -> Any:
    """A person with much of everything."""
    rows = [booking(f"{n:03}", day=n, note="é" * 100) for n in range(40)]
    events = [click(f"{n:03}", NOW - n * HOUR, "1", f"/page/{n % 9}") for n in range(60)]
    statements = [said("ads", bool(n % 2), n, key=str(n)) for n in range(30)]
    records = [record("shop", f"Ada {n}", n, key=f"{n:04}") for n in range(60)]
    return profile(*rows, *clicks(*events), *statements, *records, **changes)


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (65_536, (20, 5, 20, 60)),
        (9_000, (13, 5, 20, 60)),
        (5_000, (0, 2, 20, 60)),
        (4_000, (0, 0, 10, 60)),
        (3_000, (0, 0, 0, 53)),
        (1_500, (0, 0, 0, 5)),
    ],
)
def test_rows_go_first_then_values_then_history_then_records(most: int, left: tuple[int, ...]) -> None:
    found = wide(max_bytes=most).document
    top = found["behaviour"]["web"]["windows"]["7d"]["top"]["page"]

    shown = (
        len(found["related"]["bookings"]["rows"]), len(top["values"]), len(found["consent"]["ads"]["history"]),
        len(found["records"]),
    )  # fmt: skip
    assert shown == left
    assert len(canonical(found)) <= most and found["cut"] == (most < 60_000)
    assert (found["related"]["bookings"]["count"], found["consent"]["ads"]["statements"], found["record_count"]) == (
        40,
        30,
        60,
    )
    assert sum(each["count"] for each in top["values"]) + top["others"] == 60
    assert found["fields"]["name"]["value"] == "Ada 0"


def test_the_longest_list_loses_rows_first() -> None:
    shape = settings().related["bookings"].model_dump()
    related = {"bookings": shape, "calls": shape | {"table": "t_calls"}}
    rows = [booking(f"{n:02}", day=n) for n in range(20)]
    calls = [RelatedRow("calls", "t_calls", f"{n:02}", "1", NOW, {"day": n}) for n in range(8)]

    full = len(canonical(profile(*rows, *calls, related=related).document))
    left = []
    for less in (1, 600, 800, 900):
        found = profile(*rows, *calls, related=related, max_bytes=full - less).document
        left.append([len(each["rows"]) for each in found["related"].values()])
    assert left == [[19, 8], [11, 8], [8, 8], [7, 7]]


def test_if_not_even_the_fields_fit_the_largest_go() -> None:
    fields = {"name": "n" * 3_000, "city": "Lisboa"}
    built = profile(record("shop", "", fields=fields), max_bytes=2_500)

    assert set(built.document["fields"]) == {"city"}
    assert built.document["cut"]
    (refusal,) = built.refused
    assert (refusal.section, refusal.record, refusal.key, refusal.field, refusal.limit) == (
        "records",
        "shop",
        "1",
        "name",
        2_500,
    )
    assert 3_000 < refusal.size < 3_200


def test_of_equally_large_fields_the_last_by_name_goes() -> None:
    fields = {"name": "x" * 2_000, "city": "y" * 2_000}

    assert set(profile(record("shop", "", fields=fields), max_bytes=4_000).document["fields"]) == {"city"}


def test_purposes_that_nothing_needs_go_before_the_values_of_the_newest_event() -> None:
    rows = [said(f"p{number}", True, key=str(number)) for number in range(9)]
    found = []
    for most in range(1_000, 4_000, 50):
        document = profile(*rows, *clicks(click("c", NOW, last="x" * 300)), max_bytes=most).document
        found.append((len(document["consent"]), len(document["behaviour"]["web"]["last"]["values"])))

    assert {purposes for purposes, values in found if not values} == {0}
    assert {(1, 1), (5, 1), (10, 1)} <= set(found)


def test_a_digest_is_of_what_a_document_holds_not_of_when_it_was_built() -> None:
    document = wide().document
    other = json.loads(json.dumps(document, sort_keys=True))

    assert digest(document) == digest(other) == digest(other | {"built_at": "2026-11-26T14:05:00Z"})
    assert digest(document) != digest(other | {"person": "p2"})
    assert len(digest(document)) == 64


def test_a_person_without_anything_has_a_document() -> None:
    assert profile().document["fields"] == {} and profile().due_at is None
