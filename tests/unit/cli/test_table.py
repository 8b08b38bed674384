"""`headrace table`, and what all verbs do with names of tables, without Spark."""

import json

import pytest

from headrace.cli import main
from unit.cli.small_world import everything, lines, user


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


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("seats", "expected a table that is in the lake (users); found seats, which has no rows in the lake yet. "
         "Run `headrace run apply_changes --once` first"),
        ("user", "expected one of the tables (users, seats); found unknown table user. Did you mean users?"),
        ("hotels", "expected one of the tables (users, seats); found unknown table hotels. Add it under tables"),
    ],
)  # fmt: skip
def test_a_table_that_is_not_in_the_lake_says_whether_the_settings_know_it(small, capsys, name, message):
    small.users((1, "Ada", "p1"))
    assert main(["table", name, "--config", small.settings]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["table"], ["trace"], ["replay"]])
@pytest.mark.parametrize("name", ["../batches", "../tables/users", "users/", ".", "", "a b", "users\n"])
def test_a_name_that_is_no_plain_name_is_refused_and_nothing_is_made(small, capsys, verb, name):
    small.users((1, "Ada", "p1"))
    small.write("batches", [{"source": "feed", "batch": 0}])
    before = everything(small)
    arguments = {"table": [name], "trace": [name, "1"], "replay": ["--table", name]}[verb[0]]
    assert main([*verb, *arguments, "--config", small.settings]) == 2
    err = capsys.readouterr().err
    expected = "one of the tables (users, seats)" if verb == ["replay"] else "a plain name"
    assert f"expected {expected}" in err
    assert everything(small) == before


def test_a_reader_of_a_table_that_is_not_there_makes_nothing(small):
    before = everything(small)
    for arguments in (["table", "users"], ["trace", "users", "1"], ["status"], ["replay"]):
        main([*arguments, "--config", small.settings])
    assert everything(small) == before


def test_a_table_only_the_lake_knows_can_be_read_and_not_traced(small, capsys):
    small.users((1, "Ada", "p1"))
    (small.folder / "lake" / "tables" / "users").rename(small.folder / "lake" / "tables" / "old")
    assert main(["table", "old", "--config", small.settings]) == 0
    assert main(["trace", "old", "1", "--config", small.settings]) == 2
    assert "found old, which is in the lake and no longer in the settings" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["-1", "1.5", "many", "-0"])
def test_a_limit_is_a_whole_number_and_0_means_all(small, capsys, limit):
    small.users(*[(number, "Ada", "p") for number in range(25)])
    assert main(["table", "users", "--limit", limit, "--config", small.settings]) == 2
    assert f"--limit: expected 0 (all rows) or a larger whole number; found {limit}" in capsys.readouterr().err
    assert main(["table", "users", "--limit", "0", "--json", "--config", small.settings]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 25


def test_a_table_written_by_a_newer_headrace_is_refused(small, capsys):
    small.users((1, "a", "p"))
    small.made_by_format("tables/users", "99")
    assert main(["table", "users", "--config", small.settings]) == 1
    assert "expected headrace.format up to 1; found 99" in capsys.readouterr().err
