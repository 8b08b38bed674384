"""What became of each event; rows: (op, position, batch) -> (outcome, why)."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipelines.events import Batch, Event, Silent
from headrace.pipelines.verdicts import Known, judge


def event(
    op: str,
    position: str,
    batch: str = "b0",
    offset: int = 0,
    sent: tuple[str, ...] | None = None,
    values: dict[str, str | None] | None = None,
    dump: bool = False,
) -> Event:
    origin = {"offset": offset}
    return Event(0, "feed", op, position, None, None, batch, origin, values or {}, sent is not None, sent, dump)


def batches(events: list[Event]) -> list[Batch]:
    return [Batch(list(part)) for _, part in groupby(events, key=lambda one: one.batch)]


def judged_of(events: list[Event], known: Known | None = None) -> list[Event]:
    return judge(batches(events), known or Known())[0]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([("upsert", "2", "b0"), ("upsert", "1", "b1")],
         [("applied", "it was the newest"), ("stale", "below the row's position, which event 1 set")]),
        ([("upsert", "1", "b0"), ("upsert", "1", "b1")],
         [("applied", "it was the newest"), ("stale", "a repeat of event 1")]),
        ([("upsert", "1", "b0"), ("upsert", "2", "b0")],
         [("stale", "event 2 of the same batch is newer"), ("applied", "it was the newest")]),
        ([("upsert", "2", "b0"), ("upsert", "1", "b0")],
         [("applied", "it was the newest"), ("stale", "event 1 of the same batch is newer")]),
        ([("upsert", "1", "b0"), ("upsert", "2", "b1"), ("delete", "3", "b1")],
         [("applied", "it was the newest"), ("stale", "event 3 of the same batch is newer"),
          ("applied", "the row was deleted")]),
        ([("upsert", "1", "b0"), ("delete", "2", "b0")],
         [("stale", "event 2 of the same batch is newer"),
          ("stale", "no row lived under this key; kept as a floor")]),
        ([("upsert", "1", "b0"), ("delete", "2", "b1"), ("upsert", "3", "b1")],
         [("applied", "it was the newest"), ("stale", "event 3 of the same batch is newer"),
          ("applied", "it was the newest")]),
        ([("delete", "5", "b0"), ("upsert", "4", "b1"), ("upsert", "6", "b2")],
         [("stale", "no row lived under this key; kept as a floor"),
          ("stale", "below the delete of event 1"), ("applied", "it was the newest")]),
        ([("upsert", "5", "b0"), ("delete", "4", "b1"), ("upsert", "3", "b2")],
         [("applied", "it was the newest"), ("stale", "the row is newer (event 1); kept as a floor"),
          ("stale", "below the delete of event 2")]),
        ([("upsert", "5", "b0"), ("delete", "6", "b1"), ("delete", "8", "b2"), ("delete", "7", "b3")],
         [("applied", "it was the newest"), ("applied", "the row was deleted"),
          ("stale", "no row lived under this key; kept as a floor"),
          ("stale", "below the delete of event 3")]),
        ([("upsert", "3", "b0"), ("truncate", "5", "b1"), ("upsert", "4", "b2")],
         [("applied", "it was the newest"), ("applied", "the table was emptied"),
          ("stale", "below the truncate of event 2")]),
        ([("upsert", "3", "b0"), ("truncate", "5", "b1"), ("upsert", "6", "b1")],
         [("applied", "it was the newest"), ("stale", "event 3 of the same batch is newer"),
          ("applied", "it was the newest")]),
        ([("truncate", "5", "b0")], [("stale", "no row lived under this key; kept as a floor")]),
    ],
)  # fmt: skip
def test_events_are_judged_batch_by_batch_as_the_job_applies_them(events, expected):
    judged = judged_of([event(*one) for one in events])
    assert [(one.outcome, one.why) for one in judged] == expected
    assert [one.number for one in judged] == list(range(1, len(events) + 1))


def test_the_event_that_made_the_row_is_named():
    judged = judged_of([event("upsert", "1"), event("upsert", "2", "b1")], Known("2"))
    assert judged[1].why == "this is the row now"


def test_a_refused_event_says_why_until_a_replay_applied_it():
    refusals = {("feed", None, None, 7, None): "null key: expected a key"}
    one = event("upsert", "3", offset=7)
    refused = judged_of([one], Known(refusals=refusals))
    assert [(e.outcome, e.why) for e in refused] == [("refused", "null key: expected a key")]
    replayed = judged_of([one], Known("3", refusals, {"3"}))
    assert [(e.outcome, e.why) for e in replayed] == [("applied", "this is the row now, after a replay")]


def test_a_refused_event_is_no_floor_and_no_row_for_the_others():
    refusals = {("feed", None, None, 7, None): "bad"}
    judged = judged_of([event("upsert", "9", offset=7), event("upsert", "1", "b1")], Known(refusals=refusals))
    assert judged[1].outcome == "applied"


def test_an_older_event_that_gives_columns_to_a_partial_newer_one_changed_the_row():
    newer = event("upsert", "2", sent=("id",), values={"id": "1"})
    older = event("upsert", "1", "b1", values={"id": "1", "name": "Ada"})
    below = "below the row's position, which event 1 set, but columns no newer event sent are taken from it"
    assert [(one.outcome, one.why) for one in judged_of([newer, older], Known("2"))] == [
        ("applied", "this is the row now"), ("applied", below),
    ]  # fmt: skip
    together = judged_of([newer, event("upsert", "1", values={"id": "1", "name": "Ada"})])
    assert (together[1].outcome, together[1].why) == (
        "stale", "event 1 of the same batch is newer, but columns no newer event sent are taken from it",
    )  # fmt: skip


def test_a_delete_below_a_partial_row_takes_the_values_older_than_itself():
    full = event("upsert", "1", values={"name": "Ada"})
    part = event("upsert", "5", "b1", sent=("id",), values={"id": "1"})
    deletes = [event("delete", "3", "b2"), event("delete", "2", "b3")]
    judged = judged_of([full, part, *deletes])
    assert [(one.outcome, one.why) for one in judged[2:]] == [
        ("applied", "values older than the delete were taken out of the row"),
        ("stale", "below the delete of event 3"),
    ]


def test_an_upsert_that_broke_where_is_judged_as_the_delete_it_became():
    judged = judged_of([event("upsert", "1"), event("upsert", "2", "b1")], Known(deleting={"2"}))
    assert (judged[1].outcome, judged[1].why) == ("applied", "the row no longer fits `where`: deleted")


def test_a_dump_row_like_the_stored_one_is_stale_as_the_job_counts_it():
    rows = [event("upsert", at, batch, values={"at": at, "n": n}, dump=True) for at, batch, n in
            (("1", "b0", "a"), ("2", "b1", "a"), ("3", "b2", "b"))]  # fmt: skip
    assert [one.outcome for one in judged_of(rows, Known(dropped=["at"]))] == ["applied", "stale", "applied"]
    assert [one.outcome for one in judged_of(rows)] == ["applied"] * 3


def test_what_a_dump_deleted_without_an_event_is_known():
    parts = [
        Batch([event("upsert", "1")]),
        Batch([], [Silent("delete", "3"), Silent("dump", "2")]),
        Batch([event("upsert", "2", "b2")]),
        Batch([event("delete", "4", "b3")]),
    ]
    judged, leads_to = judge(parts, Known())
    assert [(one.outcome, one.why) for one in judged[1:]] == [
        ("stale", "below a delete that changes_log does not hold"),
        ("stale", "no row lived under this key; kept as a floor"),
    ]
    assert leads_to == ""


def test_where_the_log_does_not_reach_back_a_first_delete_is_told_with_its_doubt():
    one = judged_of([event("delete", "4"), event("delete", "5", "b1")], Known(complete=False))
    assert [(e.outcome, e.why) for e in one] == [
        ("applied", "the row was deleted, if one lived: changes_log does not reach back so far"),
        ("stale", "no row lived under this key; kept as a floor"),
    ]


def test_a_row_older_than_the_log_is_known_by_its_position():
    judged = judged_of([event("delete", "4"), event("upsert", "5", "b1")], Known("9", complete=False))
    assert [one.outcome for one in judged] == ["stale", "stale"]
    assert judged[1].why == "below the row's position, which an event that changes_log does not hold set"


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
    judged, leads_to = judge(batches(arrived), Known(living))
    assert leads_to == (living or "")
    named = [one.position for one in judged if one.why == "this is the row now"]
    assert named == ([living] if living else [])
    for one in judged:
        if one.op == "upsert" and one.outcome == "applied":
            earlier = [other.position for other in judged if other.batch < one.batch]
            assert one.position > max(earlier, default="")


@given(events)
def test_at_most_one_event_of_a_batch_is_applied_and_a_truncate_beside_it(drawn):
    batch, arrived = 0, []
    for op, place, new_batch in drawn:
        batch += new_batch
        arrived.append(event(op, f"{place}-{({'truncate': 2, 'delete': 3, 'upsert': 4})[op]}", f"b{batch}"))
    for part in batches(judged_of(arrived)):
        applied = [one.op for one in part.events if one.outcome == "applied"]
        assert len([op for op in applied if op != "truncate"]) <= 1
        assert len([op for op in applied if op == "truncate"]) <= 1
