"""`headrace rejects` on a small lake, without Spark."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.commands import rejects
from headrace.errors import ConfigError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFUSED = {
    "source": "feed",
    "source_table": "users",
    "table": "users",
    "reason": "null key",
    "detail": "expected a key",
}


def run(small, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    rejects.arguments(parser)
    return rejects.run(parser.parse_args([*arguments, "--config", small.settings]))


def rows(small, capsys, *arguments: str) -> list[dict[str, Any]]:
    assert run(small, *arguments, "--json") == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def refused(small):
    """Four refused rows, an hour apart: two of users, one of seats, one of a table nobody named."""
    seats = {**REFUSED, "source_table": "public.seats", "table": None, "reason": "unknown table"}
    ghost = {**seats, "source_table": "public.ghosts"}
    for hour, row in enumerate([REFUSED, {**REFUSED, "reason": "oversize row", "key": '["7"]'}, seats, ghost]):
        origin = {"stream": "in/a.jsonl", "partition": 0, "offset": hour, "part": 0}
        at = {"arrived_at": NOON - timedelta(days=1), "rejected_at": NOON + timedelta(hours=hour)}
        message = json.dumps({"n": hour}).encode()
        small.write("rejects/apply_changes", [{**row, **at, "origin": origin, "message": message, "batch": "feed/0"}])
    return small


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [row["origin"]["offset"] for row in found]


def test_json_is_one_whole_row_a_line_newest_first(refused, capsys):
    found = rows(refused, capsys)
    assert numbers(found) == [3, 2, 1, 0]
    assert found[2] == {
        "rejected_at": "2026-03-01T13:00:00+00:00", "source": "feed", "source_table": "users", "table": "users",
        "key": '["7"]', "reason": "oversize row", "detail": "expected a key", "message": '{"n": 1}',
        "message_as": "text", "origin": {"stream": "in/a.jsonl", "partition": 0, "offset": 1, "part": 0},
        "position": None, "arrived_at": "2026-02-28T12:00:00+00:00", "batch": "feed/0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--reason", "null key"], [0]),
        (["--table", "users"], [1, 0]),
        # Not in the settings when it was refused; a replay of the table takes it in as well.
        (["--table", "seats"], [2]),
        (["--since", "2026-03-01T14:00"], [3, 2]),
        (["--since", "2026-03-01T15:00:00+01:00", "--reason", "unknown table"], [3, 2]),
        (["--since", "36500 days"], [3, 2, 1, 0]),
        (["--limit", "2"], [3, 2]),
        (["--limit", "0"], [3, 2, 1, 0]),
        (["--job", "index_knowledge"], []),
        (["--reason", "o' clock"], []),
    ],
)
def test_the_options_choose_rows(refused, capsys, arguments, expected):
    assert numbers(rows(refused, capsys, *arguments)) == expected


def test_for_people_it_is_a_table_with_the_message_cut_and_a_count(refused, capsys):
    long = {**REFUSED, "message": b"x" * 500, "rejected_at": NOON + timedelta(days=1)}
    refused.write("rejects/apply_changes", [long])
    assert run(refused, "--limit", "3") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split("  ")[0] == "rejected at"
    assert "x" * 77 + "..." in out[2] and "x" * 78 not in out[2]
    assert " ".join(out[3].split()) == (
        '2026-03-01 15:00:00 feed (public.ghosts) - unknown table expected a key {"n": 3} a.jsonl 0:3:0'
    )
    assert out[-1] == "3 of 5 refused rows; --json shows them whole"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Lövedale\n".encode(), ("Lövedale\n", "text")),
        (b"\xff\x00", ("ff00", "hex")),
        (None, (None, "text")),
        (b"", ("", "text")),
    ],
)
def test_a_message_is_text_or_else_hexadecimal(small, capsys, message, said):
    small.write("rejects/apply_changes", [{**REFUSED, "message": message, "rejected_at": NOON}])
    (row,) = rows(small, capsys)
    assert (row["message"], row["message_as"]) == said
    assert run(small) == 0
    assert "\x00" not in capsys.readouterr().out


def test_a_lake_without_refused_rows_says_so_and_is_left_as_it_is(small, capsys):
    assert run(small) == 0
    assert run(small, "--reason", "null key") == 0
    assert capsys.readouterr().out == "No refused rows.\nNo refused row matches.\n"
    assert rows(small, capsys) == []
    assert not (small.folder / "lake").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "user"], "--table: expected one of the tables .*unknown table user. Did you mean users"),
        (["--since", "soon"], "--since: expected a time such as"),
        (["--since", "99999999999 weeks"], "--since: expected a time such as"),
        (
            ["--job", "../batches"],
            "--job: expected one of apply_changes, build_profiles, index_knowledge, track_feedback, curate_dataset",
        ),
        (["--job", "nope"], "index_knowledge, track_feedback, curate_dataset; found unknown job nope"),
    ],
)
def test_what_makes_no_sense_is_refused(small, arguments, message):
    with pytest.raises(ConfigError, match=message):
        run(small, *arguments)


def test_a_reason_that_no_row_has_is_told_with_those_there_are(refused, capsys):
    assert run(refused, "--reason", "foo") == 0
    assert run(refused, "--reason", "null key", "--table", "seats") == 0
    assert capsys.readouterr().out == (
        "No refused row matches.\nThere are rows refused for: null key, oversize row, unknown table.\n"
        "No refused row matches.\n"
    )


def test_a_negative_limit_is_a_wrong_command_line(small, capsys):
    with pytest.raises(SystemExit):
        run(small, "--limit", "-1")
    assert "expected 0 (all rows) or a larger whole number; found -1" in capsys.readouterr().err
