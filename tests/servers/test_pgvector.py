"""PostgreSQL with pgvector as a vector index, on a real server."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest

from conformance.random_writes import ON_A_SERVER, any_batches, write_and_compare
from headrace.config_indexes import PgvectorIndex
from headrace.errors import Fatal, Unreachable
from headrace.ports import Filters, Model
from headrace.stores.pgvector_index import PgvectorVectorIndex
from headrace.stores.pgvector_search import PgvectorPassageReader
from headrace.testing.index_generations import GenerationsContract
from headrace.testing.passage_reader import PassageReaderContract
from headrace.testing.passages import MODEL, NOW, direction, put
from headrace.testing.vector_index import OWNER, VectorIndexContract, opened, state

from .postgres import Postgres, packaged
from .process import free_port

NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running server; $HEADRACE_TEST_PGVECTOR may name another."""
    made = Postgres(tmp_path_factory.mktemp("pgvector") / "data", packaged(), "HEADRACE_TEST_PGVECTOR")
    try:
        yield made.start()
    finally:
        made.stop()


class PgvectorStore:
    """One view and its tables."""

    def __init__(self, server: Postgres, **settings) -> None:
        chosen = {"url": server.url, "table": f"passages_{next(NUMBERS)}"} | settings
        self.settings = PgvectorIndex(store="pgvector", **chosen)
        self._opened = []

    def index(self, generation: str) -> PgvectorVectorIndex:
        """A writer."""
        self._opened.append(made := PgvectorVectorIndex(self.settings, generation))
        return made

    def reader(self, clock: Callable[[], datetime]) -> PgvectorPassageReader:
        """A reader."""
        self._opened.append(made := PgvectorPassageReader(self.settings, clock))
        return made

    def refresh(self) -> None:
        """Readers see every commit."""

    def forget_deletes(self) -> None:
        """It never does."""

    def close(self) -> None:
        """Close every object."""
        for made in self._opened:
            made.close()


@pytest.fixture
def store(server):
    made = PgvectorStore(server)
    yield made
    made.close()


class TestPgvector(VectorIndexContract, GenerationsContract, PassageReaderContract):
    pass


@ON_A_SERVER
@any_batches
def test_writes_in_any_order_and_any_batches_hold_the_newest(store, batches):
    write_and_compare(store, batches)


def test_a_value_postgresql_refuses_fails_alone(store):
    index = opened(store)
    rows = [put(f"k{at}", 1) for at in range(20)]
    rows[7] = put("nul", 1, text="a\0b")
    rows[13] = put("words", 1, text=" ".join(f"word{at}" for at in range(150_000)))
    written = index.write(rows)
    assert written.applied == 18
    assert {failed.key: failed.retry for failed in written.failed} == {"nul": False, "words": False}
    assert len(state(index)) == 18


def test_the_view_shows_the_living_passages_of_the_active_generation_and_keeps_its_grants(store, server):
    first, second = opened(store, "g1"), opened(store, "g2")
    first.write([put("a", 1), put("b", 1)])
    first.activate("g1")
    view = store.settings.table
    with server.connect() as connection:
        connection.execute(f"grant select on {view} to public")
        second.write([put("c", 1, model=("other", 4, "other/4"), vector=direction(1, dimension=4))])
        assert connection.execute(f"select key from {view} order by key").fetchall() == [("a",), ("b",)]
        second.activate("g2")
        assert connection.execute(f"select key, body->>'text' from {view}").fetchall() == [("c", "some words")]
        granted = "select has_table_privilege('public', %s, 'select')"
        assert connection.execute(granted, [view]).fetchone() == (True,)


def test_the_graph_is_built_with_the_first_activation_and_used(server):
    store = PgvectorStore(server)
    index = opened(store)
    index.write([put(f"k{at}", 1, vector=direction(1, at / 100)) for at in range(4_000)])
    graphs = "select indexdef from pg_indexes where tablename = %s and indexdef like '%%hnsw%%'"
    with server.connect() as connection:
        table = f"{store.settings.table}__g1"
        assert connection.execute(graphs, [table]).fetchall() == []
        index.activate("g1")
        assert len(connection.execute(graphs, [table]).fetchall()) == 1
        connection.execute(f"analyze {table}")
        used = "select idx_scan from pg_stat_user_indexes where relname = %s and indexrelname like '%%_v'"
        reader = store.reader(lambda: NOW)
        found = reader.by_vector(direction(1, 2.5).tolist(), Filters(), 1)
        assert [hit.key for hit in found] == ["k250"]
        reader.close()
        time.sleep(1.1)  # statistics are sent on once a second
        (scans,) = connection.execute(used, [table]).fetchone() or (0,)
        assert scans > 0
    store.close()


def test_without_a_graph_every_passage_is_looked_at(server):
    store = PgvectorStore(server, hnsw=False)
    index = opened(store)
    index.write([put(f"k{at}", 1, vector=direction(1, at / 100), tags=["odd"] * (at % 2)) for at in range(500)])
    index.activate("g1")
    found = store.reader(lambda: NOW).by_vector(direction(1, 2.5).tolist(), Filters(tags=("odd",)), 4)
    assert {hit.key for hit in found} == {"k247", "k249", "k251", "k253"}
    store.close()


def test_words_are_found_without_their_accents(store):
    index = opened(store)
    index.write([put("a", 1, text="Überfälliges Gepäck in São Paulo, Straße 5")])
    index.activate("g1")
    for question in ("uberfalliges", "SAO", "Strasse"):
        assert [hit.key for hit in store.reader(lambda: NOW).by_words(question, Filters(), 5)] == ["a"]


def test_a_model_named_at_open_is_kept_and_another_is_refused(store):
    index = PgvectorVectorIndex(store.settings, "g1", Model(*MODEL))
    index.open(OWNER)
    index.activate("g1")
    index.close()
    assert store.reader(lambda: NOW).model() == MODEL
    with pytest.raises(Fatal, match="new generation"):
        PgvectorVectorIndex(store.settings, "g1", Model("other", 4, "x")).open(OWNER)


def test_a_reader_connects_again_when_its_connection_was_ended(store, server):
    index = opened(store)
    index.write([put("a", 1)])
    index.activate("g1")
    reader = store.reader(lambda: NOW)
    assert reader.model() == MODEL
    with server.connect() as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'headrace' and pid <> pg_backend_pid()"
        )
    assert reader.model() == MODEL
    with pytest.raises(Unreachable):
        index.write([put("a", 2)])


def test_a_table_of_that_name_is_not_overwritten(store, server):
    with server.connect() as connection:
        connection.execute(f"create table {store.settings.table} (x int)")
    with pytest.raises(Fatal, match="becomes a view"):
        opened(store)


def test_a_server_that_is_away_or_refuses_the_login_is_named(server, tmp_path: Path):
    away = PgvectorStore(server, url=f"postgresql://me:secret@127.0.0.1:{free_port()}/x")
    with pytest.raises(Unreachable, match="host and port") as caught:
        opened(away)
    assert "secret" not in str(caught.value)
    login = psycopg.conninfo.make_conninfo(server.url, user="nobody-here", password="secret")
    with pytest.raises(Fatal, match="url") as caught:
        opened(PgvectorStore(server, url=login))
    assert "secret" not in str(caught.value)
