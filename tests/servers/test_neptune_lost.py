"""The identity graph on a Gremlin Server that dies, and on connections that are cut: made anew, signed anew."""

from collections.abc import Sequence
from random import Random
from threading import Timer

import pytest

from headrace.errors import NotThere, Unreachable
from headrace.ports import Projected
from headrace.stores import gremlin_client
from headrace.stores.neptune_graph import NeptuneStore
from headrace.testing.keyed_store import state
from headrace.testing.vector_index import OWNER, oracle

from .between import Between
from .gremlin import Gremlin
from .identity_graph import edges, some_rows, wanted

# Of the driver's own, half-made objects.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Gremlin(tmp_path_factory.mktemp("gremlin"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def store(server):
    """An opened store on an empty graph."""
    made = NeptuneStore(server.settings())
    emptying = gremlin_client.Server(server.settings())
    emptying.graph.V().drop().iterate()
    emptying.close()
    made.open(OWNER)
    yield made
    made.close()


def of_the_table(rows: Sequence[Projected]) -> list[Projected]:
    """The newest row of each key, as a store that is made again is filled from the table."""
    return list({row.key: row for row in rows}.values())


def test_a_server_that_is_killed_amid_writes_and_lost_all_is_made_again_and_filled(tmp_path):
    """As `build_profiles` does it: TinkerGraph lies in memory, so the claim is gone, and `NotThere` asks for a fill."""
    server = Gremlin(tmp_path / "own").start()
    store = NeptuneStore(server.settings(timeout="5s"))
    rows = some_rows(Random(7), 60)
    try:
        store.open(OWNER)
        for at in range(0, 60, 5):
            if at in (20, 40):
                server.kill9()
                with pytest.raises(Unreachable):
                    store.write(rows[at : at + 5])
                with pytest.raises(Unreachable):
                    store.newest()
                server.start()
                with pytest.raises(NotThere):
                    store.write(rows[at : at + 5])
                store.open(OWNER)
                assert store.write(of_the_table(rows[:at])).failed == ()
            assert store.write(rows[at : at + 5]).failed == ()
        for at in range(0, 60, 5):  # as after a crash of the publisher as well
            assert store.write(rows[at : at + 5]).failed == ()
        assert (state(store), edges(store)) == (oracle(rows), wanted(rows))
    finally:
        store.close()
        server.stop()


def test_connections_that_are_cut_amid_writes_are_made_again_and_repeats_give_the_same_graph(store, server):
    """Here the graph stays, with whatever part of a write it took."""
    between = Between(server.port)
    cut_off = NeptuneStore(server.settings(url=f"ws://127.0.0.1:{between.port}/gremlin", timeout="5s"))
    random, lost = Random(3), 0
    rows = some_rows(random, 60)
    try:
        cut_off.open(OWNER)
        for at in range(0, 60, 5):
            timer = Timer(random.uniform(0, 0.05), between.cut)
            timer.start()
            try:
                cut_off.write(rows[at : at + 5])
            except Unreachable:
                lost += 1
            timer.join()
            for _ in range(2):  # a cut that came between two writes is seen by the next
                try:
                    assert cut_off.write(rows[at : at + 5]).failed == ()
                    break
                except Unreachable:
                    lost += 1
            else:
                pytest.fail("it did not connect again")
        assert lost >= 6 and len(between.beginnings) == lost + 1
        assert (state(store), edges(store)) == (oracle(rows), wanted(rows))
    finally:
        cut_off.close()
        between.close()


def test_every_new_connection_is_signed_anew_with_the_credentials_of_that_moment(server, store, monkeypatch):
    between = Between(server.port)
    url = f"ws://127.0.0.1:{between.port}/gremlin"
    signing = NeptuneStore(server.settings(url=url, auth="aws", region="eu-central-1", timeout="5s"))
    sessions = {"AKIAFIRST": "token-of-an-hour", "AKIASECOND": "token-of-the-next"}
    try:
        for number, (key, token) in enumerate(sessions.items()):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"secret of {key}")
            monkeypatch.setenv("AWS_SESSION_TOKEN", token)
            if number:
                between.cut()
                with pytest.raises(Unreachable):
                    signing.newest()
            else:
                signing.attach(OWNER)
            assert signing.newest() == -1
        assert len(between.beginnings) == len(sessions)
        for (key, token), seen in zip(sessions.items(), between.beginnings, strict=True):
            assert seen[""] == "GET /gremlin HTTP/1.1" and seen["x-amz-security-token"] == token
            assert seen["authorization"] == signature(url, key, token, seen)
            assert "secret" not in str(seen)
    finally:
        signing.close()
        between.close()


def signature(url: str, key: str, token: str, seen: dict[str, str]) -> str:
    """What botocore writes for a request with the host and at the time that the server saw."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    sent = {"Host": seen["host"], "X-Amz-Date": seen["x-amz-date"], "X-Amz-Security-Token": token}
    request = AWSRequest("GET", url.replace("ws", "http", 1), headers=sent)
    request.context["timestamp"] = seen["x-amz-date"]
    auth = SigV4Auth(Credentials(key, f"secret of {key}", token), "neptune-db", "eu-central-1")
    names = "host;x-amz-date;x-amz-security-token"
    made = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    scope = f"{key}/{seen['x-amz-date'][:8]}/eu-central-1/neptune-db/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={made}"
