"""The identity graph on a Gremlin Server; not on Neptune itself."""

from random import Random

import pytest

from headrace.errors import Fatal, NotThere, Unreachable
from headrace.ports import Projected, Written
from headrace.stores import gremlin_client
from headrace.stores.neptune_graph import NeptuneStore
from headrace.testing.keyed_store import gone, state
from headrace.testing.vector_index import OWNER, oracle

from .gremlin import Gremlin
from .identity_graph import alias, edges, profile, some_rows, wanted
from .process import free_port


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


def test_a_person_s_records_and_identifiers_become_a_graph(store):
    rows = [profile("a", 3, "crm:1 email:x", "crm:1 phone:y", "web:2 email:x")]
    assert store.write(rows) == Written(applied=1)
    assert edges(store) == wanted(rows)
    assert state(store) == {"p:a": (3, False)}


def test_an_equal_or_older_version_changes_nothing(store):
    rows = [profile("a", 3, "crm:1 email:x")]
    store.write(rows)
    for older in (profile("a", 3, "crm:9 email:z"), profile("a", 2), gone("p:a", 1), alias("a", 3, "b")):
        assert store.write([older]) == Written(stale=1)
    assert edges(store) == wanted(rows)


def test_what_a_newer_version_does_not_name_is_dropped(store):
    store.write([profile("a", 1, "crm:1 email:x", "web:2 email:x", "web:2 phone:y")])
    rows = [profile("a", 2, "web:2 phone:y")]
    assert store.write(rows) == Written(applied=1)
    assert edges(store) == wanted(rows)


def test_a_merge_in_either_order_leaves_the_records_with_their_new_person(store):
    before = [profile("a", 1, "crm:1 email:x"), profile("b", 1, "web:2 email:x")]
    after = [profile("a", 2, "crm:1 email:x", "web:2 email:x"), alias("b", 2, "a")]
    for rows in (after, after[::-1]):
        store.write(before)
        for row in rows:
            store.write([row])
        assert edges(store) == wanted(before + after)
        store._graph().V().has_label("person", "record", "identifier").drop().iterate()


def test_an_alias_may_come_before_its_person_and_may_change(store):
    store.write([alias("b", 1, "later")])
    assert (edges(store), state(store)) == ({"alias p:b p:later"}, {"p:b": (1, False)})
    store.write([profile("later", 2, "crm:1 email:x"), alias("b", 3, "other")])
    assert edges(store) == {"alias p:b p:other", "has p:later r:crm:1", "shows r:crm:1 i:email:x"}


def test_a_deleted_person_keeps_its_version_and_nothing_else_until_it_is_purged(store):
    store.write([profile("a", 1, "crm:1 email:x"), profile("b", 1, "web:2 email:x")])
    assert store.write([gone("p:a", 3), gone("p:never", 4)]) == Written(applied=2)
    assert store.write([profile("a", 2, "crm:1 email:x"), profile("never", 2)]) == Written(stale=2)
    assert edges(store) == {"has p:b r:web:2", "shows r:web:2 i:email:x"}
    assert state(store) == {"p:a": (3, True), "p:b": (1, False), "p:never": (4, True)}
    assert store.purge(4) == 1
    assert state(store) == {"p:b": (1, False), "p:never": (4, True)}
    vertices = set(store._graph().V().has_label("record", "identifier").id_().to_list())
    assert vertices == {"r:web:2", "i:email:x"}
    assert store.write([profile("never", 5, "crm:1 email:x")]) == Written(applied=1)
    assert state(store)["p:never"] == (5, False)


def test_what_was_purged_comes_back_by_nothing_older(server, store):
    store.write([profile("a", 1, "crm:1 email:x"), gone("p:b", 3), gone("p:c", 9)])
    assert store.purge(5) == 1
    late = [profile("b", 4, "crm:2 email:y"), profile("new", 2), gone("p:b", 1), alias("late", 4, "a")]
    assert [store.write([row]) for row in late] == [Written(stale=1)] * 4
    store.write([alias("d", 6, "b")])  # b is there again, as where an alias leads to
    again = NeptuneStore(server.settings())
    again.open(OWNER)
    assert again.write([profile("b", 4, "crm:2 email:y"), profile("a", 2, "crm:3 email:z")]) == Written(1, 1)
    assert again.purge(2) == 0
    assert again.write([profile("b", 4)]) == Written(stale=1)
    assert again.write([profile("b", 5, "crm:2 email:y")]) == Written(applied=1)
    again.close()
    assert state(store) == {"p:a": (2, False), "p:b": (5, False), "p:c": (9, True), "p:d": (6, False)}


def test_a_record_without_identifiers_belongs_to_its_person_and_shows_nothing(store):
    store.write([Projected(f"p:{one}", 1, False, {"kind": "profile", "links": [["crm", one, "", ""]]}) for one in "ab"])
    assert edges(store) == {"has p:a r:crm:a", "has p:b r:crm:b"}
    assert not store._graph().V().has_label("identifier").has_next()
    assert store.write([profile("a", 2, "crm:a email:x")]) == Written(applied=1)
    assert "shows r:crm:a i:email:x" in edges(store)


def test_a_sweep_deletes_what_is_older_and_keeps_it_out(store):
    store.write([profile("old", 1, "crm:1 email:x"), profile("new", 10, "crm:2 email:x"), gone("p:gone", 1)])
    assert (store.sweep(10), store.sweep(10)) == (1, 0)
    assert store.write([profile("old", 9)]) == Written(stale=1)
    assert edges(store) == {"has p:new r:crm:2", "shows r:crm:2 i:email:x"}
    assert store.newest() == 10


def test_rows_that_are_no_person_are_left_out_and_bad_ones_fail_alone(store):
    written = store.write(
        [
            Projected("i:email:x", 1, False, {"person": "a"}),
            Projected("p:bad", 1, False, {"kind": "profile", "links": [["crm", 1, "email", "x"]]}),
            Projected("p:odd", 1, False, {"kind": "what"}),
            profile("a", 1, "crm:1 email:x"),
        ]
    )
    assert written.applied == 2
    assert {failed.key: failed.retry for failed in written.failed} == {"p:bad": False, "p:odd": False}
    assert state(store) == {"p:a": (1, False)}


def test_many_links_are_several_queries_and_the_same_graph(store):
    many = [f"crm:{at} email:{at % 7}" for at in range(130)]
    rows = [profile("a", 1, *many)]
    assert store.write(rows) == Written(applied=1)
    assert edges(store) == wanted(rows)
    assert store.write([profile("a", 1, "crm:x email:x")]) == Written(stale=1)
    assert store.write([profile("a", 2, *many[:5])]) == Written(applied=1)
    assert edges(store) == wanted([profile("a", 2, *many[:5])])


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_repeats_give_the_graph_of_the_newest_rows(store, seed):
    random = Random(seed)
    rows = some_rows(random, 24)
    shuffled = rows + random.sample(rows, 8)
    random.shuffle(shuffled)
    for at in range(0, len(shuffled), 5):
        written = store.write(shuffled[at : at + 5])
        assert written.failed == ()
    assert state(store) == oracle(rows)
    assert edges(store) == wanted(rows)


def test_a_second_owner_is_refused_and_who_looks_makes_nothing(store, server):
    with pytest.raises(Fatal, match=r"outbox-1.*outbox-2|outbox-2.*outbox-1"):
        NeptuneStore(server.settings()).open("outbox-2")
    looking = NeptuneStore(server.settings())
    looking.attach(OWNER)
    assert looking.newest() == -1
    store._graph().V().drop().iterate()
    for call in (looking.newest, lambda: looking.write([profile("a", 1)]), lambda: looking.attach(OWNER)):
        with pytest.raises(NotThere):
            call()
    looking.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the driver's own, half-made objects
def test_a_server_that_is_away_is_unreachable(server):
    settings = server.settings(url=f"ws://127.0.0.1:{free_port()}/gremlin", timeout="2s")
    with pytest.raises(Unreachable, match="url"):
        NeptuneStore(settings).open(OWNER)


def test_a_request_is_signed_for_iam(server, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-secret")
    settings = server.settings(url="wss://graph.example:8182/gremlin", auth="aws", region="eu-central-1")
    headers = gremlin_client.signed(settings)
    assert "/eu-central-1/neptune-db/aws4_request" in headers["Authorization"]
    assert "not-a-real-secret" not in str(headers)
    assert gremlin_client.signed(server.settings()) is None
