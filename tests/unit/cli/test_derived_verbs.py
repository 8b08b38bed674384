"""`headrace table`, `status`, `trace` and `check` on derived tables; all but `check` without Spark."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from headrace.cli import main
from headrace.config_file import load
from headrace.lake import Lake
from headrace.ordering.position import integer, position
from headrace.pipelines.check import check
from unit.cli.conftest import TIME
from unit.cli.small_world import START, lines

DERIVE = """
derive:
  names:
    key: [name]
    sql: SELECT name, count(*) AS n FROM users GROUP BY name
    reach: {users: SELECT name FROM users JOIN changed USING (userId)}
  trips:
    key: [userId]
    sql: SELECT u.userId, s.seat FROM users u JOIN seats s ON s.flight = u.name
    reach: {seats: SELECT userId FROM users u JOIN changed c ON u.name = c.flight}
  shown:
    key: [userId]
    sql: SELECT userId, seat FROM trips
"""
AT = [position(["n160000001700000000", integer(number)], "upsert", b"") for number in range(4)]
NAMES = pa.schema([("name", pa.string()), ("n", pa.int64()), ("_position", pa.string()), ("_changed_at", TIME)])


@pytest.fixture
def derived(small):
    """Users, and their names: Ada twice, Bo went."""
    file = Path(small.settings)
    file.write_text(file.read_text() + DERIVE)
    small.users((1, "Ada", "p1"), (2, "Ada", "p2"))
    small.write("tables/names", [{"name": "Ada", "n": 2, "_position": AT[2], "_changed_at": START}], NAMES)
    stones = [{"key": '["Bo"]', "position": AT[number], "deleted_at": START} for number in (1, 3)]
    small.write("tombstones/names", stones)
    return small


def run(derived, capsys, *arguments: str) -> str:
    assert main([*arguments, "--config", derived.settings]) == 0
    return capsys.readouterr().out


def traced(derived, capsys, table: str, key: str) -> dict[str, Any]:
    return json.loads(run(derived, capsys, "trace", table, key, "--json"))


def test_table_shows_derived_rows_and_says_what_is_not_made_yet(derived, capsys):
    out = lines(run(derived, capsys, "table", "names"))
    assert out[0] == "name n _position _changed_at" and out[2].startswith("Ada 2 ") and out[-1] == "1 of 1 rows"
    assert main(["table", "trips", "--config", derived.settings]) == 2
    assert "found trips, which has no rows in the lake yet" in capsys.readouterr().err
    assert main(["table", "trip", "--config", derived.settings]) == 2
    assert "(users, seats, names, trips, shown); found unknown table trip. Did you mean trips?" in (
        capsys.readouterr().err
    )


def test_status_counts_derived_rows_and_has_no_source_for_them(derived, capsys):
    tables = json.loads(run(derived, capsys, "status", "--json"))["tables"]
    names = tables["names"]
    assert (names["source"], names["rows"], names["tombstones"], names["sent"]) == ("(derived)", 1, 1, 0)
    assert names["newest_changed_at"] == "2026-03-01T08:00:00+00:00" and names["fresh_seconds"] > 0
    assert (tables["trips"]["source"], tables["trips"]["rows"]) == ("(derived)", None)
    told = [line for line in lines(run(derived, capsys, "status")) if line.startswith("names ")]
    assert told and "(derived)" in told[0]


def test_trace_shows_a_derived_row_its_deletes_and_what_was_refused(derived, capsys):
    origin = {"stream": "in/a.jsonl", "partition": 0, "offset": 1, "part": 0}
    refused = {"table": "names", "reason": "derived key twice", "detail": "the SQL gives 2 rows for this key"}
    derived.write("rejects/apply_changes", [{**refused, "key": '["Ada"]', "origin": origin}])
    ada, bo, none = (traced(derived, capsys, "names", name) for name in ("Ada", "Bo", "Cy"))
    assert ada["row"]["n"] == 2 and ada["derived"] and not ada["events"] and not ada["tombstones"]
    assert [one["detail"] for one in ada["rejects"]] == [refused["detail"]]
    assert bo["row"] is None and [stone["position"] for stone in bo["tombstones"]] == [AT[3], AT[1]]
    assert any("derive.names.sql computes this row" in note for note in none["notes"])
    assert any("not in the lake yet" in note for note in traced(derived, capsys, "trips", "1")["notes"])
    told = run(derived, capsys, "trace", "names", "Ada")
    assert "Events as they were taken in" not in told and "the SQL gives 2 rows for this key" in told


def test_check_counts_derived_tables_that_fit_and_says_what_the_others_wait_for(spark: SparkSession, derived):
    (found,) = [one for one in check(load(derived.settings)) if one.name == "derive"]
    assert found.ok
    assert found.said == "1 of 3 fit their tables; trips waits for seats; shown waits for trips"


def test_check_tells_sql_that_does_not_fit_its_table(spark: SparkSession, derived):
    file = Path(derived.settings)
    file.write_text(file.read_text().replace("SELECT name, count(*) AS n", "SELECT name, max(age) AS n"))
    (found,) = [one for one in check(load(derived.settings)) if one.name == "derive"]
    assert not found.ok and "derive.names.sql: expected SQL that fits the tables: users (userId, name)" in found.said
    assert not Lake(spark, load(derived.settings).lake).exists("tables/trips"), "a check makes no table"
