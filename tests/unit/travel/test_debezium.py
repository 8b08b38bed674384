"""Messages of the simulated connector, against what a real Debezium 3.7 sent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headrace.travel.columns import Row
from headrace.travel.database import Database
from headrace.travel.debezium import encode, lines

# Key order and names of an event captured from a real connector (PostgreSQL 16, Debezium 3.7.0.Final).
CAPTURED_VALUE = ["before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns"]
CAPTURED_SOURCE = (
    "version connector name ts_ms snapshot db sequence ts_us ts_ns schema table txId lsn xmin origin origin_lsn"
)

HOTEL: Row = {
    "hotel_id": 11,
    "name": "Ito 東京",
    "city": "東京",
    "rating": 4.5,
    "rooms_left": 3,
    "amenities": ["pool", "café"],
    "description": "long " * 500,
}


@pytest.fixture
def database() -> Database:
    database = Database(datetime(2026, 3, 1, 6, tzinfo=UTC))
    database.load("hotels", [HOTEL])
    database.begin(timedelta(seconds=1))
    return database


def payloads(database: Database) -> list[Any]:
    return [line["value"] and line["value"]["payload"] for event in database.log for line in lines(event)]


def test_a_value_has_the_fields_of_a_captured_event(database: Database) -> None:
    database.update("hotels", (11,), rooms_left=2)
    (payload,) = payloads(database)
    assert list(payload) == CAPTURED_VALUE
    assert list(payload["source"]) == CAPTURED_SOURCE.split()
    assert payload["op"] == "u"
    assert payload["before"] is None


def test_an_unchanged_large_text_travels_as_the_marker(database: Database) -> None:
    database.update("hotels", (11,), rooms_left=2)
    (payload,) = payloads(database)
    assert payload["after"] == HOTEL | {"rooms_left": 2, "description": "__debezium_unavailable_value"}


def test_a_delete_sends_the_key_with_fillers_and_then_a_tombstone(database: Database) -> None:
    database.delete("hotels", (11,))
    delete, tombstone = lines(database.log[0])
    fillers = {"hotel_id": 11, "name": "", "city": "", "rating": None, "rooms_left": None, "amenities": None}
    assert delete["value"]["payload"]["before"] == fillers | {"description": None}
    assert delete["value"]["payload"]["after"] is None
    assert tombstone == {"key": delete["key"], "value": None}


def test_a_truncate_has_no_key(database: Database) -> None:
    database.truncate("hotels")
    (line,) = lines(database.log[0])
    assert line["key"] is None
    assert (line["value"]["payload"]["op"], line["value"]["payload"]["after"]) == ("t", None)


def test_a_key_change_names_the_other_key_in_its_headers(database: Database) -> None:
    database.change_key("hotels", (11,), (12,))
    headers = [line["headers"] for event in database.log for line in lines(event)]
    assert headers == [
        {"__debezium.newkey": '{"hotel_id":12}'},
        {"__debezium.newkey": '{"hotel_id":12}'},
        {"__debezium.oldkey": '{"hotel_id":11}'},
    ]


def test_the_schema_block_describes_every_field_of_the_payload(database: Database) -> None:
    database.update("hotels", (11,), rooms_left=2)
    (line,) = lines(database.log[0])
    for side in (line["key"], line["value"]):
        fields = [field["field"] for field in side["schema"]["fields"]]
        assert sorted(fields) == sorted(side["payload"])
    after = line["value"]["schema"]["fields"][1]
    assert [field["field"] for field in after["fields"]] == list(HOTEL)


def test_without_schemas_key_and_value_are_the_bare_payloads(database: Database) -> None:
    database.update("hotels", (11,), rooms_left=2)
    (with_schema,), (bare,) = lines(database.log[0]), lines(database.log[0], schemas=False)
    assert bare == {"key": with_schema["key"]["payload"], "value": with_schema["value"]["payload"]}


@pytest.mark.parametrize(
    ("value", "kind", "sent"),
    [
        (Decimal("100.00"), "numeric(10,2)", "JxA="),  # JxA= is 10000, as in a captured MySQL event
        (Decimal("-0.01"), "numeric(10,2)", "/w=="),
        (Decimal("0.00"), "numeric(10,2)", "AA=="),
        (date(1970, 1, 2), "date", 1),
        (date(1969, 12, 31), "date", -1),
        (datetime(2026, 3, 1, 6, 0, 0, 123456, tzinfo=UTC), "timestamp", 1772344800123456),
        (datetime(2026, 3, 1, 6, 0, 0, 123456, tzinfo=UTC), "timestamptz", "2026-03-01T06:00:00.123456Z"),
        (["a", "b"], "text[]", ["a", "b"]),
        (None, "date", None),
    ],
)
def test_values_are_written_as_the_json_converter_writes_them(value: Any, kind: str, sent: Any) -> None:
    assert encode(value, kind) == sent
