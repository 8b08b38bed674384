"""What is wrong with `derive` without a look at its SQL."""

from typing import Any

import pytest
from pydantic import ValidationError

from headrace.config import Config

BOOKINGS = {"source": "feed", "key": ["booking_id"]}
TRIPS = {"key": ["booking_id"], "sql": "SELECT booking_id FROM bookings"}


def said(derive: dict[str, Any], tables: dict[str, Any] | None = None, **more: Any) -> str:
    sources = {"feed": {"from": "files", "path": "/in", "format": "debezium"}}
    given = {"lake": "/lake", "sources": sources, "tables": tables or {"bookings": BOOKINGS}, "derive": derive, **more}
    try:
        Config.model_validate(given)
    except ValidationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("derive", "message"),
    [
        ({"Bookings": TRIPS}, "derive.Bookings: expected a name that no other table has, in any case of letters"),
        ({"trips": TRIPS | {"key": ["a", "A"]}}, "derive.trips.key: expected each key column once; found a and A"),
        ({"trips": TRIPS | {"key": ["_position"]}}, "derive.trips.key: expected columns of the result"),
        ({"trips": TRIPS | {"reach": {"rooms": "SELECT 1 FROM changed"}}}, "expected one of the tables (bookings)"),
        (
            {"trips": TRIPS | {"reach": {"bookings": "SELECT booking_id FROM bookings"}}},
            "derive.trips.reach.bookings: expected a query over `changed`, the keys that changed",
        ),
    ],
)
def test_what_does_not_fit_is_told(derive: dict[str, Any], message: str) -> None:
    assert message in said(derive)


def test_a_table_called_changed_would_be_hidden_by_the_changed_keys() -> None:
    tables = {"bookings": BOOKINGS, "changed": BOOKINGS | {"source_table": "c"}}
    trips = TRIPS | {"reach": {"bookings": "SELECT booking_id FROM changed"}}
    assert "tables.changed: expected no table called changed" in said({"trips": trips}, tables)


def test_a_knowledge_feed_and_others_may_name_a_derived_table() -> None:
    assert said({"trips": TRIPS}) == ""
    feed = {"from": "table", "table": "trips", "text": "status"}
    index = {"store": "sqlite", "path": "./passages.db"}
    knowledge = {"documents": {"trips": feed}, "indexes": {"main": index}}
    assert "knowledge.documents.trips.table" not in said({"trips": TRIPS}, knowledge=knowledge)
