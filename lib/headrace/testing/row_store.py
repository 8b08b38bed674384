"""What every store of served rows must do, as tests for yours. Needs no test library.

    class TestMine(RowStoreContract):
        @pytest.fixture
        def store(self): ...   # a new, empty RowStoreUnderTest for each test

Guards, sweeps and owners are in `headrace.testing.keyed_store` and `keyed_owners`, which such a store passes too.
A store whose index follows after a moment waits for it in `reader`.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from headrace.errors import NotThere
from headrace.ports import Found, Projected, Written
from headrace.ports_rows import RowReader
from headrace.served_rows import MOST_FILTERS, heartbeat_key, row_key
from headrace.testing.keyed_store import KeyedStoreUnderTest, gone, opened, put
from headrace.testing.vector_index import equal, oracle

TABLE = "flights"
ALL = 10_000


class RowStoreUnderTest(KeyedStoreUnderTest, Protocol):
    """One empty store somewhere, and ways to reach it."""

    def reader(self) -> RowReader:
        """A new reader of the store."""


def flight(key: str, version: int, *values: str | None, table: str = TABLE) -> Projected:
    """A row with a value for each filter."""
    find = [None if value is None else f"{table}.c{place}={value}" for place, value in enumerate(values)]
    return Projected(row_key(table, key), version, False, {"kind": "row", "key": key, "at": version, "find": find})


def no_flight(key: str, version: int, table: str = TABLE) -> Projected:
    """The row is deleted."""
    return Projected(row_key(table, key), version, True, None)


def found(reader: RowReader, most: int = ALL, table: str = TABLE, **values: str) -> list[str]:
    """The keys of the rows with these values, as `c0="A", c2="B"`, in the order they were given."""
    terms = {int(column[1:]): f"{table}.{column}={value}" for column, value in values.items()}
    return [one.body["key"] for one in reader.having(terms, most).values()]


def check_found(reader: RowReader, every: Iterable[Projected], terms: Mapping[int, str], most: int) -> None:
    """Compare what has these terms with the newest version of each of these rows, all written to the store."""
    rows = list(every)
    bodies: dict[tuple[str, int], Mapping[str, Any]] = {(row.key, row.version): row.body or {} for row in rows}
    living = {key: Found(at, dict(bodies[key, at])) for key, (at, deleted) in oracle(rows).items() if not deleted}
    fitting = [
        (key, one)
        for key, one in sorted(living.items())
        if all(place < len(one.body["find"]) and one.body["find"][place] == term for place, term in terms.items())
    ]
    equal(list(reader.having(terms, most).items()), fitting[:most], f"rows with {dict(terms)}, at most {most}")


class RowStoreContract:
    """Rows found by their terms."""

    def test_rows_are_found_by_the_term_at_each_place(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([flight("1", 1, "A", "B", "C", "D", "E"), flight("2", 1, "B", "A", "A", "A", "A")])
        for place, value in enumerate("ABCDE"):
            equal(found(reader, ALL, TABLE, **{f"c{place}": value}), ["1"], f"place {place}")
        equal(found(reader, c0="C"), [], "a value of another place")
        equal(found(reader, c0="A", table="rooms"), [], "another table")
        reader.close()

    def test_a_row_is_found_with_body_and_version(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        row = flight("1", 7, "A", None)
        rows.write([row])
        equal(reader.having({0: "flights.c0=A"}, 1), {row.key: Found(7, dict(row.body or {}))}, "the row")
        equal(reader.read([row.key]), {row.key: Found(7, dict(row.body or {}))}, "by its key")
        reader.close()

    def test_all_terms_must_hold(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([flight("1", 1, "A", "X"), flight("2", 1, "A", "Y"), flight("3", 1, "B", "Y"), flight("4", 1, "A")])
        equal(found(reader, c0="A"), ["1", "2", "4"], "one")
        equal(found(reader, c0="A", c1="Y"), ["2"], "two")
        equal(found(reader, c0="B", c1="X"), [], "two that no row has both of")
        equal(found(reader, c0="A", c4="Y"), [], "a place that no row has")
        reader.close()

    def test_a_row_is_found_by_its_newest_values_only(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([flight("1", 5, "A", "X")])
        rows.write([flight("1", 9, "A", "Y")])
        equal(rows.write([flight("1", 7, "B", "X"), no_flight("1", 8)]), Written(stale=2), "older ones, late")
        for values, wanted in ({"c1": "X"}, []), ({"c1": "Y"}, ["1"]), ({"c0": "B"}, []), ({"c0": "A"}, ["1"]):
            equal(found(reader, ALL, TABLE, **values), wanted, str(values))
        rows.write([flight("1", 10, None, "X")])
        equal((found(reader, c0="A"), found(reader, c1="X")), ([], ["1"]), "once a value is null")
        reader.close()

    def test_a_deleted_row_is_not_found_until_something_newer_comes(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([flight("1", 1, "A"), flight("2", 1, "A")])
        rows.write([no_flight("1", 5)])
        equal(rows.write([flight("1", 4, "A")]), Written(stale=1), "an older row, late")
        equal(found(reader, c0="A"), ["2"], "after the delete")
        rows.write([flight("1", 6, "A")])
        equal(found(reader, c0="A"), ["1", "2"], "after a newer row")
        reader.close()

    def test_what_was_swept_is_found_no_more_and_what_was_filled_again_is(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        rows.write([flight(str(at), 1, "A", "B", "C", "D", "E") for at in range(5)])
        rows.write([flight("1", 20, "A"), flight("2", 20, "Z"), no_flight("3", 20)])
        equal(rows.sweep(20), 2, "swept")
        equal(rows.write([flight("0", 19, "A"), flight("4", 3, "A")]), Written(stale=2), "older rows, late")
        for place, value in enumerate("ABCDE"):
            equal(found(reader, ALL, TABLE, **{f"c{place}": value}), ["1"] if place == 0 else [], f"place {place}")
        equal(found(reader, c0="Z"), ["2"], "filled again with another value")
        rows.purge(21)
        rows.write([flight("3", 21, "A")])
        equal(found(reader, c0="A"), ["1", "3"], "after a purge")
        reader.close()

    def test_only_rows_of_tables_are_found(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        beat = heartbeat_key(TABLE)
        body = {"kind": "heartbeat", "find": ["flights.c0=A"]}
        rows.write([flight("1", 1, "A"), put(beat, 1, body), put("p:1", 1, body), put("z", 1, body)])
        equal(found(reader, c0="A"), ["1"], "rows")
        equal(reader.read([beat]), {beat: Found(1, body)}, "the heartbeat by its key")
        rows.write([gone(beat, 2)])
        equal(reader.read([beat]), {}, "a heartbeat that is gone")
        reader.close()

    def test_rows_come_by_key_and_no_more_than_are_wanted(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        keys = ["b", "a", "Z", "é", "é\u0301", "🔑", "\uffff", "10", "9", ""]
        rows.write([flight(key, 1, "A", "B") for key in keys])
        for most in (1, 3, len(keys), ALL):
            equal(found(reader, most, c0="A"), sorted(keys)[:most], f"at most {most}")
            equal(found(reader, most, c0="A", c1="B"), sorted(keys)[:most], f"of two terms at most {most}")
        reader.close()

    def test_terms_of_any_text(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        values = [
            "",
            " ",
            "$ne",
            "a.b",
            "é",
            "e\u0301",
            "鍵🔑",
            "'; drop table rows; --",
            '"q"',
            "\\",
            "x" * 200,
            "\t",
            "null",
        ]
        rows.write([flight(str(at), 1, value) for at, value in enumerate(values)])
        for at, value in enumerate(values):
            equal(found(reader, c0=value), [str(at)], repr(value))
        reader.close()

    def test_terms_that_thousands_have(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        made = [_of_many(at) for at in range(1_500)]
        for at in range(0, len(made), 500):
            rows.write(made[at : at + 500])
        everywhere = {0: "flights.c0=all"}
        for terms in (
            {}, {1: "flights.c1=0"}, {2: "flights.c2=0"}, {1: "flights.c1=0", 2: "flights.c2=1"},
            {1: "flights.c1=low", 2: "flights.c2=high"}, {3: "flights.c3=700"}, {4: "flights.c4=late"},
        ):  # fmt: skip
            for most in (3, 150):
                check_found(reader, made, everywhere | terms, most)
                check_found(reader, made, terms or everywhere, most)
        reader.close()

    def test_a_reader_of_nothing_says_so(self, store: RowStoreUnderTest) -> None:
        reader = store.reader()
        try:
            found(reader, c0="A")
        except NotThere as error:
            assert "headrace run" in str(error), f"expected what to do; found: {error}"
        else:
            raise AssertionError("expected NotThere; the call went through")
        opened(store)
        equal(found(reader, c0="A"), [], "once it was made")
        reader.close()

    def test_no_terms_and_strange_places_are_refused(self, store: RowStoreUnderTest) -> None:
        opened(store)
        reader = store.reader()
        for terms in ({}, {-1: "x"}, {MOST_FILTERS: "x"}, {0: "x", 9: "y"}):
            try:
                reader.having(terms, 1)
            except ValueError as error:
                assert "places 0 to" in str(error), f"expected the places there are; found: {error}"
            else:
                raise AssertionError(f"expected an error for {terms}")
        reader.close()

    def test_while_others_write_no_row_is_shown_that_does_not_fit(self, store: RowStoreUnderTest) -> None:
        rows, reader = opened(store), store.reader()
        still = [flight(f"s{at}", 1, "A", "B") for at in range(5)]
        rows.write(still)

        def write(writer: int) -> None:
            mine = opened(store)
            for version in range(1, 41):
                changing = flight(f"m{writer}", version, "AZ"[version % 2], "BZ"[version % 3 == 0])
                mine.write([changing if version % 5 else no_flight(f"m{writer}", version)])

        with ThreadPoolExecutor(2) as pool:
            under_way = [pool.submit(write, writer) for writer in range(2)]
            looks = 0
            while looks < 20 or not all(one.done() for one in under_way):
                _check_look(reader.having({0: "flights.c0=A", 1: "flights.c1=B"}, ALL), still)
                looks += 1
            for one in under_way:
                one.result()
        reader.close()


def _of_many(at: int) -> Projected:
    """`c0` all have; `c1` and `c2` are common, but no row is low and high; `c3` is rare; `c4` comes at the end."""
    low, high = ("low", "x") if at < 750 else ("x", "high")
    first, second = (str(at % 2), str(at % 3)) if at % 5 else (low, high)
    return flight(f"{at:05}", 1, "all", first, second, str(at), "late" if at > 1_480 else None)


def _check_look(rows: Mapping[str, Found], still: Sequence[Projected]) -> None:
    finds = {key: one.body["find"] for key, one in rows.items()}
    equal({key: find for key, find in finds.items() if find != ["flights.c0=A", "flights.c1=B"]}, {}, "rows amiss")
    equal([row.key for row in still if row.key not in rows], [], "rows that had both all the time, and were not found")
    equal(list(rows), sorted(rows), "the order")
