"""What every store of rows by key must do, as tests for yours. Needs no test library.

    class TestMine(KeyedStoreContract, KeyedOwnersContract):
        @pytest.fixture
        def store(self): ...   # a new, empty KeyedStoreUnderTest for each test

Owners, readers and several writers are in `headrace.testing.keyed_owners`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from headrace.ports import Found, Held, KeyedReader, Projected, Projection, Written
from headrace.testing.vector_index import OWNER, equal, oracle, refused


class KeyedStoreUnderTest(Protocol):
    """One empty store somewhere, and ways to reach it.

    Attributes:
        most_bytes: the longest key and body, as JSON, it takes.
        remembers_purges: after a purge it takes nothing older for a key it does not hold. Where deletes go by a time to
            live, the publisher's order alone keeps such rows out.
    """

    most_bytes: int
    remembers_purges: bool

    def rows(self) -> Projection:
        """A new object on the store, not opened."""

    def reader(self) -> KeyedReader:
        """A new reader of the store."""


ODD_KEYS = (
    "p:01JABCDEF", "i:email:ab12", "a b", "a/b?c#d&e=%2F", "ключ-鍵-🔑", "é", "e\u0301", "_id", "_x", "..", ".", "$set",
    "$where", "a.b.$", "pk", "deleted", "'; drop table rows; --", '"quo\'te\\"', "A", "a", "\t\n", " ", "0", "null",
    "k" * 1024,
)  # fmt: skip
ODD_BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"": None, " ": [], "$set": {"$inc": 1}, "a.b": {".": {"..": "$"}}, "$$NOW": "$$ROOT"},
    {"_id": 1, "v": -1, "pk": "x", "deleted": True, "expires": 0, "body": {"body": {}}, "N": {"N": "1"}},
    {"zero": 0, "minus": -1, "long": 2**63 - 1, "low": -(2**63), "safe": 2**53 + 1},
    {"one": 1.0, "tenth": 0.1, "small": 5e-324, "large": 1.7976931348623157e308, "sum": 0.1 + 0.2},
    {"empty": "", "nul": "a\0b", "lines": "\r\n\t\u2028", "emoji": "👩‍👩‍👧", "joined": "é", "parted": "e\u0301"},
    {"z": 1, "a": {"z": [[], {}, [[None, True, False]], {"": ""}]}},
    {"ключ": "значение", "true": "true", "dates": ["2026-11-26", "2026-11-26T00:00:00Z"]},
)


def put(key: str, version: int, body: Mapping[str, Any] | None = None) -> Projected:
    """A living row."""
    return Projected(key, version, False, {"of": key, "at": version} if body is None else body)


def gone(key: str, version: int) -> Projected:
    """A deleted row."""
    return Projected(key, version, True, None)


def nested(levels: int) -> dict[str, Any]:
    """A body of so many levels."""
    return {"in": nested(levels - 1)} if levels > 1 else {}


def opened(store: KeyedStoreUnderTest, owner: str = OWNER) -> Projection:
    """An opened store."""
    rows = store.rows()
    rows.open(owner)
    return rows


def state(rows: Projection) -> dict[str, tuple[int, bool]]:
    """Version and deletedness by key. Raises AssertionError for a key that is there twice."""
    listed = list(rows.held())
    found = {row.key: (row.version, row.deleted) for row in listed}
    equal(len(found), len(listed), "keys held once")
    return found


def check_any_order(store: KeyedStoreUnderTest, rows: Projection, batches: Sequence[Sequence[Projected]]) -> None:
    """Write the batches into an opened store and compare versions and bodies with the oracle.

    Rows of one key and version must be equal, and no key may have been written before.
    """
    written = sum((rows.write(batch) for batch in batches), Written())
    every = [row for batch in batches for row in batch]
    equal(written.failed, (), "failed rows")
    equal(written.applied + written.stale, len(every), "rows accounted for")
    check_held(store, rows, every)


def check_held(store: KeyedStoreUnderTest, rows: Projection, every: Sequence[Projected]) -> None:
    """Compare what an opened store holds of the keys of these rows, all written to it, with the oracle."""
    wanted = oracle(every)
    equal({key: found for key, found in state(rows).items() if key in wanted}, wanted, "what is held")
    bodies = {(row.key, row.version): row.body for row in every}
    living = {key: Found(at, bodies[key, at] or {}) for key, (at, deleted) in wanted.items() if not deleted}
    reader = store.reader()
    equal(reader.read(list(wanted)), living, "what a reader sees")
    reader.close()


class KeyedStoreContract:
    """Rows and versions."""

    def test_a_newer_version_wins(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        equal(rows.write([put("a", 1), put("b", 1)]), Written(applied=2), "first write")
        equal(rows.write([put("a", 2)]), Written(applied=1), "newer")
        check_held(store, rows, [put("a", 2), put("b", 1)])

    def test_an_equal_version_is_stale(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put("a", 5), gone("b", 5)])
        equal(rows.write([put("a", 5, {}), gone("b", 5), put("b", 5), gone("a", 5)]), Written(stale=4), "repeats")
        check_held(store, rows, [put("a", 5), gone("b", 5)])

    def test_an_older_version_is_stale(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put("a", 5)])
        equal(rows.write([put("a", 4)]), Written(stale=1), "older put")
        equal(rows.write([gone("a", 3)]), Written(stale=1), "older delete")
        check_held(store, rows, [put("a", 5)])

    def test_a_delete_is_remembered_without_its_body(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put("a", 1)])
        equal(rows.write([gone("a", 3)]), Written(applied=1), "delete")
        equal(rows.write([put("a", 2)]), Written(stale=1), "older put")
        check_held(store, rows, [gone("a", 3)])

    def test_a_delete_of_an_unknown_key_is_remembered(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        equal(rows.write([gone("never", 7)]), Written(applied=1), "delete")
        equal(rows.write([put("never", 6)]), Written(stale=1), "older put")
        check_held(store, rows, [gone("never", 7)])

    def test_a_higher_version_revives_a_deleted_key(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        for row in (put("a", 1), gone("a", 2), put("a", 3)):
            equal(rows.write([row]), Written(applied=1), f"version {row.version}")
        check_held(store, rows, [put("a", 3)])

    def test_the_newest_of_one_key_in_one_write_wins(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        written = rows.write([put("a", 2), gone("a", 3), put("a", 1), put("b", 1), put("b", 1)])
        equal((written.applied + written.stale, written.failed), (5, ()), "accounted for")
        check_held(store, rows, [gone("a", 3), put("b", 1)])

    def test_rows_that_cannot_be_taken_are_reported_while_the_rest_lands(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        bad = {
            "nan": put("nan", 1, {"deep": [{"in": float("nan")}]}),
            "infinite": put("infinite", 1, {"a": float("-inf")}),
            "long": put("long", 1, {"a": 2**63}),
            "number as key": put("number as key", 1, {"a": {1: 2}}),
            "strange": put("strange", 1, {"a": {1, 2}}),
            "many": put("many", 1, {"a": [[]] * 200 + [float("nan")]}),
            "bytes": put("bytes", 1, {"a": b"x"}),
            "half": put("half", 1, {"a": "\ud83d"}),
            "deep": put("deep", 1, nested(500)),
            "large": put("large", 1, {"a": "x" * store.most_bytes}),
            "empty": Projected("empty", 1, False, None),
            "k" * 1025: put("k" * 1025, 1),
            "ключ" * 200: put("ключ" * 200, 1),
            "": put("", 1),
            "n\0l": put("n\0l", 1),
            "\ud83d": put("\ud83d", 1),
            "headrace:claim": put("headrace:claim", 1),
            "negative": put("negative", -1),
        }
        written = rows.write([put("a", 1), *bad.values(), gone("b", 1)])
        equal(written.applied, 2, "applied")
        equal({failed.key for failed in written.failed}, set(bad), "failed keys")
        equal({failed.retry for failed in written.failed}, {False}, "worth a retry")
        assert all(failed.reason for failed in written.failed), "expected a reason for each"
        equal(state(rows), {"a": (1, False), "b": (1, True)}, "held")

    def test_odd_keys_come_back_as_they_went_in(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        every = [put(key, at + 1, {key[:20]: key}) for at, key in enumerate(ODD_KEYS)]
        equal(rows.write(every), Written(applied=len(every)), "written")
        check_held(store, rows, every)

    def test_odd_bodies_come_back_as_they_went_in(self, store: KeyedStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([put(f"k{at}", 1, body) for at, body in enumerate(ODD_BODIES)])
        read = reader.read([f"k{at}" for at in range(len(ODD_BODIES))])
        # As text: in Python 1 equals 1.0 and True, and the order of keys does not count.
        wanted = {f"k{at}": repr(body) for at, body in enumerate(ODD_BODIES)}
        equal({key: repr(found.body) for key, found in read.items()}, wanted, "bodies")
        reader.close()

    def test_a_body_of_nearly_all_the_bytes_there_are(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        large = {"a": "é" * ((store.most_bytes - 100) // 2)}
        equal(rows.write([put("a", 1, large), put("b", 1), put("c", 1, large)]), Written(applied=3), "written")
        check_held(store, rows, [put("a", 1, large), put("b", 1), put("c", 1, large)])

    def test_a_thousand_rows_in_one_write(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        equal(rows.write([put(f"k{at}", 1) for at in range(1000)]), Written(applied=1000), "first")
        again = [put(f"k{at}", 1 + at % 2) for at in range(1000)]
        equal(rows.write(again), Written(applied=500, stale=500), "second")
        check_held(store, rows, again)

    def test_an_empty_write_does_nothing(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        equal(rows.write([]), Written(), "written")
        equal(list(rows.held()), [], "held")

    def test_versions_may_use_all_of_63_bits(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        high = 8191 << 40 | (1 << 40) - 1
        equal(rows.write([put("a", high), put("b", 2**63 - 1)]), Written(applied=2), "written")
        equal(rows.write([put("a", high - 1), put("b", 2**63 - 2)]), Written(stale=2), "one lower")
        check_held(store, rows, [put("a", high), put("b", 2**63 - 1)])

    def test_a_sweep_deletes_what_is_older_and_keeps_it_out(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put("old", 1), put("older", 2), put("new", 10), gone("gone", 1)])
        equal(rows.sweep(10), 2, "swept")
        equal(rows.sweep(10), 0, "swept again")
        equal(rows.write([put("old", 5), put("older", 10)]), Written(applied=1, stale=1), "afterwards")
        check_held(store, rows, [gone("old", 9), put("older", 10), put("new", 10), gone("gone", 1)])

    def test_a_purge_forgets_only_deletes_that_are_older(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put("a", 1), gone("b", 1), gone("c", 5)])
        equal(rows.purge(5), 1, "purged")
        check_held(store, rows, [put("a", 1), gone("c", 5)])
        equal(state(rows), {"a": (1, False), "c": (5, True)}, "held")
        equal(rows.purge(5), 0, "purged again")
        equal(rows.write([put("b", 6)]), Written(applied=1), "newer than what was forgotten")

    def test_what_was_purged_comes_back_by_nothing_older(self, store: KeyedStoreUnderTest) -> None:
        if not store.remembers_purges:
            return
        rows = opened(store)
        rows.write([put("a", 1), gone("b", 3), gone("c", 9)])
        equal(rows.purge(5), 1, "purged")
        equal(rows.write([put("b", 4), put("new", 2), gone("b", 1)]), Written(stale=3), "older than the purge")
        rows.purge(2)
        equal(rows.write([put("b", 4)]), Written(stale=1), "after another purge that reaches less far")
        again = opened(store)
        late = [put("a", 2), put("b", 4), put("b", 5), put("c", 8)]
        equal(again.write(late), Written(applied=2, stale=2), "what is held changes; the newest of a key counts")
        check_held(store, again, [put("a", 2), put("b", 5), gone("c", 9)])
        equal(again.write([put("b", 4)]), Written(stale=1), "older than what came since")

    def test_what_is_held_outlives_the_object(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        rows.write([put("a", 1), gone("b", 2)])
        rows.close()
        rows.close()
        again = opened(store)
        again.open(OWNER)
        equal(sorted(again.held(), key=lambda row: row.key), [Held("a", 1, False), Held("b", 2, True)], "held")

    def test_the_newest_version_is_that_of_a_put_or_a_delete(self, store: KeyedStoreUnderTest) -> None:
        rows = opened(store)
        equal(rows.newest(), -1, "of nothing")
        rows.write([put("a", 3), gone("b", 7), put("c", 5)])
        equal(rows.newest(), 7, "newest")
        rows.write([put("a", 4), put("c", 2)])
        equal(rows.newest(), 7, "newest after older ones")
        rows.write([put("bad", 99, {"a": float("nan")})])
        equal(rows.newest(), 7, "newest after a row that was refused")
        rows.purge(8)
        assert rows.newest() in (5, 7), "expected 5, or 7 of a store that remembers the highest it ever took"

    def test_the_newest_version_is_seen_by_others(self, store: KeyedStoreUnderTest) -> None:
        opened(store).write([put("a", 3)])
        looking = store.rows()
        looking.attach(OWNER)
        equal(looking.newest(), 3, "newest")
        looking.close()

    def test_a_call_before_open_is_refused(self, store: KeyedStoreUnderTest) -> None:
        refused(lambda: store.rows().write([put("a", 1)]), "open")
        refused(lambda: store.rows().newest(), "open")
