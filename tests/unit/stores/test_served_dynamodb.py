"""Served rows in DynamoDB: its indexes, what a look-up asks, and indexes that follow late. On a double in memory."""

from typing import Any

import pytest

from dynamodb_double import Tables
from headrace.config_keyed_stores import DynamoDbRows, SqliteRows
from headrace.errors import Fatal, Retryable
from headrace.ports import Written
from headrace.served_rows import heartbeat_key
from headrace.stores import dynamodb_table, keyed, served
from headrace.stores.served_dynamodb import TERMS, DynamoDbRowReader, DynamoDbRowStore
from headrace.testing.keyed_store import put
from headrace.testing.row_store import flight, found, no_flight

SETTINGS = DynamoDbRows(store="dynamodb", table="live", create=True)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    made = Tables()
    monkeypatch.setattr(dynamodb_table, "client", made.client)
    return made


@pytest.fixture
def rows(tables: Tables) -> DynamoDbRowStore:
    made = DynamoDbRowStore(SETTINGS)
    made.open("lake-1")
    return made


@pytest.fixture
def reader(rows: DynamoDbRowStore) -> DynamoDbRowReader:
    return DynamoDbRowReader(SETTINGS)


def test_a_new_table_has_an_index_of_keys_for_each_filter(tables: Tables, rows: DynamoDbRowStore) -> None:
    about = tables.tables["live"]
    assert [one["AttributeName"] for one in about["AttributeDefinitions"]] == ["pk", *TERMS]
    for name, index in zip(TERMS, about["GlobalSecondaryIndexes"], strict=True):
        keys = [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
        assert (index["IndexName"], keys) == (name, [(name, "HASH"), ("pk", "RANGE")])
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert about["ttl"]["AttributeName"] == "expires"


def test_only_living_rows_have_terms(tables: Tables, rows: DynamoDbRowStore) -> None:
    rows.write([flight("1", 1, "A", None, "C"), flight("2", 1, "A"), flight("3", 1, "A"), put(heartbeat_key("t"), 1)])
    rows.write([flight("2", 5, None, "B"), no_flight("3", 5)])
    held = {key: set(item) - {"pk", "v"} for key, item in tables.items["live"].items()}
    assert held["r:flights:1"] == {"body", "find0", "find2"}
    assert held["r:flights:2"] == {"body", "find1"}
    assert held["r:flights:3"] == {"deleted", "expires"}
    assert held["h:t"] == {"body"}
    rows.sweep(5)
    assert tables.items["live"]["r:flights:1"].keys() == {"pk", "v", "deleted", "expires"}


def test_a_look_up_asks_an_index_and_reads_what_it_names_and_never_the_table(
    tables: Tables, rows: DynamoDbRowStore, reader: DynamoDbRowReader
) -> None:
    rows.write([flight(f"{at:03}", 1, "A", str(at)) for at in range(200)])
    tables.asked.clear()
    assert found(reader, 10, c0="A", c1="7") == ["007"]
    assert found(reader, 3, c0="A") == ["000", "001", "002"]
    names = [name for name, _ in tables.asked]
    assert names == ["get_item", "query", "query", "batch_get_item", "query", "batch_get_item"]
    reads = [asked["RequestItems"]["live"] for name, asked in tables.asked if name == "batch_get_item"]
    assert [(len(asked["Keys"]), asked["ConsistentRead"]) for asked in reads] == [(1, True), (3, True)]


def test_an_index_that_is_late_shows_no_row_as_it_was(
    tables: Tables, rows: DynamoDbRowStore, reader: DynamoDbRowReader
) -> None:
    rows.write([flight("1", 1, "A"), flight("2", 1, "A"), flight("3", 1, "A"), flight("4", 1, "A", "B")])
    tables.indexes_stand_still()
    rows.write([flight("1", 2, "B"), no_flight("2", 2), flight("4", 2, "A", "C"), flight("5", 2, "A")])
    assert found(reader, c0="A") == ["3", "4"]
    assert found(reader, c0="A", c1="B") == []
    assert found(reader, c0="B") == []  # it has it since a moment, and is missed for that moment
    tables.indexes_follow()
    assert (found(reader, c0="A"), found(reader, c0="B")) == (["3", "4", "5"], ["1"])


def test_short_pages_of_an_index_are_read_to_the_end(
    tables: Tables, rows: DynamoDbRowStore, reader: DynamoDbRowReader
) -> None:
    rows.write([flight(f"{at:02}", 1, "A", "B" if at >= 30 else "C") for at in range(40)])
    tables.longest = 7
    assert found(reader, c0="A") == [f"{at:02}" for at in range(40)]
    assert found(reader, c0="A", c1="B") == [f"{at:02}" for at in range(30, 40)]


def test_a_table_without_the_indexes_is_refused_with_what_to_make(tables: Tables) -> None:
    keyed.rows(SETTINGS).open("lake-1")  # as for profiles
    store = DynamoDbRowStore(SETTINGS)
    for call in (store.open, store.attach):
        with pytest.raises(
            Fatal, match=r"indexes find0, find1, find2, find3, find4; found none that fits for find0, .*KEYS_ONLY"
        ):
            call("lake-1")
    with pytest.raises(Fatal, match=r"a global index find1; found .*KEYS_ONLY"):
        DynamoDbRowReader(SETTINGS).having({1: "x"}, 1)


@pytest.mark.parametrize("keys", [["find3", "HASH"], ["find3", "HASH", "v", "RANGE"], ["x", "HASH", "pk", "RANGE"]])
def test_an_index_over_something_else_does_not_fit(tables: Tables, rows: DynamoDbRowStore, keys: list[str]) -> None:
    index = tables.tables["live"]["GlobalSecondaryIndexes"][3]
    index["KeySchema"] = [
        dict(zip(("AttributeName", "KeyType"), keys[at : at + 2], strict=True)) for at in range(0, len(keys), 2)
    ]
    with pytest.raises(Fatal, match="found none that fits for find3"):
        rows.attach("lake-1")


def test_an_index_that_is_being_made_is_waited_for(tables: Tables, rows: DynamoDbRowStore) -> None:
    tables.tables["live"]["GlobalSecondaryIndexes"][1]["IndexStatus"] = "CREATING"
    with pytest.raises(Retryable, match="find1 being made"):
        rows.attach("lake-1")


def test_a_row_that_moves_between_writers_is_found_by_the_newest(
    tables: Tables, rows: DynamoDbRowStore, reader: DynamoDbRowReader
) -> None:
    other = DynamoDbRowStore(SETTINGS)
    other.open("lake-1")
    assert other.write([flight("1", 9, "B")]) == Written(applied=1)
    assert rows.write([flight("1", 8, "A")]) == Written(stale=1)
    assert (found(reader, c0="A"), found(reader, c0="B")) == ([], ["1"])


def test_a_table_that_nobody_makes_is_told_before_the_job_runs(tables: Tables) -> None:
    by_hand: dict[str, Any] = {"store": "dynamodb", "table": "live"}
    with pytest.raises(
        Fatal, match=r"expected a table; found no such table.*`create: true`.*find0 to find4.*KEYS_ONLY"
    ):
        served.check_makeable(DynamoDbRows.model_validate(by_hand))
    served.check_makeable(SETTINGS)
    served.check_makeable(SqliteRows(path="/none/live.db"))
    assert tables.tables == {}
