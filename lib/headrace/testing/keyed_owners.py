"""What every store of rows by key must do with owners, readers and several writers.

See `headrace.testing.keyed_store`.
"""

from concurrent.futures import ThreadPoolExecutor
from random import Random

from headrace.errors import NotThere
from headrace.ports import Found, Written
from headrace.testing.keyed_store import KeyedStoreUnderTest, check_held, gone, opened, put, state
from headrace.testing.vector_index import OWNER, equal, refused

WRITERS = 6


class KeyedOwnersContract:
    """Owners, readers, several writers."""

    def test_a_second_owner_is_refused(self, store: KeyedStoreUnderTest) -> None:
        opened(store).write([put("a", 1)])
        refused(lambda: opened(store, "outbox-2"), OWNER, "outbox-2", "another place")
        refused(lambda: store.rows().attach("outbox-2"), OWNER, "outbox-2")
        equal(state(opened(store)), {"a": (1, False)}, "held")

    def test_who_only_looks_makes_nothing_and_sees_what_is_held(self, store: KeyedStoreUnderTest) -> None:
        for _ in range(2):
            _not_there(lambda: store.rows().attach(OWNER))
        opened(store).write([put("a", 1)])
        looking = store.rows()
        looking.attach(OWNER)
        equal(state(looking), {"a": (1, False)}, "held")
        looking.close()

    def test_a_reader_of_nothing_says_so(self, store: KeyedStoreUnderTest) -> None:
        reader = store.reader()
        _not_there(lambda: reader.read(["a"]))
        opened(store)
        equal(reader.read(["a"]), {}, "once it was made")
        reader.close()

    def test_a_reader_sees_each_write_once_it_is_confirmed(self, store: KeyedStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        for version in range(1, 31):
            deleted = version % 7 == 0
            rows.write([gone("a", version) if deleted else put("a", version)])
            wanted = {} if deleted else {"a": Found(version, {"of": "a", "at": version})}
            equal(reader.read(["a"]), wanted, f"after version {version}")
        reader.close()

    def test_a_reader_gives_only_what_is_there(self, store: KeyedStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([put("a", 1), gone("b", 1), put("d", 1)])
        equal(set(reader.read(["a", "b", "c", "a", "", "\ud83d", "n\0l", "headrace:claim"])), {"a"}, "keys")
        equal(reader.read([]), {}, "of no keys")
        many = [put(f"k{at}", 1) for at in range(450)]
        rows.write(many)
        equal(set(reader.read([row.key for row in many])), {row.key for row in many}, "many keys")
        reader.close()
        reader.close()

    def test_threads_may_share_a_reader(self, store: KeyedStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([put(f"k{at}", 1) for at in range(40)])
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda at: reader.read([f"k{at}", f"k{at + 1}"]), range(39)))
        equal([set(one) for one in found], [{f"k{at}", f"k{at + 1}"} for at in range(39)], "keys")
        reader.close()

    def test_writers_side_by_side_hold_the_newest(self, store: KeyedStoreUnderTest) -> None:
        opened(store)
        versions = [(f"k{at % 12}", at) for at in range(1, 241)]
        every = [gone(key, version) if version % 5 == 0 else put(key, version) for key, version in versions]

        def run(seed: int) -> Written:
            mine = every[seed % 3 :: 3] + every[:40]
            Random(seed).shuffle(mine)
            rows = opened(store)
            written = sum((rows.write(mine[at : at + 10]) for at in range(0, len(mine), 10)), Written())
            rows.close()
            return written

        with ThreadPoolExecutor(WRITERS) as pool:
            done = list(pool.map(run, range(WRITERS)))
        equal([written.failed for written in done], [()] * WRITERS, "failed rows")
        rows = opened(store)
        check_held(store, rows, every)
        equal(rows.newest(), 240, "newest")

    def test_rows_come_while_what_is_held_is_listed(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put(f"k{at:04}", 1) for at in range(300)])
        listed: list[str] = []
        for held in rows.held():
            if len(listed) % 50 == 0:
                rows.write([put(held.key, 2), put(f"new{len(listed)}", 1)])
            listed.append(held.key)
        equal(len(set(listed)), len(listed), "keys held once")
        equal(sum(key.startswith("k") for key in listed), 300, "keys that were there before")


def _not_there(call: object) -> None:
    try:
        call()  # type: ignore[operator]
    except NotThere as error:
        assert "headrace run" in str(error), f"expected what to do; found: {error}"
        return
    raise AssertionError("expected NotThere; the call went through")
