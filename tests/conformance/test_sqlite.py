"""The embedded index."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from headrace.config_indexes import SqliteIndex
from headrace.errors import Fatal, FormatTooNew, Unreachable
from headrace.ports import Filters, Model
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.stores.sqlite_search import SqlitePassageReader
from headrace.testing.index_generations import GenerationsContract
from headrace.testing.passage_reader import PassageReaderContract
from headrace.testing.passages import MODEL, NOW, direction, put
from headrace.testing.vector_index import OWNER, VectorIndexContract, opened, state

from .random_writes import IN_A_FILE, any_batches, write_and_compare


class SqliteStore:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.settings = SqliteIndex(path=str(path))
        self._opened: list[SqliteVectorIndex | SqlitePassageReader] = []

    def index(self, generation: str) -> SqliteVectorIndex:
        """A writer."""
        self._opened.append(made := SqliteVectorIndex(self.settings, generation))
        return made

    def reader(self, clock: Callable[[], datetime]) -> SqlitePassageReader:
        """A reader."""
        self._opened.append(made := SqlitePassageReader(self.settings, clock))
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
def store(tmp_path: Path):
    made = SqliteStore(tmp_path / "odd # folder?" / "index.sqlite")
    yield made
    made.close()


class TestSqlite(VectorIndexContract, GenerationsContract, PassageReaderContract):
    pass


@IN_A_FILE
@any_batches
def test_writes_in_any_order_and_any_batches_hold_the_newest(store, batches):
    write_and_compare(store, batches)


def test_a_model_named_at_open_is_kept_and_another_is_refused(store):
    index = SqliteVectorIndex(store.settings, "g1", Model(*MODEL))
    index.open(OWNER)
    index.activate("g1")
    index.close()
    assert store.reader(lambda: NOW).model() == MODEL
    with pytest.raises(Fatal, match="new generation"):
        SqliteVectorIndex(store.settings, "g1", Model("other", 4, "x")).open(OWNER)


def test_a_reader_without_a_file_says_how_to_build_one(tmp_path):
    reader = SqlitePassageReader(SqliteIndex(path=str(tmp_path / "none.sqlite")))
    with pytest.raises(Unreachable, match="index_knowledge"):
        reader.by_words("word", Filters(), 1)


def test_another_file_is_not_taken_for_an_index(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 500)
    with pytest.raises(Fatal, match="another path"):
        SqliteVectorIndex(SqliteIndex(path=str(path)), "g1").open(OWNER)
    assert path.read_text().startswith("These are my notes.")


def test_a_file_of_a_newer_headrace_is_refused(store):
    opened(store)
    with sqlite3.connect(store.settings.path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(FormatTooNew, match="99"):
        opened(store)


def test_a_write_that_is_cut_off_leaves_nothing_behind(store):
    index = opened(store)
    index.write([put("a", 1, text="copper")])
    index.activate("g1")
    connection = index._opened()
    steps = iter([0] * 40)
    connection.set_progress_handler(lambda: next(steps, 1), 100)
    with pytest.raises(Unreachable, match="interrupted"):
        index.write([put(f"k{at}", 1, text="silver") for at in range(100)] + [put("a", 2, text="silver")])
    connection.set_progress_handler(None, 0)
    assert state(index) == {"a": (1, False)}
    assert [hit.key for hit in store.reader(lambda: NOW).by_words("copper silver", Filters(), 5)] == ["a"]


def _write_in_another_process(path: str, start: int) -> None:
    index = SqliteVectorIndex(SqliteIndex(path=path), "g1")
    index.open(OWNER)
    for at in range(start, start + 20):
        index.write([put("shared", at + 1), put(f"k{at}", 1)])
    index.activate("g1")
    index.close()


def test_processes_take_turns_and_a_reader_sees_each_at_once(store):
    opened(store).activate("g1")
    reader = store.reader(lambda: NOW)
    assert reader.by_words("words", Filters(), 50) == []
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_write_in_another_process, args=(store.settings.path, at)) for at in (0, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(reader.by_words("words", Filters(), 50)) == 41
    assert state(opened(store))["shared"] == (40, False)


def test_a_reader_follows_a_file_that_was_removed_and_built_again(store):
    index = opened(store)
    index.write([put("a", 1, text="copper")])
    index.activate("g1")
    reader = store.reader(lambda: NOW)
    assert reader.by_words("copper", Filters(), 1)
    index.close()
    for file in Path(store.settings.path).parent.iterdir():
        file.unlink()
    index.open(OWNER)
    index.write([put("a", 1, text="silver")])
    index.activate("g1")
    assert [hit.body["text"] for hit in reader.by_words("copper silver", Filters(), 1)] == ["silver"]


@pytest.mark.parametrize("held", [True, False])
def test_the_best_of_many_blocks_are_exact(store, monkeypatch, held):
    monkeypatch.setattr("headrace.stores.sqlite_vectors.BLOCK", 7)
    if not held:
        monkeypatch.setattr("headrace.stores.sqlite_vectors.MOST_BYTES", 0)
    index = opened(store)
    index.write([put(f"k{at:03}", 1, vector=direction(1, at * 0.01)) for at in range(100)])
    index.activate("g1")
    found = store.reader(lambda: NOW).by_vector(direction(1, 0.5).tolist(), Filters(), 3)
    assert {hit.key for hit in found} == {"k049", "k050", "k051"} and found[0].key == "k050"
