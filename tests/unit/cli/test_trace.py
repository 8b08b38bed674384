"""`headrace trace` on a small lake, without Spark."""

import json
from datetime import timedelta

import pytest

from headrace.cli import main
from unit.cli.small_world import START, lines, user


def story(small, capsys, *arguments: str) -> dict:
    assert main(["trace", *arguments, "--json", "--config", small.settings]) == 0
    return json.loads(capsys.readouterr().out)


def test_trace_tells_what_each_event_did_and_why(small, capsys):
    at = small.arrive(
        user("INSERT", 1, userId=1, name="a"),
        user("UPDATE", 3, userId=1, name="b"),
        user("UPDATE", 2, userId=1, name="x"),
        user("UPDATE", 3, userId=1, name="b"),
        batch="feed/0",
    )
    at += small.arrive(user("DELETE", 5, userId=1), batch="feed/1")
    at += small.arrive(user("UPDATE", 4, userId=1, name="late"), user("TRUNCATE", 3), batch="feed/2")
    at += small.arrive(
        user("INSERT", 8, userId=1, name="again"), user("INSERT", 9, userId=2, name="other"), batch="feed/3"
    )
    small.arrive({"table": "seats", "op": "TRUNCATE", "seq": 99}, batch="feed/3")
    small.learned("users", userId="bigint", name="string")
    small.users((1, "again", at[7]), (2, "other", at[8]))
    told = story(small, capsys, "users", "1")
    assert told["row"]["name"] == "again"
    assert [(event["op"], event["outcome"], event["why"]) for event in told["events"]] == [
        ("upsert", "stale", "event 2 of the same batch is newer"),
        ("upsert", "applied", "it was the newest"),
        ("upsert", "stale", "event 2 of the same batch is newer"),
        ("upsert", "stale", "a repeat of event 2"),
        ("delete", "applied", "the row was deleted"),
        ("upsert", "stale", "below the delete of event 5"),
        ("truncate", "stale", "below the delete of event 5"),
        ("upsert", "applied", "this is the row now"),
    ]
    assert [event["values"].get("name") for event in told["events"]] == [
        "a",
        "b",
        "x",
        "b",
        None,
        "late",
        None,
        "again",
    ]
    assert told["notes"] == []


def test_trace_shows_tombstones_truncates_history_and_refusals_of_this_key_only(small, capsys):
    at = small.arrive(user("INSERT", 1, userId=1, name="a"), user("UPDATE", 2, userId=1, name="way too long"))
    small.users((1, "a", at[0]))
    small.learned("users", userId="bigint", name="string")
    moment = "2026-03-01T08:00:00+00:00"
    times = {"deleted_at": None}
    small.write(
        "tombstones/users", [{"key": '["1"]', "position": at[0], **times}, {"key": '["2"]', "position": "p", **times}]
    )
    small.write(
        "truncates", [{"table": "users", "position": "t", "kind": "truncate"}, {"table": "seats", "position": "s"}]
    )
    origin = {"stream": "in/a.jsonl", "partition": 0, "offset": 1, "part": 0}
    refused = {"source": "feed", "table": "users", "reason": "expectation broken", "detail": "expected short names"}
    small.write("rejects/apply_changes", [{**refused, "key": '["1"]', "position": at[1], "origin": origin}])
    small.write("rejects/apply_changes", [{**refused, "key": '["3"]'}])
    told = story(small, capsys, "users", "1")
    assert [stone["key"] for stone in told["tombstones"]] == ['["1"]']
    assert [mark["position"] for mark in told["truncates"]] == ["t"]
    assert [reject["detail"] for reject in told["rejects"]] == ["expected short names"]
    assert told["events"][1]["outcome"] == "refused"
    assert told["events"][1]["why"] == "expectation broken: expected short names"
    assert told["events"][0]["arrived_at"] == moment
    assert main(["trace", "users", "1", "--config", small.settings]) == 0
    text = lines(capsys.readouterr().out)
    assert any(line.startswith("2 ") and "refused: expectation broken: expected short names" in line for line in text)


def test_a_message_taken_in_again_after_a_restart_is_told_once(small, capsys):
    small.arrive(user("INSERT", 1, userId=1, name="a"), batch="feed/0")
    small.offset = 0
    small.arrive(user("INSERT", 1, userId=1, name="a"), batch="feed/1")
    assert [event["why"] for event in story(small, capsys, "users", "1")["events"]] == ["it was the newest"]


def test_trace_finds_a_key_of_several_columns_and_says_what_it_wants(small, capsys):
    small.arrive({"table": "seats", "op": "INSERT", "seq": 1, "flight": "LH 400", "seat": 12})
    small.learned("seats", flight="string", seat="int")
    assert len(story(small, capsys, "seats", '["LH 400", 12]')["events"]) == 1
    assert main(["trace", "seats", "12", "--config", small.settings]) == 2
    assert 'expected a JSON array of 2 values, such as ["a", 1]; found 12' in capsys.readouterr().err


NEVER = "Nothing ever arrived for this key, as far as the log reaches. Looked for: "
ALONE = (
    "A key of users is the value of userId alone, without its name and without quotes, e.g. `headrace trace users 7`."
)


@pytest.mark.parametrize(
    ("key", "forms"),
    [
        ("99", '["99"]'),
        ('{"userId": 7}', '["{\\"userId\\": 7}"]'),
        ("userId=7", '["userId=7"]'),
        ("'7'", "[\"'7'\"]"),
        ('"7"', '["\\"7\\""]'),
        ("[7, 8]", '["[7, 8]"]'),
        ("[]", '["[]"]'),
    ],
)
def test_a_key_nothing_arrived_for_says_how_keys_are_written(small, capsys, key, forms):
    small.arrive(user("INSERT", 1, userId=8, name="a"), user("TRUNCATE", 2))
    small.learned("users", userId="bigint", name="string")
    small.users((7, "a", "p"))
    told = story(small, capsys, "users", key)
    assert (told["row"], [event["op"] for event in told["events"]]) == (None, ["truncate"])
    assert told["notes"] == [f"{NEVER}{forms}.", ALONE]


def test_the_example_of_a_key_comes_from_the_log_where_no_row_lives(small, capsys):
    assert story(small, capsys, "seats", '["LH 400", 12]')["notes"] == [
        "There is no changes_log yet: nothing has been taken in."
    ]
    small.arrive({"table": "seats", "op": "INSERT", "seq": 1, "flight": "LH 400", "seat": 12})
    small.learned("seats", flight="string", seat="int")
    how = (
        "A key of seats is a JSON array of the values of flight, seat, in this order, "
        'e.g. `headrace trace seats \'["LH 400", "12"]\'`.'
    )
    assert story(small, capsys, "seats", '["LH 400", 13]')["notes"] == [f'{NEVER}["LH 400","13"].', how]
    for key in ("12", "[12]", '{"flight": "LH 400"}'):
        assert main(["trace", "seats", key, "--config", small.settings]) == 2
        assert f'expected a JSON array of 2 values, such as ["a", 1]; found {key}. {how}' in capsys.readouterr().err
    assert len(story(small, capsys, "seats", '["LH 400", "12"]')["events"]) == 1


def test_a_key_known_by_a_tombstone_or_a_reject_alone_is_not_told_as_never_seen(small, capsys):
    small.users((7, "a", "p"))
    small.arrive(user("INSERT", 1, userId=7, name="a"))
    small.write("tombstones/users", [{"key": '["1"]', "position": "p"}])
    small.write("rejects/apply_changes", [{"source": "feed", "table": "users", "reason": "bad", "key": '["2"]'}])
    for key in ("1", "2"):
        assert not any(note.startswith("Nothing ever") for note in story(small, capsys, "users", key)["notes"])


def test_a_row_the_events_do_not_lead_to_is_told_with_what_may_have_happened(small, capsys):
    (at, _) = small.arrive(user("INSERT", 1, userId=7, name="a"), user("DELETE", 2, userId=7), batch="feed/0")
    small.users((7, "a", at))
    (note,) = story(small, capsys, "users", "7")["notes"]
    assert note.startswith("The events do not lead to what the lake holds.")


def test_batches_are_told_in_the_order_they_were_applied_whatever_the_age_of_their_files(small, capsys):
    old = small.arrive(user("UPDATE", 2, userId=7, name="b"), batch="feed/1")
    new = small.arrive(user("INSERT", 1, userId=7, name="a"), batch="feed/0")
    for number in (0, 1):
        at = START + timedelta(hours=number + 1)
        record = {"source": "feed", "table": "users", "sent": 1, "batch": number, "started_at": at, "finished_at": at}
        small.write("batches", [record])
    small.users((7, "b", old[0]))
    events = story(small, capsys, "users", "7")["events"]
    assert [(event["position"], event["outcome"]) for event in events] == [(new[0], "applied"), (old[0], "applied")]


def test_where_the_log_does_not_hold_all_that_came_a_delete_is_told_with_its_doubt(small, capsys):
    small.arrive(user("DELETE", 2, userId=7), batch="feed/1")
    record = {"source": "feed", "table": "users", "batch": 1, "started_at": START, "finished_at": START, "sent": 1}
    small.write("batches", [record])
    assert story(small, capsys, "users", "7")["events"][0]["outcome"] == "stale"
    small.write("batches", [{**record, "batch": 0, "sent": 3}])
    (event,) = story(small, capsys, "users", "7")["events"]
    assert (event["outcome"], event["why"].partition(":")[0]) == ("applied", "the row was deleted, if one lived")


def test_an_event_that_is_in_rejects_for_a_missing_value_was_applied_all_the_same(small, capsys):
    at = small.arrive(user("INSERT", 1, userId=7, name="a"), batch="feed/0")
    at += small.arrive(user("UPDATE", 2, userId=7, name="b"), batch="feed/1")
    origin = {"stream": "in/a.jsonl", "partition": 0, "offset": 0, "part": 0}
    reject = {"source": "feed", "table": "users", "key": '["7"]', "origin": origin, "position": at[0], "detail": "d"}
    small.write("rejects/apply_changes", [{**reject, "reason": "unresolved value"}])
    small.users((7, "b", at[1]))
    assert [event["outcome"] for event in story(small, capsys, "users", "7")["events"]] == ["applied", "applied"]
