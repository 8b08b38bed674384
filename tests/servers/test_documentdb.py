"""DocumentDB as a store of rows by key, on a stand-in that speaks the MongoDB protocol; not on DocumentDB itself."""

from itertools import count
from pathlib import Path

import pytest

from conformance.random_keyed_writes import ON_A_SERVER, any_batches, write_and_compare
from headrace.config_keyed_stores import DocumentDbRows
from headrace.errors import Fatal, HeadraceError, NotThere, Retryable, Unreachable
from headrace.ports import Written
from headrace.stores.keyed_documentdb import DocumentDbStore
from headrace.stores.keyed_documentdb_reader import DocumentDbReader
from headrace.stores.keyed_rows import MOST_BODY_BYTES
from headrace.testing.keyed_owners import KeyedOwnersContract
from headrace.testing.keyed_store import KeyedStoreContract, check_held, gone, opened, put, state
from headrace.testing.vector_index import OWNER

from .process import free_port
from .secantus import Allowed, Secantus, problems

NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Secantus(tmp_path_factory.mktemp("secantus"))
    try:
        yield made.start()
    finally:
        made.stop()


class OneCollection:
    """One collection of the server, and what its commands were."""

    most_bytes = MOST_BODY_BYTES
    remembers_purges = False

    def __init__(self, server: Secantus, **settings) -> None:
        self.allowed = Allowed()
        self.settings = server.settings(f"rows{next(NUMBERS)}", **settings)
        self._opened: list[DocumentDbStore | DocumentDbReader] = []

    def rows(self) -> DocumentDbStore:
        """A writer."""
        self._opened.append(made := DocumentDbStore(self.settings, [self.allowed]))
        return made

    def reader(self) -> DocumentDbReader:
        """A reader."""
        self._opened.append(made := DocumentDbReader(self.settings, [self.allowed]))
        return made

    def close(self) -> None:
        """Close every object."""
        for made in self._opened:
            made.close()


@pytest.fixture
def store(server):
    made = OneCollection(server)
    yield made
    made.close()
    assert made.allowed.refused == [], "DocumentDB would not take this"


class TestDocumentDb(KeyedStoreContract, KeyedOwnersContract):
    pass


@ON_A_SERVER
@any_batches
def test_writes_in_any_order_and_any_batches_hold_the_newest(store, places, bodies):
    write_and_compare(store, places, bodies)


def test_what_documentdb_refuses_is_noticed():
    majority = {"writeConcern": {"w": "majority"}}
    pipeline = majority | {"updates": [{"q": {}, "u": [{"$set": {"at": "$$NOW"}}]}]}
    assert problems("update", pipeline) == ["a pipeline as an update", "the operator $$NOW"]
    assert problems("update", majority | {"txnNumber": 1, "updates": []}) == ["a retryable write or a transaction"]
    assert problems("update", {"updates": []}) == ["the write concern None"]
    assert problems("bulkWrite", {}) == ["the command bulkWrite"]
    assert problems("find", {"filter": {"$expr": {}}}) == ["the operator $expr"]
    assert problems("update", majority | {"updates": [{"q": {}, "u": {"$set": {"a": 1}}, "upsert": True}]}) == []


def test_an_address_for_reading_from_replicas_with_retries_changes_nothing(server):
    store = OneCollection(server, uri=f"{server.uri}/?readPreference=secondaryPreferred&retryWrites=true&w=0")
    rows, reader = opened(store), store.reader()
    assert rows.write([put("a", 1)]) == Written(applied=1)
    assert set(reader.read(["a"])) == {"a"}
    assert store.allowed.refused == []
    store.close()


def test_small_requests_hold_what_large_ones_do(server):
    store = OneCollection(server, rows_per_write=7, writers=3)
    rows = opened(store)
    every = [put(f"k{at}", 1) for at in range(100)]
    assert rows.write(every) == Written(applied=100)
    assert rows.write(every) == Written(stale=100)
    check_held(store, rows, every)
    store.close()


def test_more_rows_than_one_page_are_all_held_swept_and_purged(store, monkeypatch):
    monkeypatch.setattr("headrace.stores.keyed_documentdb._PAGE", 30)
    rows = opened(store)
    rows.write([put(f"k{at}", 1) for at in range(100)] + [gone("z", 1)])
    assert len(state(rows)) == 101
    assert rows.sweep(2) == 100
    assert rows.purge(2) == 101
    assert state(rows) == {}


def test_a_deleted_row_expires_and_a_living_one_does_not(store, server):
    rows = opened(store)
    rows.write([put("a", 1), put("b", 1)])
    rows.write([gone("a", 2)])
    with server.client() as client:
        kept = client["headrace"][store.settings.collection]
        assert kept.find_one({"_id": "a"}).keys() == {"_id", "v", "deleted", "expires"}
        assert kept.index_information()["expires"]["expireAfterSeconds"] == 0
        rows.write([put("a", 3)])
        assert kept.find_one({"_id": "a"}).keys() == {"_id", "v", "body"}


def test_a_collection_that_was_removed_is_missed_and_not_filled_by_a_write(store, server):
    rows = opened(store)
    rows.write([put("a", 1)])
    with server.client() as client:
        client["headrace"].drop_collection(store.settings.collection)
    for call in (lambda: rows.write([put("a", 2)]), rows.newest, lambda: list(rows.held()), lambda: rows.sweep(1)):
        with pytest.raises(NotThere):
            call()
    with server.client() as client:
        assert client["headrace"][store.settings.collection].count_documents({}) == 0
    rows.open(OWNER)
    assert rows.newest() == -1


def test_another_unique_index_is_not_taken_for_a_stale_row(store, server):
    rows = opened(store)
    with server.client() as client:
        client["headrace"][store.settings.collection].create_index("body", unique=True)
    written = rows.write([put("a", 1, {"same": 1}), put("b", 1, {"same": 1})])
    assert (written.applied, written.stale) == (1, 0)
    (failed,) = written.failed
    assert not failed.retry and "unique index" in failed.reason


def test_a_server_that_is_killed_amid_writes_holds_everything_after_they_are_repeated(tmp_path):
    server = Secantus(tmp_path / "own")
    if server.external:
        pytest.skip("it would kill a server that others use; run without HEADRACE_TEST_MONGODB")
    server.start()
    store = OneCollection(server, timeout="2s", rows_per_write=5)
    try:
        rows = opened(store)
        every = [gone(f"k{at % 40}", at) if at % 7 == 0 else put(f"k{at % 40}", at) for at in range(400)]
        kills = {60, 200}
        for at in range(0, 400, 20):
            if at in kills:
                server.kill9()
                with pytest.raises(Retryable):
                    rows.write(every[at : at + 20])
                server.start()
            rows.write(every[at : at + 20])
        for at in range(0, 400, 20):  # as after a crash of the publisher as well
            assert rows.write(every[at : at + 20]).failed == ()
        check_held(store, rows, every)
        assert store.allowed.refused == []
    finally:
        store.close()
        server.stop()


def test_a_server_that_is_away_is_unreachable_and_its_password_is_not_told():
    uri = f"mongodb://me:hunter2%2F%40@127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=60000"
    settings = DocumentDbRows(store="documentdb", uri=uri, tls=False, timeout="1s")
    rows, reader = DocumentDbStore(settings), DocumentDbReader(settings)
    for call in (lambda: rows.open(OWNER), lambda: reader.read(["a"])):
        with pytest.raises(Unreachable) as caught:
            call()
        assert "hunter2" not in str(caught.value) and caught.value.__cause__ is None
    reader.close()


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://me:hunter2:x@host/",
        "mongodb://me:hunter2@x@host/",
        "mongodb://me:hunter2/x@host/",
        "mongodb://me:27017/hunter2@host/",
        "mongodb://me:hunter2%zz@host/",
        "postgres://me:hunter2@host/",
        "me:hunter2@host",
        "mongodb://me:27017?hunter2=x@host/",
        "mongodb://me:hunter2@host:port/",
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(uri):
    settings = DocumentDbRows(store="documentdb", uri=uri, timeout="1s")
    with pytest.raises(HeadraceError) as caught:
        DocumentDbStore(settings).open(OWNER)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(settings)


def test_a_wrong_password_is_fatal_and_not_told(tmp_path):
    server = Secantus(tmp_path / "login")
    server.start()
    with server.client() as client:
        client.admin.command(
            "createUser", "me", pwd="right-one", roles=[{"role": "readWriteAnyDatabase", "db": "admin"}]
        )
    server.stop()
    server = Secantus(tmp_path / "login", "--auth").start()
    try:
        store = OneCollection(server, uri=f"mongodb://me:hunter2@127.0.0.1:{server.port}")
        with pytest.raises(Fatal, match="uri") as caught:
            store.rows().open(OWNER)
        assert "hunter2" not in str(caught.value)
        right = OneCollection(server, uri=f"mongodb://me:right-one@127.0.0.1:{server.port}")
        assert opened(right).write([put("a", 1)]) == Written(applied=1)
        right.close()
    finally:
        server.stop()


def test_a_certificate_that_is_not_trusted_is_fatal(tmp_path):
    tls = Path(__file__).parents[1] / "data" / "tls"
    server = Secantus(
        tmp_path / "tls", "--tls-cert-file", str(tls / "server.pem"), "--tls-key-file", str(tls / "server-key.pem")
    ).start()
    try:
        with pytest.raises(Fatal, match="ca_file"):
            OneCollection(server, tls=True, timeout="3s").rows().open(OWNER)
        trusting = OneCollection(server, tls=True, ca_file=str(tls / "server.pem"))
        assert opened(trusting).write([put("a", 1)]) == Written(applied=1)
        trusting.close()
        with pytest.raises(Fatal, match="certificates"):
            OneCollection(server, tls=True, ca_file=str(tmp_path / "none.pem")).rows().open(OWNER)
    finally:
        server.stop()
