"""The mode for collections that refuse document ids, on a plain node: what it sends has no ids to refuse."""

from itertools import count

import pytest

from headrace.config_indexes import OpenSearchIndex, ServerlessVectorIndex
from headrace.errors import Fatal
from headrace.ports import Filters, Written
from headrace.stores import opensearch_serverless
from headrace.stores.opensearch_serverless import ServerlessPassageReader, ServerlessVectorStore
from headrace.testing.passages import MODEL, NOW, direction, gone, put
from headrace.testing.vector_index import OWNER, state

NUMBERS = count(1)


@pytest.fixture
def settings(opensearch, monkeypatch):
    """Settings whose requests go to the node, unsigned and with its engine; the node is refreshed at each look."""
    given = ServerlessVectorIndex(
        store="opensearch_serverless_vector", host=opensearch.url, index=f"vectors-{next(NUMBERS)}", region="eu-west-1"
    )

    def plain(wanted):
        return OpenSearchIndex(store="opensearch", hosts=(wanted.host,), index=wanted.index, rows_per_write=7)

    monkeypatch.setattr(opensearch_serverless, "as_opensearch", plain)
    yield given
    opensearch.call("DELETE", f"/{given.index}__*")


@pytest.fixture
def index(settings):
    made = ServerlessVectorStore(settings, "g1")
    made.open(OWNER)
    yield made
    made.close()


def test_no_request_names_a_document(index, monkeypatch):
    sent = []
    call = index._server.call

    def watched(method, path, body=None, *rest, **more):
        sent.append((method, path, body))
        return call(method, path, body, *rest, **more)

    monkeypatch.setattr(index._server, "call", watched)
    index.write([put("a", 1), gone("b", 1)])
    index.write([put("a", 2)])
    bodies = [body for _, path, body in sent if path.endswith("_bulk")]
    assert len(bodies) == 3
    assert all(b'"index":{}' in body or b'"delete"' in body for body in bodies)
    assert not [path for _, path, _ in sent if "/_doc/" in path or "/_create/" in path]


def test_newer_wins_and_older_is_stale(index):
    assert index.write([put("a", 5), put("b", 5), gone("never", 5)]) == Written(applied=3)
    assert index.write([put("a", 6), put("b", 5), put("b", 4), put("never", 4)]) == Written(applied=1, stale=3)
    assert state(index) == {"a": (6, False), "b": (5, False), "never": (5, True)}


def test_only_the_newest_state_is_left_and_found(index, settings, opensearch):
    index.write([put("a", 1, "copper"), put("b", 1, "wire")])
    index.write([put("a", 2, "silver"), gone("b", 2)])
    index.activate("g1")
    opensearch.call("POST", f"/{settings.index}__g1/_refresh")
    assert opensearch.call("GET", f"/{settings.index}__g1/_count")["count"] == 2
    reader = ServerlessPassageReader(settings, lambda: NOW)
    assert reader.model() == MODEL
    assert [hit.key for hit in reader.by_words("silver copper wire", Filters(), 5)] == ["a"]
    (hit,) = reader.by_vector(direction(1).tolist(), Filters(), 5)
    assert (hit.key, hit.version, hit.body["text"]) == ("a", 2, "silver")
    reader.close()


def test_a_row_that_is_refused_is_reported_while_the_rest_lands(index):
    rows = [put(f"k{at}", 1) for at in range(20)] + [put("k" * 50, 1, language="x" * 40_000)]
    written = index.write(rows)
    assert (written.applied, [failed.key for failed in written.failed]) == (20, ["k" * 50])


def test_sweep_and_purge(index):
    index.write([put("old", 1), put("same", 9), put("new", 10), gone("gone", 1)])
    assert index.sweep(10) == 2
    assert index.write([put("old", 5)]) == Written(stale=1)
    assert state(index) == {"old": (9, True), "same": (9, True), "new": (10, False), "gone": (1, True)}
    assert index.purge(9) == 1
    assert "gone" not in state(index)


def test_another_owner_is_refused_and_generations_are_switched(index, settings):
    with pytest.raises(Fatal, match="another index"):
        ServerlessVectorStore(settings, "g1").open("outbox-2")
    index.write([put("a", 1)])
    second = ServerlessVectorStore(settings, "g2")
    second.open(OWNER)
    second.activate("g2")
    assert (index.generations(), index.active()) == (["g1", "g2"], "g2")
    with pytest.raises(Fatal):
        index.drop("g2")
    index.drop("g1")
    assert second.generations() == ["g2"]
    second.close()
