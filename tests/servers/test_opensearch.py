"""OpenSearch as a vector index, on a real node."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count

import pytest

from conformance.random_writes import ON_A_SERVER, any_batches, write_and_compare
from headrace.config_indexes import OpenSearchIndex
from headrace.errors import ConfigError, Fatal, Unreachable
from headrace.ports import Filters, Model, Written
from headrace.stores.opensearch_index import OpenSearchVectorIndex
from headrace.stores.opensearch_search import OpenSearchPassageReader
from headrace.testing.index_generations import GenerationsContract
from headrace.testing.passage_reader import PassageReaderContract
from headrace.testing.passages import MODEL, NOW, direction, gone, put
from headrace.testing.vector_index import OWNER, VectorIndexContract, opened, state

from .opensearch import OpenSearch
from .process import free_port

NUMBERS = count(1)


@pytest.fixture
def server(opensearch: OpenSearch) -> OpenSearch:
    """The node."""
    return opensearch


class OpenSearchStore:
    """One index of the node."""

    def __init__(self, server: OpenSearch, **settings) -> None:
        self.server = server
        self.name = f"passages-{next(NUMBERS)}"
        chosen = {"hosts": server.url, "index": self.name, "refresh": "1s"} | settings
        self.settings = OpenSearchIndex(store="opensearch", **chosen)
        self._opened = []

    def index(self, generation: str) -> OpenSearchVectorIndex:
        """A writer."""
        self._opened.append(made := OpenSearchVectorIndex(self.settings, generation))
        return made

    def reader(self, clock: Callable[[], datetime]) -> OpenSearchPassageReader:
        """A reader."""
        self._opened.append(made := OpenSearchPassageReader(self.settings, clock))
        return made

    def refresh(self) -> None:
        """Refresh all generations."""
        self.server.call("POST", f"/{self.name}__*/_refresh")

    def forget_deletes(self) -> None:
        """The server forgets deletes at a refresh after `gc_deletes`; its clock ticks once a second."""
        self.server.call("PUT", f"/{self.name}__*/_settings", {"index": {"gc_deletes": "1ms"}})
        time.sleep(1.2)
        self.refresh()

    def close(self) -> None:
        """Close every object and remove the index."""
        for made in self._opened:
            made.close()
        self.server.call("DELETE", f"/{self.name}__*,{self.name}--*")


@pytest.fixture
def store(server):
    made = OpenSearchStore(server)
    yield made
    made.close()


class TestOpenSearch(VectorIndexContract, GenerationsContract, PassageReaderContract):
    pass


@ON_A_SERVER
@any_batches
def test_writes_in_any_order_and_any_batches_hold_the_newest(store, batches):
    write_and_compare(store, batches)


def test_the_server_itself_forgets_deletes_which_is_why_they_are_documents(store, server):
    opened(store)
    index = f"/{store.name}__g1/_doc/bare"
    server.call("PUT", f"{index}?version=1&version_type=external", {"row": {"key": "bare"}})
    server.call("DELETE", f"{index}?version=3&version_type=external")
    store.forget_deletes()
    answer = server.call("PUT", f"{index}?version=2&version_type=external", {"row": {"key": "bare"}})
    assert answer["result"] == "created"


def test_faiss_on_a_server_without_its_library_is_refused_soon(server):
    store = OpenSearchStore(server, engine="faiss")
    started = time.monotonic()
    with pytest.raises(Fatal, match="engine: lucene"):
        opened(store)
    assert time.monotonic() - started < 15
    assert not [name for name in server.call("GET", "/_aliases") if "probe" in name]
    store.close()


def test_a_host_that_does_not_answer_is_unreachable_soon(server):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (free_port(), silent.getsockname()[1]):
            store = OpenSearchStore(server, hosts=f"http://me:secret@127.0.0.1:{port}", timeout="2s")
            started = time.monotonic()
            with pytest.raises(Unreachable, match=rf"hosts.*http://127.0.0.1:{port}") as caught:
                opened(store)
            assert time.monotonic() - started < 5
            assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("status", "error", "said"), [(401, Fatal, "auth: none"), (404, Fatal, "something else")])
def test_a_server_that_refuses_us_is_named(server, status, error, said):
    with answering(status) as url, pytest.raises(error, match=said):
        opened(OpenSearchStore(server, hosts=url))


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The URL of a server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}"
        finally:
            web.shutdown()
            thread.join()


def test_https_to_a_plain_server_names_the_certificate(server):
    store = OpenSearchStore(server, hosts=server.url.replace("http:", "https:"))
    with pytest.raises((Fatal, Unreachable), match="http:// or https://"):
        opened(store)


def test_a_missing_certificate_file_is_named(server, tmp_path):
    store = OpenSearchStore(server, ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        opened(store)


def test_an_index_of_that_name_is_not_overwritten(store, server):
    server.call("PUT", f"/{store.name}", {})
    try:
        with pytest.raises(Fatal, match="becomes an alias"):
            opened(store)
    finally:
        server.call("DELETE", f"/{store.name}")


def test_a_model_named_at_open_is_kept_and_another_is_refused(store):
    index = OpenSearchVectorIndex(store.settings, "g1", Model(*MODEL))
    index.open(OWNER)
    index.write([gone("a", 1)])
    index.activate("g1")
    index.close()
    assert store.reader(lambda: NOW).model() == MODEL
    with pytest.raises(Fatal, match="new generation"):
        OpenSearchVectorIndex(store.settings, "g1", Model("other", 4, "x")).open(OWNER)


def test_two_writers_that_begin_together_agree_on_the_first_model(store):
    first, second = opened(store), opened(store)
    assert first.write([put("a", 1)]).applied == 1
    written = second.write([put("b", 1, model=("other", 4, "x"), vector=direction(1, dimension=4)), gone("c", 1)])
    assert (written.applied, [failed.key for failed in written.failed]) == (1, ["b"])


def test_small_requests_hold_what_large_ones_do(server):
    store = OpenSearchStore(server, rows_per_write=7, bytes_per_write=3_000)
    index = opened(store)
    assert index.write([put(f"k{at}", 1) for at in range(50)]) == Written(applied=50)
    assert len(state(index)) == 50
    store.close()


def test_more_rows_than_one_page_are_all_held_and_swept(store, monkeypatch):
    monkeypatch.setattr("headrace.stores.opensearch_index._PAGE", 30)
    index = opened(store)
    index.write([put(f"k{at}", 1) for at in range(100)] + [gone("z", 1)])
    assert len(state(index)) == 101
    assert index.sweep(2) == 100
    assert index.purge(2) == 101
    assert state(index) == {}


def test_an_index_of_a_longer_name_is_left_alone(store, server):
    longer = OpenSearchStore(server, index=f"{store.name}__more")
    for each in (store, longer):
        index = opened(each)
        index.write([put("a", 1, text=each.settings.index)])
        index.activate("g1")
    assert opened(store).generations() == ["g1"]
    store.refresh()
    for each in (store, longer):
        (hit,) = each.reader(lambda: NOW).by_vector(direction(1).tolist(), Filters(), 5)
        assert hit.body["text"] == each.settings.index


def test_words_are_found_without_their_accents(store):
    index = opened(store)
    index.write([put("a", 1, text="Überfälliges Gepäck in São Paulo")])
    index.activate("g1")
    for question in ("uberfalliges", "SAO"):
        assert [hit.key for hit in store.reader(lambda: NOW).by_words(question, Filters(), 5)] == ["a"]


def test_documents_are_counted_by_the_server_as_by_us(store, server):
    index = opened(store)
    index.write([put(f"k{at}", at + 1) for at in range(20)] + [gone("x", 1)])
    store.refresh()
    living = {"query": {"term": {"row.deleted": False}}}
    assert server.call("POST", f"/{store.name}__g1/_count", living)["count"] == 20
