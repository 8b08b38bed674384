"""Look-ups of served rows, over a real file and over a double of DynamoDB."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dynamodb_double import Tables
from headrace.config_keyed_stores import DynamoDbRows
from headrace.context.lookup import Answer, Lookups
from headrace.errors import Fatal, NotThere, Unreachable
from headrace.served_rows import MOST_FILTERS, row_key, term
from headrace.stores import dynamodb_table
from headrace.stores.keyed_sqlite import SqliteStore
from headrace.stores.served_sqlite import SqliteRowReader, _rarest_first, statement
from served_world import MINUTE, NOW, TABLES, Served


@pytest.fixture(params=["sqlite", "dynamodb"])
def served(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    if request.param == "dynamodb":
        monkeypatch.setattr(dynamodb_table, "client", Tables().client)
    settings = DynamoDbRows(store="dynamodb", table="live", create=True) if request.param == "dynamodb" else None
    made = Served(tmp_path, settings)
    yield made
    made.close()


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.close()


def keys(answer: Answer) -> list[str]:
    return [row.key for row in answer.rows]


def flights(served: Served, **filters: Any) -> Answer:
    return served.lookups.lookup("flights", filters, now=NOW)


def test_a_row_with_its_version_position_and_age(served: Served) -> None:
    served.put("flights", '["1"]', number="LH 12", day="2026-11-27", status="SCHEDULED")
    served.beat("flights", NOW - MINUTE)

    found = flights(served, number="LH 12")

    (row,) = found.rows
    assert (row.key, row.version, row.position, row.age) == ('["1"]', 1, "pos-1", 60.0)
    assert row.values["status"] == "SCHEDULED"
    assert (found.as_of, found.age, found.position) == ("2026-11-26T14:04:00+00:00", 60.0, "pos-1")
    assert (found.more, found.stale) == (False, False)


def test_a_change_shows_and_a_row_is_found_by_its_new_values_only(served: Served) -> None:
    served.put("flights", '["1"]', number="LH12", status="SCHEDULED")
    served.put("flights", '["1"]', number="LH12", status="CANCELLED")

    assert [row.values["status"] for row in flights(served, number="LH12").rows] == ["CANCELLED"]
    assert keys(flights(served, status="SCHEDULED")) == []
    assert keys(flights(served, status="CANCELLED")) == ['["1"]']


def test_a_deleted_row_is_not_found(served: Served) -> None:
    served.put("flights", '["1"]', number="LH12")
    served.gone("flights", '["1"]')
    assert keys(flights(served, number="LH12")) == []


def test_values_are_the_same_as_people_mean_them(served: Served) -> None:
    served.put("flights", '["1"]', number="LH 12", day="2026-11-27T08:00:00Z", seats=12, flight_id="0012", status=None)

    for filters in (
        {"number": " lh  12 "}, {"number": "\uff2c\uff28 12"}, {"day": "2026-11-27"}, {"seats": "12"}, {"seats": 12.0},
        {"flight_id": 12},
    ):  # fmt: skip
        assert keys(flights(served, **filters)) == ['["1"]'], filters
    for filters in ({"number": "LH 1"}, {"day": "2026-11-2"}, {"seats": 120}, {"status": None}, {"status": "None"}):
        assert keys(flights(served, **filters)) == [], filters


def test_all_filters_must_hold_and_only_the_tables_own_rows_are_found(served: Served) -> None:
    served.put("flights", '["1"]', number="A", day="2026-11-27")
    served.put("flights", '["2"]', number="A", day="2026-11-28")
    served.put("rooms", '["1"]', hotel="A")
    served.write("p:1", {"kind": "profile", "find": [term("flights", "number", "string", "A")]})

    assert keys(flights(served, number="A")) == ['["1"]', '["2"]']
    assert keys(flights(served, number="A", day="2026-11-28")) == ['["2"]']
    assert keys(flights(served, number="A", day="2026-11-29")) == []


def test_rows_come_in_the_order_of_their_keys_and_tell_when_there_are_more(served: Served) -> None:
    for key in "dbca":
        served.put("flights", f'["{key}"]', number="A")
    answer = flights(served, number="A")
    assert (keys(answer), answer.more) == (['["a"]', '["b"]', '["c"]'], True)
    served.gone("flights", '["d"]')
    assert flights(served, number="A").more is False


@pytest.mark.parametrize(("late", "stale"), [(timedelta(minutes=5), False), (timedelta(minutes=5, seconds=1), True)])
def test_rows_are_stale_when_nothing_confirmed_them_for_long(served: Served, late: timedelta, stale: bool) -> None:
    served.put("flights", '["1"]', number="A")
    served.beat("flights", NOW - late)
    assert flights(served, number="A").stale is stale


def test_rows_that_nothing_ever_confirmed_are_stale(served: Served) -> None:
    served.put("flights", '["1"]', number="A")
    served.beat("rooms")
    answer = flights(served, number="A")
    assert (answer.stale, answer.as_of, answer.age, answer.position) == (True, None, None, None)


def test_only_the_columns_of_the_settings_and_the_filters_are_shown(served: Served) -> None:
    served.put("rooms", '["1"]', hotel="Porto", price=80, cost=30)
    assert served.lookups.lookup("rooms", {"hotel": "porto"}, now=NOW).rows[0].values == {"hotel": "Porto", "price": 80}


def test_long_keys_and_values_are_found_too(served: Served) -> None:
    served.put("rooms", json.dumps(["k" * 5_000]), hotel="h" * 5_000)
    (row,) = served.lookups.lookup("rooms", {"hotel": "H" * 5_000}, now=NOW).rows
    assert row.key == json.dumps(["k" * 5_000])
    assert row_key("rooms", "k" * 5_000) != row_key("rooms", "k" * 4_999)


@pytest.mark.parametrize("places", [[place] for place in range(MOST_FILTERS)] + [[3, 0], [0, 3]], ids=str)
def test_each_filter_has_an_index(in_a_file: Served, places: list[int]) -> None:
    connection = in_a_file.store._opened()
    plan = connection.execute(f"explain query plan {statement(places)}", ["x"] * len(places) + [3]).fetchall()
    assert len(plan) == 1 and f"USING INDEX found_by_{places[0]} (<expr>=?" in plan[0][3], plan


def test_the_rarest_value_leads(in_a_file: Served) -> None:
    for number in range(4):
        in_a_file.put("flights", f'["{number}"]', number=f"LH{number}", day="2026-11-27", seats=number // 2)
    terms = {0: "flights.number=lh3", 1: "flights.day=2026-11-27", 2: "flights.seats=1"}
    assert _rarest_first(in_a_file.store._opened(), terms) == [0, 2, 1]
    assert keys(flights(in_a_file, day="2026-11-27", seats=1, number="LH3")) == ['["3"]']


def test_a_file_that_was_made_before_there_were_look_ups_gets_its_indexes(in_a_file: Served) -> None:
    connection = in_a_file.store._opened()
    for place in range(MOST_FILTERS):
        connection.execute(f"drop index found_by_{place}")
    in_a_file.put("flights", '["1"]', number="A")
    assert keys(flights(in_a_file, number="A")) == ['["1"]']

    again = SqliteStore(in_a_file.settings)
    again.open("outbox-1")
    again.close()
    indexes = connection.execute("select count(*) from sqlite_master where name like 'found_by_%'").fetchone()
    assert indexes == (MOST_FILTERS,)


def test_what_is_not_in_the_settings_is_an_error(served: Served) -> None:
    with pytest.raises(Fatal, match=r"a served table \(flights, rooms\); found users"):
        served.lookups.lookup("users", {"id": 1})
    with pytest.raises(Fatal, match=r"a filter of rooms \(hotel\); found price"):
        served.lookups.lookup("rooms", {"price": 1})
    with pytest.raises(Fatal, match=r"a filter of rooms \(hotel\); found none"):
        served.lookups.lookup("rooms", {})
    with pytest.raises(Fatal, match="expected one of other; found live"):
        Lookups({"other": served.reader}, TABLES)
    with pytest.raises(ValueError, match="expected terms at places"):
        served.reader.having({}, 1)


def test_a_call_answers_in_json(served: Served) -> None:
    served.put("rooms", '["1"]', hotel="Porto\u202e", price=80)
    served.beat("rooms")
    assert served.lookups.call("lookup_rooms", '{"hotel": "porto "}', now=NOW) == {
        "ok": True,
        "table": "rooms",
        "rows": [
            {
                "key": '["1"]', "values": {"hotel": "Porto", "price": 80}, "position": "pos-1", "version": 1,
                "changed_at": "2026-11-26T14:04:00+00:00", "age_seconds": 60.0,
            }
        ],
        "more": False,
        "as_of": "2026-11-26T14:05:00+00:00",
        "age_seconds": 0.0,
        "stale": False,
    }  # fmt: skip


def test_an_answer_is_never_longer_than_the_settings_say(served: Served) -> None:
    for number in range(20):
        served.put("rooms", f'["{number:02}"]', hotel="A", price="x" * 90)
    served.put("rooms", '["b"]', hotel="B", price="€" * 5_000)
    served.put("rooms", '["c"]', hotel="C", price=[["y" * 50] * 9] * 9)

    many = served.lookups.call("lookup_rooms", {"hotel": "A"}, now=NOW)
    assert len(json.dumps(many, ensure_ascii=False).encode()) <= 1_000 and many["more"] and len(many["rows"]) >= 2
    large = served.lookups.call("lookup_rooms", {"hotel": "B"}, now=NOW)
    assert large["rows"][0]["values"]["price"] == "€" * 99 + "…"
    assert served.lookups.call("lookup_rooms", {"hotel": "C"}, now=NOW)["rows"] == []


class Away:
    """A store that does not answer."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, keys: Any) -> Any:
        raise self.error

    having = read


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (Unreachable(expected="a file", found="locked by host db-7", todo="Wait."), True),
        (NotThere(expected="a file", found="none at /secret", todo="Make it."), False),
    ],
)
def test_a_store_that_is_away_is_an_answer_without_its_words(error: Exception, retry: bool) -> None:
    found = Lookups({"live": Away(error)}, TABLES).call("lookup_rooms", {"hotel": "A"})  # type: ignore[dict-item]
    message = "rooms cannot be read now"
    assert found == {"ok": False, "error": {"kind": "unavailable", "message": message, "retry": retry}}


def test_a_reader_of_nothing_says_so(tmp_path: Path) -> None:
    reader = SqliteRowReader(Served(tmp_path / "a").settings.model_copy(update={"path": str(tmp_path / "none.db")}))
    with pytest.raises(NotThere):
        reader.having({0: "x"}, 1)
