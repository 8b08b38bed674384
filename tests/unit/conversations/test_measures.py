"""Every shipped measure's SQL, run by SQLite over random turns and ratings, against plain Python."""

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace import config_measures
from headrace.config_measures import COLUMNS, OwnMeasure, slices
from headrace.conversations.latency import counted, merged, percentile
from headrace.conversations.measures import Measure, own, value
from headrace.conversations.shipped import SHIPPED
from headrace.testing.measures_oracle import MEASURES, ROWS, SPREADS, measures_truth

BEGAN = datetime(2026, 11, 26, 9, tzinfo=UTC)
SEVERAL_HOURS = st.integers(0, 60 * 60 * 40).map(lambda seconds: BEGAN + timedelta(seconds=seconds))
MINUTES = st.integers(0, 400).map(lambda seconds: BEGAN + timedelta(seconds=seconds))
AT = st.one_of(MINUTES, SEVERAL_HOURS)
COUNTS = st.one_of(st.none(), st.integers(0, 3_000))
SOME = st.one_of(st.none(), st.floats(0, 90))


def maybe(*some):
    return st.sampled_from([None, *some])


ITEMS = st.fixed_dictionaries(
    {"id": st.sampled_from(["p1", "p2", "r1"]), "kind": st.sampled_from(["passage", "profile", "row"]),
     "age": SOME, "stale": st.booleans()}
)  # fmt: skip
TURN = st.fixed_dictionaries(
    {
        "conversation": st.sampled_from(["a", "b", "c"]), "turn": st.integers(1, 3), "at": AT,
        "operation": st.sampled_from(["upsert"] * 5 + ["delete"]), "person": maybe("ada", "bob"),
        "tenant": maybe("t"), "channel": maybe("web"), "language": maybe("en", "de"), "intent": maybe("flight"),
        "provider": maybe("bedrock"), "model": maybe("m1", "m2"), "prompt": maybe("v1"),
        "outcome": st.sampled_from(["answered", "answered", "refused", "failed", "empty"]),
        "ended": maybe("done"), "fallback": st.booleans(), "regenerates": maybe(1, 2),
        "input_tokens": COUNTS, "output_tokens": COUNTS, "cached_tokens": COUNTS,
        "cost": SOME, "currency": maybe("EUR", "USD"), "seconds": SOME, "seconds_to_first": SOME,
        "items": st.lists(ITEMS, max_size=3, unique_by=lambda item: item["id"]),
        "citations": st.lists(st.sampled_from(["p1", "p2", "r1"]), max_size=2, unique=True),
        "tries": st.lists(st.fixed_dictionaries({"failure": maybe("timeout")}), max_size=3),
    }
)  # fmt: skip
NUMBERS = {"thumbs": (-1, 1), "stars": (1, 2, 3, 4, 5)}
RATING = st.sampled_from(["thumbs", "stars", "comment", "abandon", "hand_off"]).flatmap(
    lambda kind: st.fixed_dictionaries(
        {
            "conversation": st.sampled_from(["a", "b", "c"]), "turn": maybe(1, 2, 3), "at": AT,
            "operation": st.sampled_from(["upsert"] * 5 + ["delete"]), "kind": st.just(kind),
            "by": st.sampled_from(["person", "person", "agent", "model"]),
            "value": st.sampled_from(NUMBERS.get(kind, (None,))),
            "sentiment": maybe("positive", "negative", "neutral") if kind == "comment" else st.none(),
        }
    ).flatmap(lambda one: VALENCES[one["sentiment"]].map(lambda valence: one | {"valence": valence}))
)  # fmt: skip
VALENCES = {None: st.none(), "positive": st.floats(0.05, 1), "negative": st.floats(-1, -0.05), "neutral": st.just(0.0)}
TURNS = st.lists(TURN, max_size=8, unique_by=lambda turn: (turn["conversation"], turn["turn"]))
RATINGS = st.lists(RATING, max_size=8, unique_by=lambda one: (one["conversation"], one["turn"], one["by"], one["kind"]))
BY_MINUTE = "strftime('%Y-%m-%dT%H:%M:00', at)"


def database(turns, ratings) -> sqlite3.Connection:
    """The three relations as measures see them."""
    made = sqlite3.connect(":memory:")
    made.create_function("LN", 1, math.log, deterministic=True)
    made.create_function("CEIL", 1, math.ceil, deterministic=True)
    for over, rows in ROWS.items():
        names = list(COLUMNS[over])
        made.execute(f"CREATE TABLE {over} (at, {', '.join(names)})")
        values = [
            (row["at"].strftime("%Y-%m-%dT%H:%M:%S"), *(row[name] for name in names)) for row in rows(turns, ratings)
        ]
        made.executemany(f"INSERT INTO {over} VALUES ({', '.join('?' * (len(names) + 1))})", values)
    return made


def by_sql(made: sqlite3.Connection, measure: Measure) -> Mapping[tuple, tuple[float, float]]:
    """Its parts by minute and dimensions."""
    groups = ", ".join([BY_MINUTE, *measure.dimensions])
    asked = f"SELECT {groups}, {', '.join(measure.sums)} FROM {measure.over} GROUP BY {groups}"
    found = {}
    for minute, *dimensions, numerator, denominator in made.execute(asked):
        found[datetime.fromisoformat(minute).replace(tzinfo=UTC), tuple(dimensions)] = (numerator, denominator)
    return found


def test_the_oracle_knows_every_shipped_measure():
    assert {one.name: one.over for one in SHIPPED} == {name: over for name, (over, _) in MEASURES.items()}
    assert tuple(one.name for one in SHIPPED) == config_measures.SHIPPED
    assert {one.name for one in SHIPPED if one.kind == "spread"} == set(SPREADS)


@given(TURNS, RATINGS)
def test_every_measure_is_what_plain_python_finds(turns, ratings):
    with closing(database(turns, ratings)) as made:
        for measure in SHIPPED:
            truth = measures_truth(turns, ratings, measure.name, measure.dimensions)
            found = by_sql(made, measure)
            assert found.keys() == truth.keys(), measure.name
            for where, (numerator, denominator, _) in truth.items():
                assert found[where] == pytest.approx((numerator, denominator)), measure.name
                assert measure.kind != "share" or 0 <= numerator <= denominator, measure.name


@given(TURNS)
def test_percentiles_of_summed_minutes_are_those_of_all_values(turns):
    with closing(database(turns, [])) as made:
        for measure in (one for one in SHIPPED if one.kind == "spread"):
            minutes: dict[str, Counter[int]] = {}
            asked = f"SELECT {BY_MINUTE}, {measure.bucket} AS bucket, COUNT(*) FROM turns GROUP BY 1, 2"
            for minute, bucket, count in made.execute(asked):
                if bucket is not None:
                    minutes.setdefault(minute, Counter())[bucket] += count
            truth = sorted(v for *_, values in measures_truth(turns, [], measure.name, ()).values() for v in values)
            assert merged(minutes.values()) == counted(truth)
            if truth:
                median = truth[(len(truth) - 1) // 2]
                assert percentile(merged(minutes.values()), 0.5) == pytest.approx(median, rel=0.01, abs=1e-9)


@pytest.mark.parametrize("measure", SHIPPED, ids=lambda measure: measure.name)
def test_shipped_measures_pass_the_check_of_a_users_own(measure):
    settings = OwnMeasure(
        over=measure.over,
        numerator=measure.numerator,
        denominator=measure.denominator,
        dimensions=measure.dimensions,
        unit=measure.unit,
        definition=measure.definition,
    )
    assert own(measure.name, settings).sums == measure.sums
    assert measure.definition.endswith(".")
    assert set(measure.dimensions) <= set(slices(measure.over))


def test_a_users_measure_is_counted_like_the_others():
    settings = OwnMeasure(numerator="fallback AND seconds > 2", denominator="coalesce(calls, 0)", dimensions=["model"])
    rows = [{"fallback": 1, "seconds": 3}, {"fallback": 1, "seconds": None}, {"fallback": 0, "seconds": 9}]
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute("CREATE TABLE turns (at, model, fallback, seconds, calls)")
        made.executemany("INSERT INTO turns VALUES ('2026-11-26T09:00:07', 'm', :fallback, :seconds, 2)", rows)
        found = by_sql(made, own("slow_fallback", settings))
    assert found == {(BEGAN, ("m",)): (1, 6)}


def test_a_slice_with_nothing_in_it_has_no_value():
    assert value(0, 0) is None
    assert value(3, 4) == 0.75
