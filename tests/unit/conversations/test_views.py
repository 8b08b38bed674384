"""The views in DuckDB over real Delta tables, against plain Python; the other dialects as far as sqlglot parses them.

DuckDB's own reader of Delta is an extension that it fetches; here delta-rs reads the tables and DuckDB gets Arrow.
"""

import random
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from sqlglot import exp

from headrace.cli import main
from headrace.conversations.latency import counted, merged, percentile
from headrace.conversations.rates import rate
from headrace.conversations.shipped import SHIPPED
from headrace.conversations.views import SLICES, TABLES, script, views
from headrace.conversations.views_dialects import DIALECTS
from unit.conversations.alert_worlds import NOW
from unit.conversations.measure_tables import a_row, write

MEASURES = {one.name: one for one in SHIPPED}
NAMES = [one.name for one in views(MEASURES, DIALECTS["duckdb"], "")]
STAMP = pa.timestamp("us", "UTC")
TURN = {"conversation": "c1", "turn": 1, "at": NOW, "person": "p1", "model": "small", "prompt": None, "language": "en",
        "intent": None, "channel": "web", "tenant": None, "provider": "openai", "outcome": "answered", "seconds": 1.5,
        "question": "Gate?", "answer": "B4."}  # fmt: skip
RATING = {"rating_id": "r1", "conversation": "c1", "turn": 1, "at": NOW, "by": "person", "kind": "stars", "rater": "p1",
          "value": 5.0, "text": None, "sentiment": None, "valence": None}  # fmt: skip


def schema(row: dict, *texts: str) -> pa.Schema:
    kinds = {int: pa.int64(), float: pa.float64(), type(NOW): STAMP}
    return pa.schema([(name, kinds.get(type(value), pa.string())) for name, value in row.items()])


def some_rows() -> list[dict]:
    """Random minutes over three days, of a share, a mean and a measure with percentiles; in two models."""
    dice, rows = random.Random(3), []
    for _ in range(300):
        at = NOW.replace(second=0) + timedelta(minutes=dice.randrange(3 * 1440))
        model = dice.choice(["small", "big"])
        among = dice.randrange(1, 9)
        rows.append(a_row("csat", at, dice.randrange(among + 1), among, model=model, language=dice.choice("ab")))
        rows.append(a_row("turns", at, dice.randrange(9), dice.randrange(3), model=model))
        seconds = [dice.lognormvariate(0, 1) for _ in range(among)] + [0.0]
        rows.append(a_row("latency", at, sum(seconds), len(seconds), buckets=counted(seconds), model=model))
    rows.append(a_row("thumbs_up", NOW, 0, 0, n=0))
    return rows


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    lake = tmp_path_factory.mktemp("lake")
    rows = some_rows()
    write(lake, rows[: len(rows) // 2])
    write(lake, rows[len(rows) // 2 :])
    write_deltalake(str(lake / "turns"), pa.Table.from_pylist([TURN], schema(TURN)))
    whole = RATING | {"rating_id": "r2", "turn": None, "text": "Fine."}
    ratings = schema(RATING | {"valence": 0.5})
    write_deltalake(str(lake / "ratings"), pa.Table.from_pylist([RATING, whole], ratings))
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        base.execute("CREATE SCHEMA headrace")
        for name in TABLES:
            read = QueryBuilder().register("rows", DeltaTable(str(lake / name))).execute("SELECT * FROM rows")
            base.register(f"delta_{name}", pa.table(read.read_all()))
            base.execute(f"CREATE VIEW headrace.{name} AS SELECT * FROM delta_{name}")
        dialect = DIALECTS["duckdb"]
        for one in views(MEASURES, dialect, "headrace"):
            base.execute(dialect.create(f"headrace.{one.name}", one.select))
        yield base, rows


def rows_of(base: duckdb.DuckDBPyConnection, view: str) -> list[dict]:
    found = base.execute(f"SELECT * FROM headrace.{view}")
    names = [one[0] for one in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def began(at, span: str):
    return at.replace(minute=0, second=0) if span == "hour" else at.replace(hour=0, minute=0, second=0)


def grouped(rows: list[dict], span: str, *columns: str) -> dict[tuple, list[dict]]:
    found = defaultdict(list)
    for row in rows:
        found[row["measure"], began(row["minute"], span), *(row.get(name) for name in columns)].append(row)
    return found


SPANS = [("hour", "hourly"), ("day", "daily")]


@pytest.mark.parametrize(("span", "name"), SPANS)
def test_sums_of_hours_and_days_are_those_of_their_minutes(world, span, name):
    base, rows = world
    expected = grouped(rows, span, *SLICES)
    found = rows_of(base, f"measures_{name}")
    assert len(found) == len(expected)
    for row in found:
        some = expected[row["measure"], row[f"{span}_began"], *(row[one] for one in SLICES)]
        sums = [sum(one[part] for one in some) for part in ("numerator", "denominator", "n")]
        assert [row["numerator"], row["denominator"], row["n"]] == pytest.approx(sums)
        assert row["value"] == (pytest.approx(sums[0] / sums[1]) if sums[1] else None)


@pytest.mark.parametrize(("view", "span", "columns"), [
    ("rates_hourly", "hour", ()), ("rates_daily", "day", ()), ("rates_daily_by_model", "day", ("model",)),
])  # fmt: skip
def test_rates_have_the_interval_of_the_code_and_only_shares_are_rates(world, view, span, columns):
    base, rows = world
    expected = {
        key: rate(sum(one["numerator"] for one in some), sum(one["denominator"] for one in some))
        for key, some in grouped(rows, span, *columns).items()
        if key[0] == "csat"
    }
    found = {
        (row["measure"], row[f"{span}_began"], *(row[name] for name in columns)): row for row in rows_of(base, view)
    }
    assert set(found) == set(expected)
    for key, row in found.items():
        known = expected[key]
        assert [row[part] for part in ("value", "low", "high", "among", "enough")] == pytest.approx(
            list(known), abs=1e-12
        )


@pytest.mark.parametrize(("span", "name"), SPANS)
def test_percentiles_are_those_of_the_code(world, span, name):
    base, rows = world
    expected = {key: some for key, some in grouped(rows, span).items() if key[0] == "latency"}
    found = rows_of(base, f"percentiles_{name}")
    assert {(row["measure"], row[f"{span}_began"]) for row in found} == set(expected)
    for row in found:
        counts = merged(dict(one["buckets"]) for one in expected[row["measure"], row[f"{span}_began"]])
        assert row["n"] == sum(counts.values())
        for percent in (50, 95, 99):
            assert row[f"p{percent}"] == pytest.approx(percentile(counts, percent / 100))


def test_a_rating_stands_beside_its_turn_and_one_of_a_whole_conversation_alone(world):
    base, _ = world
    found = {row["rating_id"]: row for row in rows_of(base, "rated_turns")}
    of_turn, whole = found["r1"], found["r2"]
    assert (of_turn["rated_by"], of_turn["model"], of_turn["question"], of_turn["asked_at"]) == (
        "person", "small", "Gate?", NOW,
    )  # fmt: skip
    assert (whole["turn"], whole["model"], whole["rating_text"]) == (None, None, "Fine.")


READERS = {"duckdb": "duckdb", "databricks": "databricks", "athena": "athena", "redshift": "redshift"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_parses_and_makes_every_view_of_the_same_columns(dialect):
    for one in views(MEASURES, DIALECTS[dialect], "headrace"):
        made = sqlglot.parse_one(one.select, read=READERS[dialect], error_level=sqlglot.ErrorLevel.RAISE)
        theirs = sqlglot.parse_one(next(each.select for each in views(MEASURES, DIALECTS["duckdb"], "headrace")
                                        if each.name == one.name), read="duckdb")  # fmt: skip
        assert isinstance(made, exp.Select) and made.named_selects == theirs.named_selects
    statements = sqlglot.parse(script(MEASURES, dialect, "headrace", "s3://bucket/lake"), read=READERS[dialect])
    made = [one for one in statements if isinstance(one, exp.Create) and one.kind == "VIEW"]
    assert set(NAMES) <= {one.find(exp.Table).name for one in made}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_command_prints_them(dialect, lake: Path, capsys):
    file = lake.parent / "headrace.yaml"
    file.write_text(
        f"lake: {lake}\nsources: {{feed: {{from: files, path: ./in, format: json, position: [at]}}}}\n"
        "tables: {users: {source: feed, key: [id]}}\n"
    )
    assert main(["views", "--config", str(file), "--dialect", dialect, "--lake", "s3://b/it's"]) == 0
    shown = capsys.readouterr().out
    assert all(f"headrace.{name} AS" in shown for name in NAMES)
    assert dialect == "redshift" or "s3://b/it''s/measures" in shown
    assert main(["views", "--config", str(file), "--dialect", dialect, "--schema", "a;b"]) == 2
