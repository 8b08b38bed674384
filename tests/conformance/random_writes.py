"""Writes in any order, cut into any batches, repeated: the highest version of each key must be held."""

import os
from dataclasses import replace
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.ports import Projected
from headrace.testing.passages import gone, put
from headrace.testing.vector_index import VectorIndexUnderTest, check_any_order, opened


def row(key: str, version: int) -> Projected:
    """The one row of a key and version."""
    return gone(key, version) if (version * 7 + len(key)) % 3 == 0 else put(key, version, text=f"{key} {version}")


ROWS = st.builds(row, st.sampled_from(["a", "b", "cc", "ключ"]), st.integers(1, 6))
ROUNDS = count()
BATCHES = st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=6)
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
IN_A_FILE = settings(max_examples=2_000 if SOAK else 40, suppress_health_check=SHARED)
ON_A_SERVER = settings(max_examples=500 if SOAK else 15, suppress_health_check=SHARED)
any_batches = given(batches=BATCHES)


def write_and_compare(store: VectorIndexUnderTest, batches: list[list[Projected]]) -> None:
    """One example; all share an index, each has its own keys."""
    example, index = next(ROUNDS), opened(store)
    check_any_order(index, [[replace(row, key=f"{example} {row.key}") for row in batch] for batch in batches])
    index.close()
