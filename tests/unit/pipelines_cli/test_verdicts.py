"""What became of each event; rows: (op, position, batch) -> (outcome, why)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipelines.verdicts import Event, judge


def event(op: str, position: str, batch: str = "b0", offset: int = 0, partial: bool = False) -> Event:
    return Event(0, "feed", op, position, None, None, batch, {"offset": offset}, {}, partial)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([("upsert", "2", "b0"), ("upsert", "1", "b1")],
         [("applied", "it was the newest"), ("stale", "below the row's position, which event 1 set")]),
        ([("upsert", "1", "b0"), ("upsert", "1", "b1")],
         [("applied", "it was the newest"), ("stale", "a repeat of event 1")]),
        ([("upsert", "1", "b0"), ("upsert", "2", "b0")],
         [("stale", "event 2 of the same batch is newer"), ("applied", "it was the newest")]),
        ([("upsert", "1", "b0"), ("delete", "2", "b0")],
         [("stale", "event 2 of the same batch is newer"), ("applied", "the row was deleted")]),
        ([("delete", "5", "b0"), ("upsert", "4", "b1"), ("upsert", "6", "b2")],
         [("applied", "the row was deleted"), ("stale", "below the delete of event 1"),
          ("applied", "it was the newest")]),
        ([("upsert", "5", "b0"), ("delete", "4", "b1"), ("upsert", "3", "b2")],
         [("applied", "it was the newest"),
          ("remembered", "the row is newer (event 1); kept as a floor under older events"),
          ("stale", "below the delete of event 2")]),
        ([("truncate", "5", "b0"), ("upsert", "4", "b1")],
         [("applied", "the table was emptied"), ("stale", "below the truncate of event 1")]),
    ],
)  # fmt: skip
def test_events_are_judged_in_the_order_they_arrived(events, expected):
    judged = judge([event(*one) for one in events], None, {})
    assert [(one.outcome, one.why) for one in judged] == expected
    assert [one.number for one in judged] == list(range(1, len(events) + 1))


def test_the_event_that_made_the_row_is_named():
    judged = judge([event("upsert", "1"), event("upsert", "2", "b1")], "2", {})
    assert judged[1].why == "this is the row now"


def test_a_refused_event_says_why_until_a_replay_applied_it():
    refusals = {("feed", None, None, 7, None): "null key: expected a key"}
    one = event("upsert", "3", offset=7)
    assert [(e.outcome, e.why) for e in judge([one], None, refusals)] == [("refused", "null key: expected a key")]
    assert [(e.outcome, e.why) for e in judge([one], "3", refusals, {"3"})] == [
        ("applied", "this is the row now, after a replay")
    ]


def test_a_refused_event_is_no_floor_and_no_row_for_the_others():
    refusals = {("feed", None, None, 7, None): "bad"}
    judged = judge([event("upsert", "9", offset=7), event("upsert", "1", "b1")], None, refusals)
    assert judged[1].outcome == "applied"


def test_an_older_event_may_still_give_columns_to_a_partial_newer_one():
    judged = judge([event("upsert", "2", partial=True), event("upsert", "1", "b1")], "2", {})
    assert (
        judged[1].why
        == "below the row's position, which event 1 set, but columns no newer event sent are taken from it"
    )


events = st.lists(
    st.tuples(st.sampled_from(["upsert", "upsert", "delete", "truncate"]), st.integers(1, 9), st.booleans()), max_size=9
)


@given(events)
def test_the_story_ends_with_the_row_that_the_positions_alone_decide(drawn):
    """Whatever the order of arrival: the newest upsert lives if no delete or truncate lies above it."""
    batch, arrived = 0, []
    for op, place, new_batch in drawn:
        batch += new_batch
        rank = {"truncate": 2, "delete": 3, "upsert": 4}[op]
        arrived.append(event(op, f"{place}-{rank}", f"b{batch}"))
    newest = max((one.position for one in arrived if one.op == "upsert"), default="")
    floor = max((one.position for one in arrived if one.op != "upsert"), default="")
    living = newest if newest > floor else None
    judged = judge(arrived, living, {})
    named = [one.position for one in judged if one.why == "this is the row now"]
    assert named == ([living] if living else [])
    for one in judged:
        if one.op == "upsert" and one.outcome == "applied":
            earlier = [other.position for other in judged if other.number < one.number]
            assert one.position > max(earlier, default="")
