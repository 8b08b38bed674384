"""table, trace, replay and status on a small lake, without Spark."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from headrace.cli import main

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def user(op: str, seq: int, **values: object) -> dict[str, object]:
    return {"table": "users", "op": op, "seq": seq, **values}


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def story(small, capsys, *arguments: str) -> dict:
    assert main(["trace", *arguments, "--json", "--config", small.settings]) == 0
    return json.loads(capsys.readouterr().out)


def test_table_prints_the_rows_aligned_and_counts_them(small, capsys):
    (at,) = small.arrive(user("INSERT", 7, userId=1, name="Ada"))
    small.users((1, "Ada", at), (22, "Grace Hopper", at))
    assert main(["table", "users", "--limit", "2", "--config", small.settings]) == 0
    out = capsys.readouterr().out
    assert lines(out)[0] == "userId name _position _changed_at"
    assert out.splitlines()[2].startswith("     1  Ada           7 upsert ")
    assert lines(out)[-1] == "2 of 2 rows"


def test_table_json_is_one_object_a_row_with_the_raw_position(small, capsys):
    small.users((1, "Ada", "p1"))
    assert main(["table", "users", "--json", "--config", small.settings]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    expected = {"userId": 1, "name": "Ada", "_position": "p1", "_changed_at": "2026-03-01T08:00:00+00:00"}
    assert json.loads(line) == expected


def test_table_where_filters_and_a_wrong_column_lists_the_right_ones(small, capsys):
    small.users((1, "Ada", "p1"), (2, "Bo", "p2"))
    assert main(["table", "users", "--json", "--where", "userId > 1", "--config", small.settings]) == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == ["Bo"]
    assert main(["table", "users", "--where", "userid > 1", "--config", small.settings]) == 2
    assert "one of the columns userId, name, _position, _changed_at; found userid" in capsys.readouterr().err


def test_a_table_that_is_not_there_names_those_that_are(small, capsys):
    small.users((1, "Ada", "p1"))
    assert main(["table", "seats", "--config", small.settings]) == 2
    assert "expected one of the tables in the lake (users); found seats" in capsys.readouterr().err


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
        ("upsert", "stale", "below the row's position, which event 2 set"),
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


def test_trace_of_an_unknown_key_says_that_nothing_arrived(small, capsys):
    small.arrive(user("INSERT", 1, userId=1, name="a"))
    small.users((1, "a", "p"))
    told = story(small, capsys, "users", "99")
    assert (told["row"], told["events"]) == (None, [])
    assert told["notes"] == [
        "Nothing ever arrived for this key, as far as the log reaches. Is it written as the source writes it?"
    ]


def test_replay_writes_a_request_and_says_what_happens_next(small, capsys):
    refused = {"source": "feed", "table": "users", "reason": "null key"}
    small.write("rejects/apply_changes", [refused, {**refused, "reason": "not JSON"}])
    assert main(["replay", "--reason", "null key", "--table", "users", "--config", small.settings]) == 0
    out = capsys.readouterr().out
    assert "Replay of rejects (reason 'null key', table users): 1 messages match." in out
    assert "headrace run apply_changes --once" in out
    (file,) = (small.folder / "lake" / "requests").glob("*.json")
    body = json.loads(file.read_text())
    assert file.name.endswith(".json") and "-replay-" in file.name
    assert {name: value for name, value in body.items() if name != "requested_at"} == {
        "kind": "replay", "job": "apply_changes", "from": "rejects", "reason": "null key", "table": "users",
        "since": None, "until": None,
    }  # fmt: skip


def test_replay_of_the_log_counts_the_messages_of_that_time(small, capsys):
    small.arrive(*[user("INSERT", seq, userId=seq, name="a") for seq in range(5)])  # one a second from 08:00:00
    times = ["--since", "2026-03-01T08:00:01", "--until", "2026-03-01T10:00:03+02:00"]
    assert main(["replay", "--from", "log", *times, "--json", "--config", small.settings]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["messages"], body["since"], body["outcome"]) == (2, "2026-03-01T08:00:01+00:00", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "nope"], "--table: expected one of users, seats; found nope"),
        (["--from", "log", "--reason", "null key"], "--reason: expected --from rejects with it; found --from log"),
        (["--since", "soon"], "--since: expected a time such as 2026-01-31T08:00, or an age such as 2h; found soon"),
        (["--since", "1h", "--until", "2h"], "--since: expected a time before --until; found "),
        (["--wait", "--timeout", "long"], "--timeout: expected a duration; found long"),
    ],
)
def test_a_replay_that_makes_no_sense_is_refused_before_anything_is_written(small, capsys, arguments, message):
    assert main(["replay", *arguments, "--config", small.settings]) == 2
    assert message in capsys.readouterr().err
    assert not (small.folder / "lake" / "requests").exists()


def test_replay_wait_ends_with_1_when_nobody_carries_it_out(small, capsys):
    small.write("rejects/apply_changes", [{"source": "feed", "reason": "null key"}])
    assert main(["replay", "--wait", "--timeout", "0.1s", "--config", small.settings]) == 1
    assert "Still open after 0.1s." in capsys.readouterr().out


def test_status_counts_rows_lag_rejects_and_durations(small, capsys):
    (at,) = small.arrive(user("INSERT", 1, userId=1, name="a"))
    small.users((1, "a", at), (2, "b", at))
    small.learned("users", userId="bigint", name="string")
    small.write("tombstones/users", [{"key": '["7"]', "position": "p"}, {"key": '["7"]', "position": "q"}])
    refused = {"source": "feed", "table": "users", "reason": "null key", "detail": "expected a key"}
    small.write("rejects/apply_changes", [refused, refused, {"source": "feed", "reason": "not JSON"}])
    counts = {"sent": 5, "applied": 2, "stale": 1, "rejected": 2, "ignored": 0}
    record = {
        "source": "feed",
        "batch": 0,
        "table": "users",
        "seconds": 1.5,
        "started_at": START - timedelta(hours=1),
        **counts,
    }
    replay = {**record, "batch": None, "started_at": START + timedelta(days=1), "sent": 0, "applied": 0, "stale": 0}
    second = {**record, "batch": 1, "seconds": 2.5, "started_at": START}
    small.write("batches", [record, second, {**record, "table": "", "ignored": 3}, {**replay, "rejected": 0}])
    (small.folder / "in" / "new.jsonl").write_text("{}\n")
    (small.folder / "in" / "_hidden").write_text("")
    assert main(["status", "--json", "--config", small.settings]) == 0
    found = json.loads(capsys.readouterr().out)
    users = found["tables"]["users"]
    assert {name: users[name] for name in ("rows", "tombstones", "sent", "applied", "stale", "rejected")} == {
        "rows": 2, "tombstones": 1, "sent": 10, "applied": 4, "stale": 2, "rejected": 4,
    }  # fmt: skip
    assert [(column["name"], column["type"]) for column in users["schema"]] == [
        ("userId", "bigint"),
        ("name", "string"),
    ]
    assert found["tables"]["seats"]["rows"] is None
    assert found["sources"]["feed"]["lag"] == {"behind": 1, "unit": "files", "why": ""}
    assert found["sources"]["feed"]["last_batch"] == 1
    assert sorted(found["sources"]["feed"]["seconds"]) == [1.5, 1.5, 2.5]
    assert found["no_table"]["ignored"] == 3
    assert [(r["table"], r["reason"], r["count"]) for r in found["rejects"]] == [
        ("users", "null key", 2), (None, "not JSON", 1),
    ]  # fmt: skip


def test_status_for_people_says_it_all_in_aligned_tables(small, capsys):
    small.users((1, "a", "p"))
    small.learned("users", userId="bigint", name="string")
    assert main(["status", "--config", small.settings]) == 0
    text = lines(capsys.readouterr().out)
    assert "feed 0 files - - -" in text
    assert "users feed 1 0 0 0 0 0 0 - -" in text
    assert "No refused rows." in text
    assert "users userId bigint, name string" in text
    assert main(["status", "--schema", "--config", small.settings]) == 0
    assert "userId userId bigint learned" in lines(capsys.readouterr().out)


def test_status_of_an_empty_deployment_answers_too(small, capsys):
    assert main(["status", "--config", small.settings]) == 0
    assert "users feed - - 0 0 0 0 0 - -" in lines(capsys.readouterr().out)
    assert not (small.folder / "lake").exists()


def test_a_table_written_by_a_newer_headrace_is_refused(small, capsys):
    small.users((1, "a", "p"))
    small.made_by_format("tables/users", "99")
    assert main(["table", "users", "--config", small.settings]) == 1
    assert "expected headrace.format up to 1; found 99" in capsys.readouterr().err
