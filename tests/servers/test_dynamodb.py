"""DynamoDB as a store of rows by key, on DynamoDB Local; not on DynamoDB itself."""

from itertools import count

import pytest

from conformance.random_keyed_writes import ON_A_SERVER, any_batches, write_and_compare
from headrace.errors import Fatal, NotThere, Retryable, Unreachable
from headrace.ports import Written
from headrace.stores import dynamodb_table
from headrace.stores.keyed_dynamodb import MOST_BYTES, DynamoDbStore
from headrace.stores.keyed_dynamodb_reader import DynamoDbReader
from headrace.testing.keyed_owners import KeyedOwnersContract
from headrace.testing.keyed_store import KeyedStoreContract, check_held, gone, opened, put, state
from headrace.testing.vector_index import OWNER

from .dynamodb import ENVIRONMENT, DynamoDbLocal
from .process import free_port

NUMBERS = count(1)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = DynamoDbLocal(tmp_path_factory.mktemp("dynamodb"), in_memory=True)
    try:
        yield made.start()
    finally:
        made.stop()


class OneTable:
    """One table of the server."""

    most_bytes = MOST_BYTES
    remembers_purges = False

    def __init__(self, server: DynamoDbLocal, **settings) -> None:
        self.settings = server.settings(f"rows{next(NUMBERS)}", **settings)
        self._opened: list[DynamoDbStore | DynamoDbReader] = []

    def rows(self) -> DynamoDbStore:
        """A writer."""
        self._opened.append(made := DynamoDbStore(self.settings))
        return made

    def reader(self) -> DynamoDbReader:
        """A reader."""
        self._opened.append(made := DynamoDbReader(self.settings))
        return made

    def close(self) -> None:
        """Close every object."""
        for made in self._opened:
            made.close()


@pytest.fixture
def store(server):
    made = OneTable(server)
    yield made
    made.close()


@pytest.fixture
def client(store):
    made = dynamodb_table.client(store.settings)
    yield made
    made.close()


class TestDynamoDb(KeyedStoreContract, KeyedOwnersContract):
    pass


@ON_A_SERVER
@any_batches
def test_writes_in_any_order_and_any_batches_hold_the_newest(store, places, bodies):
    write_and_compare(store, places, bodies)


def test_the_table_is_made_with_time_to_live_and_only_where_that_is_wanted(store, server, client):
    with pytest.raises(Fatal, match="create: true"):
        OneTable(server, create=False).rows().open(OWNER)
    rows = opened(store)
    rows.write([put("a", 1)])
    rows.write([gone("a", 2)])
    found = client.describe_time_to_live(TableName=store.settings.table)["TimeToLiveDescription"]
    assert (found["TimeToLiveStatus"], found["AttributeName"]) == ("ENABLED", "expires")
    about = client.describe_table(TableName=store.settings.table)["Table"]
    assert about["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    item = client.get_item(TableName=store.settings.table, Key={"pk": {"S": "a"}})["Item"]
    assert item.keys() == {"pk", "v", "deleted", "expires"}


def test_a_table_with_another_key_is_refused(store, client):
    client.create_table(
        TableName=store.settings.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(Fatal, match="string key pk"):
        opened(store)


def test_a_table_that_was_removed_or_emptied_is_missed(store, client):
    rows = opened(store)
    rows.write([put("a", 1)])
    client.delete_item(TableName=store.settings.table, Key={"pk": {"S": "headrace:claim"}})
    for call in (lambda: rows.write([put("a", 2)]), rows.newest):
        with pytest.raises(NotThere):
            call()
    client.delete_table(TableName=store.settings.table)
    for call in (lambda: rows.write([put("a", 2)]), rows.newest, lambda: list(rows.held()), lambda: rows.purge(1)):
        with pytest.raises(NotThere):
            call()
    rows.open(OWNER)
    assert rows.newest() == -1


def test_more_rows_than_one_page_are_all_held_swept_and_purged(store):
    rows = opened(store)
    large = {"a": "x" * 150_000}
    every = [put(f"k{at}", 1, large) for at in range(20)]  # a page of a scan is 1 MB
    rows.write(every)
    assert len(state(rows)) == 20
    reader = store.reader()
    assert len(reader.read([row.key for row in every])) == 20
    assert rows.sweep(2) == 20
    assert rows.purge(2) == 20
    assert state(rows) == {}
    reader.close()


def test_the_highest_version_is_kept_before_its_row_is_written(store, client, monkeypatch):
    rows = opened(store)
    rows.write([put("a", 1)])
    monkeypatch.setattr(rows, "_put", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rows.write([put("a", 9)])
    assert rows.newest() == 9


def test_every_read_asks_for_what_was_confirmed(store):
    """The emulator always answers so; DynamoDB itself only where it is asked to."""
    rows, reader = opened(store), store.reader()
    asked = []
    for made in (rows._client, reader._client):
        made.meta.events.register("before-parameter-build.dynamodb.*", lambda params, **_: asked.append(params))
    rows.write([put("a", 1)])
    list(rows.held())
    rows.newest()
    reader.read(["a"])
    one = [params["ConsistentRead"] for params in asked if "Key" in params and "UpdateExpression" not in params]
    many = [
        params["RequestItems"][store.settings.table]["ConsistentRead"] for params in asked if "RequestItems" in params
    ]
    scans = [params["ConsistentRead"] for params in asked if "ProjectionExpression" in params]
    assert (one, many, scans) == ([True, True], [True], [True])


class Throttling:
    """A client that answers some puts as a busy table does."""

    def __init__(self, real, code: str, keys: set[str], status: int = 400) -> None:
        self.real, self.code, self.keys, self.status = real, code, keys, status

    def __getattr__(self, name):
        return getattr(self.real, name)

    def put_item(self, **asked):
        from botocore.exceptions import ClientError

        if asked["Item"]["pk"]["S"] in self.keys:
            said = {"Error": {"Code": self.code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": self.status}}
            raise ClientError(said, "PutItem")
        return self.real.put_item(**asked)


@pytest.mark.parametrize(
    ("code", "status", "retry"),
    [
        ("ProvisionedThroughputExceededException", 400, True),
        ("ThrottlingException", 400, True),
        ("InternalServerError", 500, True),
        ("ServiceUnavailable", 503, True),
        ("ValidationException", 400, False),
    ],
)
def test_a_row_that_is_refused_fails_alone(store, code, status, retry):
    rows = opened(store)
    rows._client = Throttling(rows._client, code, {"b"}, status)
    written = rows.write([put("a", 1), put("b", 1), put("c", 1)])
    assert written.applied == 2
    assert [(failed.key, failed.retry) for failed in written.failed] == [("b", retry)]
    rows._client = rows._client.real
    assert rows.write([put("b", 1)]) == Written(applied=1)


def test_a_missing_right_is_fatal_and_says_which(store):
    rows = opened(store)
    rows._client = Throttling(rows._client, "AccessDeniedException", {"b"})
    with pytest.raises(Fatal, match="PutItem"):
        rows.write([put(f"k{at}", 1) for at in range(20)] + [put("b", 1)])


def test_no_credentials_are_fatal(store, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(Fatal, match="credentials"):
        opened(store)


def test_a_server_that_is_away_is_unreachable(server):
    store = OneTable(server, endpoint=f"http://127.0.0.1:{free_port()}", timeout="1s")
    with pytest.raises(Unreachable, match="endpoint"):
        opened(store)
    with pytest.raises(Unreachable):
        store.reader().read(["a"])
    store.close()


def test_a_server_that_is_killed_amid_writes_holds_everything_after_they_are_repeated(tmp_path):
    server = DynamoDbLocal(tmp_path / "own").start()
    store = OneTable(server, timeout="5s")
    try:
        rows = opened(store)
        every = [gone(f"k{at % 40}", at) if at % 7 == 0 else put(f"k{at % 40}", at) for at in range(400)]
        for at in range(0, 400, 20):
            if at in (60, 200):
                server.kill9()
                with pytest.raises(Retryable):
                    rows.write(every[at : at + 20])
                server.start()
            rows.write(every[at : at + 20])
        for at in range(0, 400, 20):  # as after a crash of the publisher as well
            assert rows.write(every[at : at + 20]).failed == ()
        check_held(store, rows, every)
    finally:
        store.close()
        server.stop()
