"""Served rows on DynamoDB Local and on a stand-in that speaks the MongoDB protocol; not on AWS' own services."""

import re
from itertools import count
from typing import Any

import pytest

from conformance.random_row_writes import ON_A_SERVER, any_rows, write_and_look
from conformance.test_row_stores import Place
from headrace.errors import Fatal
from headrace.stores import dynamodb_table, keyed
from headrace.stores.keyed_dynamodb import MOST_BYTES
from headrace.stores.keyed_rows import MOST_BODY_BYTES
from headrace.stores.served_documentdb import DocumentDbRowReader, DocumentDbRowStore, wanted_of
from headrace.testing.keyed_owners import KeyedOwnersContract
from headrace.testing.keyed_store import KeyedStoreContract, opened
from headrace.testing.row_store import RowStoreContract, flight, found, no_flight

from .dynamodb import ENVIRONMENT, DynamoDbLocal
from .secantus import Allowed, Secantus

NUMBERS = count(1)


@pytest.fixture(scope="module")
def dynamodb(tmp_path_factory):
    made = DynamoDbLocal(tmp_path_factory.mktemp("dynamodb"), in_memory=True)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def mongodb(tmp_path_factory):
    made = Secantus(tmp_path_factory.mktemp("secantus"))
    try:
        yield made.start()
    finally:
        made.stop()


class Collection(Place):
    """One collection, and what DocumentDB would not take of what was asked."""

    most_bytes = MOST_BODY_BYTES

    def __init__(self, server: Secantus) -> None:
        super().__init__(server.settings(f"served{next(NUMBERS)}"))
        self.allowed = Allowed()

    def rows(self) -> DocumentDbRowStore:
        """A writer."""
        self._opened.append(made := DocumentDbRowStore(self.settings, [self.allowed]))
        return made

    def reader(self) -> DocumentDbRowReader:
        """A reader."""
        self._opened.append(made := DocumentDbRowReader(self.settings, [self.allowed]))
        return made


class TestDynamoDb(RowStoreContract, KeyedStoreContract, KeyedOwnersContract):
    most_bytes = MOST_BYTES

    @pytest.fixture
    def store(self, dynamodb, monkeypatch):
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        made = Place(dynamodb.settings(f"served{next(NUMBERS)}"))
        yield made
        made.close()

    @ON_A_SERVER
    @any_rows
    def test_any_order(self, store, batches, salt, swept):
        write_and_look(store, batches, salt, swept)

    def test_a_table_of_profiles_is_refused(self, store):
        keyed.rows(store.settings).open("outbox-1")
        with pytest.raises(Fatal, match="global indexes find0"):
            opened(store)
        with pytest.raises(Fatal, match="a global index find0; found"):
            found(store.reader(), c0="A")

    def test_indexes_hold_keys_and_nothing_of_deleted_rows(self, store):
        rows, client = opened(store), dynamodb_table.client(store.settings)
        rows.write([flight("1", 1, "A"), flight("2", 1, "A"), flight("3", 1, "A")])
        rows.write([no_flight("1", 2), flight("3", 2, "A")])
        rows.sweep(2)
        (one,) = client.scan(TableName=store.settings.table, IndexName="find0")["Items"]
        assert one == {"find0": {"S": "flights.c0=A"}, "pk": {"S": "r:flights:3"}}
        client.close()

    def test_a_row_that_is_too_large_with_its_terms_is_refused_for_good(self, store):
        rows = opened(store)
        row = flight("1", 1, *("x" * 200 for _ in range(5)))
        size = len(str(row.body)) + len(row.key)
        large = flight("1", 1, *("x" * 200 for _ in range(5)))
        assert isinstance(large.body, dict)
        large.body["fill"] = "x" * (MOST_BYTES - size - 40)
        (failed,) = rows.write([large]).failed
        assert not failed.retry and "size" in failed.reason


class TestDocumentDb(RowStoreContract, KeyedStoreContract, KeyedOwnersContract):
    @pytest.fixture
    def store(self, mongodb):
        made = Collection(mongodb)
        yield made
        made.close()
        assert made.allowed.refused == [], "DocumentDB would not take this"

    @ON_A_SERVER
    @any_rows
    def test_any_order(self, store, batches, salt, swept):
        write_and_look(store, batches, salt, swept)

    def test_only_living_rows_have_terms(self, store, mongodb):
        rows = opened(store)
        rows.write([flight(key, 1, "A", None, "C") for key in "1234"])
        rows.write([flight("2", 5, None, "B"), no_flight("3", 5), flight("4", 5)])
        with mongodb.client() as client:
            kept = client["headrace"][store.settings.collection]

            def beside(key: str) -> dict[str, Any]:
                row = kept.find_one({"_id": f"r:flights:{key}"})
                return {name: value for name, value in row.items() if name not in ("_id", "v", "body", "expires")}

            assert beside("1").keys() == {"find0", "find2"}
            assert beside("2").keys() == {"find1"}
            assert (beside("3"), beside("4")) == ({"deleted": True}, {})
            rows.sweep(5)
            assert beside("1") == {"deleted": True}

    def test_a_page_of_keys_comes_from_the_index_in_its_order(self, store, mongodb):
        rows = opened(store)
        rows.write([flight(f"{at:03}", 1, "A", str(at)) for at in range(300)])
        with mongodb.client() as client:
            kept = client["headrace"][store.settings.collection]
            wanted = wanted_of(1, "flights.c1=7", "r:")
            plan = kept.find(wanted, {"find1": 1, "_id": 0}, sort=[("find1", 1)], limit=100).explain()
        stages = set(re.findall(r"'stage': '(\w+)'", str(plan["queryPlanner"]["winningPlan"])))
        assert "IXSCAN" in stages and not stages & {"COLLSCAN", "SORT"}, plan
