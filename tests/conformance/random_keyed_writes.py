"""Writes in any order, cut into any batches, repeated: the highest version of each key must be held."""

from dataclasses import replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from headrace.ports import Projected
from headrace.testing.keyed_store import KeyedStoreUnderTest, check_any_order, gone, opened, put

from .random_writes import IN_A_FILE as IN_A_FILE
from .random_writes import ON_A_SERVER as ON_A_SERVER

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
BODIES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), VALUES, max_size=3)
ROUNDS = count()
PLACES = st.lists(
    st.lists(st.tuples(st.sampled_from(["a", "b", "cc", "ключ"]), st.integers(1, 6)), max_size=6),
    min_size=1,
    max_size=6,
)
any_batches = given(places=PLACES, bodies=st.lists(BODIES, min_size=1, max_size=4))


def write_and_compare(store: KeyedStoreUnderTest, places: list[list[tuple[str, int]]], bodies: list[dict]) -> None:
    """One example; all share a store, each has its own keys."""
    example, rows = next(ROUNDS), opened(store)

    def row(key: str, version: int) -> Projected:
        if (version * 7 + len(key)) % 3 == 0:
            return gone(key, version)
        return put(key, version, bodies[version % len(bodies)])

    named = [[replace(row(key, version), key=f"{example} {key}") for key, version in batch] for batch in places]
    check_any_order(store, rows, named)
    rows.close()
