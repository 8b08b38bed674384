"""Writes in any order, cut into any batches, repeated: the highest version of each key must be held."""

from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.ports import Projected
from headrace.testing.passages import gone, put
from headrace.testing.vector_index import VectorIndexUnderTest, check_any_order


def row(key: str, version: int) -> Projected:
    """The one row of a key and version."""
    return gone(key, version) if (version * 7 + len(key)) % 3 == 0 else put(key, version, text=f"{key} {version}")


ROWS = st.builds(row, st.sampled_from(["a", "b", "cc", "ключ"]), st.integers(1, 6))
BATCHES = st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=6)


class RandomWrites:
    """Beside `VectorIndexContract`; `store` may be shared by the examples, each takes its own generation."""

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(batches=BATCHES)
    def test_writes_in_any_order_and_any_batches_hold_the_newest(
        self, store: VectorIndexUnderTest, batches: list[list[Projected]]
    ) -> None:
        check_any_order(store, batches, f"r-{uuid4().hex[:16]}")
