"""What every vector index must do, as tests for yours. Needs no test library.

    class TestMine(VectorIndexContract, GenerationsContract, PassageReaderContract):
        @pytest.fixture
        def store(self): ...   # a new, empty VectorIndexUnderTest for each test

Generations and several writers are in `headrace.testing.index_generations`, the read side in
`headrace.testing.passage_reader`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from headrace.errors import Fatal
from headrace.ports import Held, PassageReader, Projected, VectorIndex, Written
from headrace.testing.passages import direction, gone, put

OWNER = "outbox-1"


class VectorIndexUnderTest(Protocol):
    """One empty index somewhere, and ways to reach it."""

    def index(self, generation: str) -> VectorIndex:
        """A new object on the index, not opened."""

    def reader(self, clock: Callable[[], datetime]) -> PassageReader:
        """A new reader of the index that takes its time from `clock`."""

    def refresh(self) -> None:
        """Return when readers see everything written."""

    def forget_deletes(self) -> None:
        """Make the server forget deletes, as it would after a while; nothing where it never does."""


def opened(store: VectorIndexUnderTest, generation: str = "g1", owner: str = OWNER) -> VectorIndex:
    """An opened index."""
    index = store.index(generation)
    index.open(owner)
    return index


def state(index: VectorIndex) -> dict[str, tuple[int, bool]]:
    """Version and deletedness by key. Raises AssertionError for a key that is there twice."""
    rows = list(index.held())
    found = {row.key: (row.version, row.deleted) for row in rows}
    equal(len(found), len(rows), "keys held once")
    return found


def equal(found: object, wanted: object, what: str) -> None:
    """Raises AssertionError with both sides."""
    assert found == wanted, f"{what}: expected {wanted!r}; found {found!r}"


def refused(call: Callable[[], object], *said: str) -> None:
    """Raises AssertionError unless the call raises Fatal with these words in its message."""
    try:
        call()
    except Fatal as error:
        missing = [word for word in said if word not in str(error)]
        assert not missing, f"expected {missing} in the message; found: {error}"
        return
    raise AssertionError("expected Fatal; the call went through")


def oracle(rows: Iterable[Projected]) -> dict[str, tuple[int, bool]]:
    """What an index must hold after these rows in any order: the highest version of each key."""
    best: dict[str, tuple[int, bool]] = {}
    for row in rows:
        if row.key not in best or row.version > best[row.key][0]:
            best[row.key] = (row.version, row.deleted)
    return best


def check_any_order(index: VectorIndex, batches: Sequence[Sequence[Projected]]) -> None:
    """Write the batches into an opened index and compare with the oracle.

    Rows of one key and version must be equal, and no key may have been written before.
    """
    written = sum((index.write(batch) for batch in batches), Written())
    rows = [row for batch in batches for row in batch]
    equal(written.failed, (), "failed rows")
    equal(written.applied + written.stale, len(rows), "rows accounted for")
    wanted = oracle(rows)
    equal({key: found for key, found in state(index).items() if key in wanted}, wanted, "what is held")


class VectorIndexContract:
    """Rows and versions."""

    def test_a_newer_version_wins(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        equal(index.write([put("a", 1), put("b", 1)]), Written(applied=2), "first write")
        equal(index.write([put("a", 2)]), Written(applied=1), "newer")
        equal(state(index), {"a": (2, False), "b": (1, False)}, "held")

    def test_an_equal_version_is_stale(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("a", 5), gone("b", 5)])
        equal(index.write([put("a", 5), gone("b", 5), gone("a", 5)]), Written(stale=3), "repeats")
        equal(state(index), {"a": (5, False), "b": (5, True)}, "held")

    def test_an_older_version_is_stale(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("a", 5)])
        equal(index.write([put("a", 4)]), Written(stale=1), "older put")
        equal(index.write([gone("a", 3)]), Written(stale=1), "older delete")
        equal(state(index), {"a": (5, False)}, "held")

    def test_a_delete_of_an_unknown_key_is_remembered(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        equal(index.write([gone("never", 7)]), Written(applied=1), "delete")
        equal(index.write([put("never", 6)]), Written(stale=1), "older put")
        equal(state(index), {"never": (7, True)}, "held")

    def test_an_old_put_stays_out_even_when_the_server_forgot_the_delete(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("a", 1)])
        index.write([gone("a", 3), gone("never", 3)])
        store.forget_deletes()
        equal(index.write([put("a", 2), put("never", 2)]), Written(stale=2), "old puts")
        equal(state(index), {"a": (3, True), "never": (3, True)}, "held")

    def test_a_higher_version_revives_a_deleted_key(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        for row in (put("a", 1), gone("a", 2), put("a", 3)):
            equal(index.write([row]), Written(applied=1), f"version {row.version}")
        equal(state(index), {"a": (3, False)}, "held")

    def test_the_newest_of_one_key_in_one_write_wins(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        written = index.write([put("a", 2), gone("a", 3), put("a", 1), put("b", 1), put("b", 1)])
        equal((written.applied + written.stale, written.failed), (5, ()), "accounted for")
        equal(state(index), {"a": (3, True), "b": (1, False)}, "held")

    def test_rows_that_cannot_be_taken_are_reported_while_the_rest_lands(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("first", 1)])
        bad = {
            "short": put("short", 1, vector=direction(1, dimension=4)),
            "other": put("other", 1, model=("another", 8, "another/8")),
            "nan": put("nan", 1, vector=[float("nan")] * 8),
            "zero": put("zero", 1, vector=[0.0] * 8),
            "large": put("large", 1, text="x" * 6_000_000),
            "empty": Projected("empty", 1, False, None),
            "strange": put("strange", 1, metadata={"set": {1, object()}}),
            "k" * 600: put("k" * 600, 1),
            "negative": put("negative", -1),
        }
        written = index.write([put("a", 1), *bad.values(), gone("b", 1)])
        equal(written.applied, 2, "applied")
        equal({failed.key for failed in written.failed}, set(bad), "failed keys")
        equal({failed.retry for failed in written.failed}, {False}, "worth a retry")
        assert all(failed.reason for failed in written.failed), "expected a reason for each"
        equal(set(state(index)), {"first", "a", "b"}, "held")

    def test_odd_keys_and_texts_come_back_as_they_went_in(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        keys = [
            "a b",
            "a/b?c#d&e=%2F",
            "ключ-鍵-🔑",
            "é",
            "e\u0301",
            "_x",
            "..",
            '"quo\'te\\"',
            "A",
            "a",
            "\t\n",
            "k" * 512,
        ]
        written = index.write([put(key, at + 1, text=f"{key} \u2028 \x01 🙂") for at, key in enumerate(keys)])
        equal(written, Written(applied=len(keys)), "written")
        equal(state(index), {key: (at + 1, False) for at, key in enumerate(keys)}, "held")

    def test_a_thousand_rows_in_one_write(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        equal(index.write([put(f"k{at}", 1) for at in range(1000)]), Written(applied=1000), "first")
        again = index.write([put(f"k{at}", 1 + at % 2) for at in range(1000)])
        equal(again, Written(applied=500, stale=500), "second")
        equal(len(state(index)), 1000, "held")

    def test_an_empty_write_does_nothing(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        equal(index.write([]), Written(), "written")
        equal(list(index.held()), [], "held")

    def test_versions_may_use_all_of_63_bits(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        high = 8191 << 40 | (1 << 40) - 1
        equal(index.write([put("a", high), put("b", 2**63 - 1)]), Written(applied=2), "written")
        equal(index.write([put("a", high - 1), put("b", 2**63 - 2)]), Written(stale=2), "one lower")
        equal(state(index), {"a": (high, False), "b": (2**63 - 1, False)}, "held")

    def test_a_sweep_deletes_what_is_older_and_keeps_it_out(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("old", 1), put("older", 2), put("new", 10), gone("gone", 1)])
        equal(index.sweep(10), 2, "swept")
        equal(index.sweep(10), 0, "swept again")
        equal(index.write([put("old", 5), put("older", 10)]), Written(applied=1, stale=1), "afterwards")
        living = {key for key, (_, deleted) in state(index).items() if not deleted}
        equal(living, {"older", "new"}, "living")

    def test_a_purge_forgets_only_deletes_that_are_older(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("a", 1), gone("b", 1), gone("c", 5)])
        equal(index.purge(5), 1, "purged")
        equal(state(index), {"a": (1, False), "c": (5, True)}, "held")
        equal(index.purge(5), 0, "purged again")
        equal(index.write([put("b", 2)]), Written(applied=1), "newer than what was forgotten")

    def test_what_is_held_outlives_the_object(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("a", 1), gone("b", 2)])
        index.close()
        index.close()
        again = opened(store)
        again.open(OWNER)
        equal(sorted(again.held(), key=lambda row: row.key), [Held("a", 1, False), Held("b", 2, True)], "held")

    def test_the_newest_version_is_that_of_a_put_or_a_delete(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        equal(index.newest(), -1, "of nothing")
        index.write([put("a", 3), gone("b", 7), put("c", 5)])
        equal(index.newest(), 7, "newest")
        index.purge(8)
        equal(index.newest(), 5, "newest after a purge")

    def test_who_only_looks_makes_nothing_and_sees_what_is_held(self, store: VectorIndexUnderTest) -> None:
        for _ in range(2):
            refused(lambda: store.index("g1").attach(OWNER), "g1")
        opened(store).write([put("a", 1)])
        looking = store.index("g1")
        looking.attach(OWNER)
        equal(state(looking), {"a": (1, False)}, "held")
        looking.close()
        refused(lambda: store.index("g2").attach(OWNER), "g2")

    def test_a_call_before_open_is_refused(self, store: VectorIndexUnderTest) -> None:
        refused(lambda: store.index("g1").write([put("a", 1)]), "open")
