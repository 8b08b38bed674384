"""Stores of served rows: a file, and DynamoDB as far as a double in memory tells."""

from pathlib import Path

import pytest

from dynamodb_double import Tables
from headrace.config_keyed_stores import DynamoDbRows, KeyedStore, SqliteRows
from headrace.ports import Projection
from headrace.ports_rows import RowReader
from headrace.stores import dynamodb_table, keyed, served
from headrace.stores.keyed_dynamodb import MOST_BYTES
from headrace.testing.keyed_owners import KeyedOwnersContract
from headrace.testing.keyed_store import KeyedStoreContract
from headrace.testing.row_store import RowStoreContract

from .random_row_writes import IN_A_FILE, any_rows, write_and_look


class Place:
    """One store, and everything that was opened on it."""

    most_bytes = MOST_BYTES
    remembers_purges = False

    def __init__(self, settings: KeyedStore) -> None:
        self.settings = settings
        self._opened: list[Projection | RowReader] = []

    def rows(self) -> Projection:
        """A writer."""
        self._opened.append(made := served.rows(self.settings))
        return made

    def reader(self) -> RowReader:
        """A reader."""
        self._opened.append(made := served.row_reader(self.settings))
        return made

    def close(self) -> None:
        """Close every object."""
        for made in self._opened:
            made.close()


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    made = Tables()
    monkeypatch.setattr(dynamodb_table, "client", made.client)
    return made


class TestSqlite(RowStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path):
        made = Place(SqliteRows(path=str(tmp_path / "live.db")))
        yield made
        made.close()

    @IN_A_FILE
    @any_rows
    def test_any_order(self, store, batches, salt, swept):
        write_and_look(store, batches, salt, swept)


class TestDynamoDb(RowStoreContract, KeyedStoreContract, KeyedOwnersContract):
    @pytest.fixture
    def store(self, tables: Tables):
        made = Place(DynamoDbRows(store="dynamodb", table="live", create=True))
        yield made
        made.close()

    @IN_A_FILE
    @any_rows
    def test_any_order(self, store, batches, salt, swept):
        write_and_look(store, batches, salt, swept)


def test_the_store_of_profiles_is_as_it_was(tables: Tables):
    store = keyed.rows(DynamoDbRows(store="dynamodb", table="profiles", create=True))
    store.open("outbox-1")
    assert "GlobalSecondaryIndexes" not in tables.tables["profiles"]
