"""What becomes of a key's state when it is answered, fails, goes and comes again. No Spark."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from headrace.changes.enrich import Heard, State, answered, back, gone

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NEW = State('{"city":"Rome"}')
HELD = replace(NEW, asked_by="f", outcome="row", status=200, body="[1]", next_at=NOW, change="upsert")


def heard(state: State, one: Heard) -> State:
    return answered(state, one, "f", NOW, HOUR, MINUTE)


@pytest.mark.parametrize(
    ("before", "answer", "change", "body", "pause"),
    [
        (NEW, Heard("row", 200, "[1]"), "upsert", "[1]", HOUR),
        (HELD, Heard("row", 200, "[2]"), "upsert", "[2]", HOUR),
        (HELD, Heard("row", 200, "[1]"), None, "[1]", HOUR),
        (HELD, Heard("none", 404), "delete", None, HOUR),
        (NEW, Heard("none", 404), None, None, HOUR),
        (HELD, Heard("failed", reason="400"), None, "[1]", HOUR),
        (NEW, Heard("failed", reason="500", again=True), None, None, MINUTE),
        (replace(HELD, attempts=3), Heard("failed", reason="500", again=True), None, "[1]", 8 * MINUTE),
        (replace(HELD, attempts=90), Heard("failed", reason="500", again=True), None, "[1]", HOUR),
    ],
)
def test_an_answer_changes_the_row_only_where_it_says_something_else(
    before: State, answer: Heard, change: str | None, body: str | None, pause: timedelta
) -> None:
    after = heard(before, answer)
    assert (after.change, after.body, after.next_at) == (change, body, NOW + pause)
    assert after.attempts == (before.attempts + 1 if answer.outcome == "failed" else 0)


def test_a_key_that_goes_and_comes_again_has_its_answer_back_without_a_call() -> None:
    away = gone(HELD)
    assert (away.change, away.wanted, away.body, away.next_at) == ("delete", False, "[1]", NOW)
    assert back(away) == HELD
    unknown = heard(HELD, Heard("none", 404))
    assert gone(unknown).change is None and back(gone(unknown)).change is None
