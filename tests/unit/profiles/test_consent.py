"""What a person agreed to at a moment."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from headrace.profiles.consent import agreed
from headrace.profiles.inputs import Statement
from headrace.profiles.values import Refusal
from unit.profiles.people import HOUR, NOW, profile, said


def state(*statements: Statement, now: datetime = NOW, purpose: str = "marketing") -> dict[str, Any]:
    """The state of a purpose, the same in every order of the statements."""
    found = [profile(*order, now=now).document["consent"][purpose] for order in permutations(statements)]
    assert all(each == found[0] for each in found)
    return found[0]


def short(found: dict[str, Any]) -> tuple[bool, str]:
    """Whether it is granted, and why."""
    return found["granted"], found["state"]


def test_a_grant_holds_until_it_is_withdrawn() -> None:
    grant, refusal = said("marketing", True, 2, key="1"), said("marketing", False, 1, key="2")

    assert short(state(grant)) == (True, "granted")
    assert short(state(grant, refusal)) == (False, "refused")
    assert short(state(grant, refusal, said("marketing", True, 0.5, key="3"))) == (True, "granted")
    assert [each["granted"] for each in state(grant, refusal)["history"]] == [False, True]


def test_of_statements_at_the_same_time_the_refusal_counts_whatever_its_position() -> None:
    assert short(state(said("marketing", True, position="9"), said("marketing", False, key="2"))) == (False, "refused")


@pytest.mark.parametrize("granted", [None, False])
def test_what_nobody_knows_is_a_refusal(granted: bool | None) -> None:
    assert short(state(said("marketing", True, 2), said("marketing", granted, key="2"))) == (False, "refused")


def test_a_grant_ends_by_time_alone_and_brings_no_older_one_back() -> None:
    rows = (said("marketing", True, 9, key="1"), said("marketing", True, 2, key="2", until=NOW + HOUR))

    before, after = state(*rows), state(*rows, now=NOW + HOUR)

    assert short(before) == (True, "granted") and before["until"] == before["changes_at"] == "2026-11-26T15:05:00Z"
    assert short(after) == (False, "expired") and after["changes_at"] is None
    assert profile(*rows).due_at == NOW + HOUR
    assert profile(*rows, now=NOW + HOUR).due_at is None


def test_of_equal_statements_the_stricter_end_counts() -> None:
    early, late = NOW + HOUR, NOW + 2 * HOUR

    grants = state(said("marketing", True, until=early, key="1"), said("marketing", True, until=None, key="2"))
    refusals = state(said("marketing", False, until=early, key="1"), said("marketing", False, until=late, key="2"))

    assert grants["until"] == "2026-11-26T15:05:00Z"
    assert refusals["until"] == "2026-11-26T16:05:00Z"


def test_a_purpose_that_needs_no_statement_is_allowed_unless_refused() -> None:
    assert short(profile().document["consent"]["contract"]) == (True, "default")
    assert short(state(said("contract", False), purpose="contract")) == (False, "refused")
    assert short(state(said("contract", False, until=NOW), purpose="contract")) == (True, "expired")
    assert short(state(said("contract", True, 2), purpose="contract")) == (True, "granted")


def test_a_statement_that_has_not_begun_says_nothing_yet() -> None:
    rows = (said("marketing", True, 1), said("marketing", False, -1, key="2"))

    assert short(state(*rows)) == (True, "granted")
    assert state(*rows)["changes_at"] == "2026-11-26T15:05:00Z"
    assert profile(*rows).due_at == NOW + HOUR
    assert short(state(*rows, now=NOW + HOUR)) == (False, "refused")


def test_a_purpose_that_the_settings_need_is_told_even_if_nobody_spoke_of_it() -> None:
    fields = {"name": {"purpose": "marketing"}}
    assert short(profile(fields=fields).document["consent"]["marketing"]) == (False, "none")


def test_space_around_a_purpose_is_no_other_purpose_and_none_is_none() -> None:
    found = profile(said(" marketing\n", True), said(None, True, key="2"), said("  ", True, key="3")).document[
        "consent"
    ]
    assert set(found) == {"contract", "marketing"} and found["marketing"]["granted"]


def test_the_time_of_the_change_stands_for_one_that_is_missing() -> None:
    rows = said("marketing", True, 2, at=None), said("marketing", False, 3, key="2")
    assert short(state(*rows)) == (True, "granted") and state(*rows)["at"] == "2026-11-26T12:05:00Z"


def test_a_long_history_shows_its_newest_part_and_counts_all() -> None:
    rows = [said("marketing", bool(hours % 2), hours, key=str(hours)) for hours in range(1, 1_001)]

    found = profile(*rows).document["consent"]["marketing"]

    assert found["statements"] == 1_000 and len(found["history"]) == 20
    assert found["history"][0]["at"] == "2026-11-26T13:05:00Z"


def test_of_a_thousand_purposes_the_needed_ones_and_the_newest_others_are_shown() -> None:
    rows = [said(f"p{number:03}", True, number, key=str(number)) for number in range(1, 1_001)]

    found = agreed(rows, ["p900"], ["contract"], NOW, 100)

    assert set(found.states) == {"p900", "contract", *(f"p{number:03}" for number in range(1, 51))}
    assert found.cut and profile(*rows).document["cut"]


def test_a_purpose_or_basis_that_is_too_long_is_refused() -> None:
    built = profile(said("p" * 5_000, True, key="1"), said("ads", True, key="2", basis="b" * 5_000))

    assert set(built.document["consent"]) == {"ads", "contract"}
    assert built.document["consent"]["ads"]["basis"] is None
    assert built.refused == (
        Refusal("consent", "t_consent", "1", "purpose", 5_000, 4_096),
        Refusal("consent", "t_consent", "2", "basis", 5_000, 4_096),
    )
