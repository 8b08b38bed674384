"""A file as a store of rows by key."""

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.config_indexes import SqliteIndex
from headrace.config_keyed_stores import SqliteRows
from headrace.errors import Fatal, FormatTooNew, NotThere, Unreachable
from headrace.stores import keyed
from headrace.stores.keyed_rows import MOST_BODY_BYTES
from headrace.stores.keyed_sqlite import SqliteReader, SqliteStore
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.testing.keyed_owners import KeyedOwnersContract
from headrace.testing.keyed_store import KeyedStoreContract, opened, put, state
from headrace.testing.vector_index import OWNER

from .random_keyed_writes import IN_A_FILE, any_batches, write_and_compare


class OneFile:
    """One file."""

    most_bytes = MOST_BODY_BYTES
    remembers_purges = True

    def __init__(self, path: Path) -> None:
        self.settings = SqliteRows(path=str(path))
        self._opened: list[SqliteStore | SqliteReader] = []

    def rows(self) -> SqliteStore:
        """A writer."""
        self._opened.append(made := keyed.rows(self.settings))
        return made

    def reader(self) -> SqliteReader:
        """A reader."""
        self._opened.append(made := keyed.reader(self.settings))
        return made

    def close(self) -> None:
        """Close every object."""
        for made in self._opened:
            made.close()


@pytest.fixture
def store(tmp_path: Path):
    made = OneFile(tmp_path / "odd # folder?" / "profiles.db")
    yield made
    made.close()


class TestSqlite(KeyedStoreContract, KeyedOwnersContract):
    pass


@IN_A_FILE
@any_batches
def test_writes_in_any_order_and_any_batches_hold_the_newest(store, places, bodies):
    write_and_compare(store, places, bodies)


def test_another_file_is_not_taken_for_a_store(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 500)
    for use in (lambda made: made.rows().open(OWNER), lambda made: made.reader().read(["a"])):
        with pytest.raises(Fatal, match="another path") as told:
            use(OneFile(path))
        assert "conversations are lost without a copy" in told.value.todo
    assert path.read_text().startswith("These are my notes.")


def test_an_index_and_a_store_do_not_share_a_file(store, tmp_path):
    index = SqliteVectorIndex(SqliteIndex(path=str(tmp_path / "search.db")), "g1")
    index.open(OWNER)
    index.close()
    with pytest.raises(Fatal, match="another path"):
        OneFile(tmp_path / "search.db").rows().open(OWNER)


def test_a_file_of_a_newer_headrace_is_refused(store):
    opened(store)
    with sqlite3.connect(store.settings.path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(FormatTooNew, match="99"):
        opened(store)
    with pytest.raises(FormatTooNew, match="99"):
        store.reader().read(["a"])


def test_a_write_that_is_cut_off_leaves_nothing_behind(store):
    rows = opened(store)
    rows.write([put("a", 1)])
    connection = rows._opened()
    steps = iter([0] * 40)
    connection.set_progress_handler(lambda: next(steps, 1), 100)
    with pytest.raises(Unreachable, match="interrupted"):
        rows.write([put(f"k{at}", 9) for at in range(1000)] + [put("a", 9)])
    connection.set_progress_handler(None, 0)
    assert (state(rows), rows.newest()) == ({"a": (1, False)}, 1)


WRITER = """
import sys
from headrace.config_keyed_stores import SqliteRows
from headrace.ports import Projected
from headrace.stores.keyed_sqlite import SqliteStore

rows = SqliteStore(SqliteRows(path=sys.argv[1]))
rows.open(sys.argv[2])
for version in range(int(sys.argv[3]), 1_000_000):
    batch = [Projected(f"k{at}", version, at == version % 90, {"at": version}) for at in range(90)]
    rows.write([row if not row.deleted else Projected(row.key, version, True, None) for row in batch])
    print(version, flush=True)
"""


def test_a_writer_that_is_killed_amid_writes_loses_nothing_it_confirmed_and_halves_nothing(store):
    path, confirmed = store.settings.path, 0
    for kill in range(4):
        command = [sys.executable, "-c", WRITER, path, OWNER, str(confirmed + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(5 + 7 * kill):
                confirmed = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            confirmed = max([confirmed, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        assert writer.returncode == -signal.SIGKILL
        rows = opened(store)
        (version,) = {version for version, _ in state(rows).values()}
        assert version in (confirmed, confirmed + 1) and rows.newest() == version
        deleted = [key for key, (_, gone) in state(rows).items() if gone]
        assert (len(state(rows)), deleted) == (90, [f"k{version % 90}"])
        assert rows.write([put(f"k{at}", version) for at in range(90)]).stale == 90
        confirmed = version


def test_a_file_that_was_removed_is_missed_and_one_in_its_place_is_read(store):
    rows, reader = opened(store), store.reader()
    rows.write([put("a", 1)])
    assert set(reader.read(["a"])) == {"a"}
    for file in Path(store.settings.path).parent.iterdir():
        file.unlink()
    with pytest.raises(NotThere):
        rows.write([put("a", 2)])
    with pytest.raises(NotThere, match="headrace run"):
        reader.read(["a"])
    rows.open(OWNER)
    rows.write([put("b", 1)])
    assert set(reader.read(["a", "b"])) == {"b"}


def test_three_keys_are_read_within_a_millisecond(store):
    rows, reader = opened(store), store.reader()
    rows.write([put(f"k{at}", 1, {"facts": ["some words"] * 200}) for at in range(2_000)])
    reader.read(["k1"])
    took = []
    for at in range(300):
        began = time.perf_counter()
        assert len(reader.read([f"k{at}", f"k{at + 500}", f"k{at + 1000}"])) == 3
        took.append(time.perf_counter() - began)
    assert sorted(took)[150] < 0.001
