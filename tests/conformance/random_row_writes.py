"""Served rows in any order, cut into any batches, repeated: what has a term is what the newest rows say."""

from itertools import combinations, count

from hypothesis import given
from hypothesis import strategies as st

from headrace.ports import Projected
from headrace.testing.keyed_store import opened
from headrace.testing.row_store import RowStoreUnderTest, check_found, flight, no_flight

from .random_writes import IN_A_FILE as IN_A_FILE
from .random_writes import ON_A_SERVER as ON_A_SERVER

VALUES = (None, "A", "B")
ROUNDS = count()
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(["a", "b", "cc", "ключ"]), st.integers(1, 6)), max_size=6),
    min_size=1,
    max_size=6,
)
any_rows = given(batches=BATCHES, salt=st.integers(0, 1_000), swept=st.integers(0, 6))


def _row(table: str, key: str, version: int, salt: int) -> Projected:
    """The one row of a key and version."""
    turn = salt + version * 7 + len(key)
    if turn % 4 == 0:
        return no_flight(key, version, table)
    return flight(key, version, *(VALUES[(turn * (place + 3) + version) % 3] for place in range(3)), table=table)


def write_and_look(store: RowStoreUnderTest, batches: list[list[tuple[str, int]]], salt: int, swept: int) -> None:
    """One example; all share a store, each has its own table. The last version that is swept ends in a delete."""
    example = next(ROUNDS)
    table, base = f"t{example}", example * 100
    rows, reader = opened(store), store.reader()
    named = [[_row(table, key, base + version, salt) for key, version in batch] for batch in batches]
    for batch in named:
        written = rows.write(batch)
        assert written.failed == () and written.applied + written.stale == len(batch)
    every = [row for batch in named for row in batch]
    if swept:
        rows.sweep(base + swept)
        kept = {row.key for row in every if row.version >= base + swept}
        every = [row for row in every if row.key in kept]
    terms = [(place, f"{table}.c{place}={value}") for place in range(3) for value in VALUES[1:]]
    for many in (1, 2, 3):
        for chosen in combinations(terms, many):
            if len(dict(chosen)) == many:
                check_found(reader, every, dict(chosen), 1 + salt % 4)
    reader.close()
    rows.close()
