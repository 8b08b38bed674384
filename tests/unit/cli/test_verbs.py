"""replay and status on a small lake, without Spark."""

import json
from datetime import timedelta

import pytest

from headrace.cli import main
from unit.cli.small_world import START, everything, lines, user


def test_replay_writes_a_request_and_says_what_happens_next(small, capsys):
    refused = {"source": "feed", "table": "users", "reason": "null key"}
    small.write("rejects/apply_changes", [refused, {**refused, "reason": "not JSON"}])
    assert main(["replay", "--reason", "null key", "--table", "users", "--config", small.settings]) == 0
    out = capsys.readouterr().out
    assert "Replay of rejects (reason 'null key', table users): 1 message matches." in out
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
        (["--table", "nope"], "--table: expected one of the tables (users, seats); found unknown table nope."),
        (["--table", "seat"], "Did you mean seats?"),
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


@pytest.mark.parametrize("arguments", [[], ["--wait"], ["--reason", "not JSON"], ["--from", "log"]])
def test_a_replay_that_matches_nothing_writes_nothing(small, capsys, arguments):
    small.write(
        "rejects/apply_changes", [{"source": "feed", "table": "users", "reason": "null key"}] * bool(arguments[1:])
    )
    before = everything(small)
    assert main(["replay", *arguments, "--table", "seats", "--config", small.settings]) == 0
    out = capsys.readouterr().out
    assert ": 0 messages match.\nNothing was asked for. `headrace status` lists" in out
    assert main(["replay", *arguments, "--table", "seats", "--json", "--config", small.settings]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["request"], body["messages"], body["outcome"]) == (None, 0, None)
    assert everything(small) == before


def test_a_replay_of_a_reason_no_row_has_names_those_there_are(small, capsys):
    small.write("rejects/apply_changes", [{"source": "feed", "table": "users", "reason": "null key"}])
    assert main(["replay", "--reason", "x", "--config", small.settings]) == 0
    assert capsys.readouterr().out.endswith("refused rows.\nThere are rows refused for: null key.\n")


def test_rebuild_of_a_table_points_to_replay(small, capsys):
    assert main(["rebuild", "users", "--config", small.settings]) == 2
    assert "found tables alone. Rows of tables are applied again with `headrace replay`" in capsys.readouterr().err


def test_status_names_a_folder_that_is_missing(small, capsys):
    (small.folder / "in").rmdir()
    assert main(["status", "--config", small.settings]) == 0
    assert f"feed: lag unknown: no folder {small.folder}/in\n" in capsys.readouterr().out


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


def test_status_tells_which_learned_columns_the_table_leaves_out(small, capsys):
    small.learned("users", userId="bigint", op="string", name="string")
    assert main(["status", "--json", "--config", small.settings]) == 0
    columns = json.loads(capsys.readouterr().out)["tables"]["users"]["schema"]
    assert {column["name"]: column["dropped"] for column in columns} == {"userId": False, "op": True, "name": False}
    assert main(["status", "--schema", "--config", small.settings]) == 0
    text = lines(capsys.readouterr().out)
    assert "users userId bigint, name string" in text
    assert "op (dropped) string learned" in text


def test_status_of_an_empty_deployment_answers_too(small, capsys):
    assert main(["status", "--config", small.settings]) == 0
    assert "users feed - - 0 0 0 0 0 - -" in lines(capsys.readouterr().out)
    assert not (small.folder / "lake").exists()
