"""Whatever happens to the table, and wherever a publisher is cut off, a store that was brought in step equals it."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.config_publish import SqliteMeasures
from headrace.ports_measures import Progress
from headrace.stores.measures_sqlite import SqliteMeasureStore
from unit.conversations.measure_tables import write
from unit.pipelines.test_publish_measures import World, row


class CutOff(Exception):
    """Stands for the end of the process."""


class Breaking(SqliteMeasureStore):
    """Ends at one of its steps, when told so."""

    steps: int | None = None

    def _step(self) -> None:
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise CutOff

    def put(self, documents: Any) -> None:
        self._step()
        super().put(documents)

    def remove(self, ids: Any) -> None:
        self._step()
        super().remove(ids)

    def keep(self, progress: Progress) -> None:
        self._step()
        super().keep(progress)


ROWS = st.lists(
    st.builds(row, st.sampled_from([0, 1, 2, -1500]), st.integers(0, 3), st.integers(-5, 5)),
    min_size=1, max_size=3, unique_by=lambda one: one["minute"],
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.just("merge"), ROWS),
    st.tuples(st.just("append"), ROWS),
    st.tuples(st.just("delete"), st.integers(0, 3)),
    st.tuples(st.just("compact"), st.none()),
    st.tuples(st.just("cut the log"), st.none()),
    st.tuples(st.just("publish"), st.none()),
    st.tuples(st.just("break"), st.integers(0, 3)),
)


def done(world: World, what: str, given: Any) -> None:
    match what:
        case "merge":
            world.merge(*given)
        case "append":
            # A file of its own, as a batch of Spark's writes it: no two rows of the table have one key.
            write(world.lake, [one | {"slice": f"{world.table.version()}"} for one in given])
        case "delete":
            world.table.delete(f"numerator = {given}.0")
        case "compact":
            world.table.optimize.compact()
        case "cut the log":
            world.table.create_checkpoint()
            for version in range(world.table.version()):
                (world.lake / f"measures/_delta_log/{version:020}.json").unlink(missing_ok=True)
        case "publish":
            world.publisher.publish()
            assert world.in_step()
        case "break":
            world.store.steps = given  # type: ignore[attr-defined]
            try:
                world.publisher.publish()
            except CutOff:
                world.publisher.close()
                world.publisher = world.started()
            world.store.steps = None  # type: ignore[attr-defined]


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, max_size=9))
def test_a_store_equals_the_table_after_any_history(steps: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake, place = Path(folder) / "lake", SqliteMeasures(store="sqlite", path=f"{folder}/m.db")
        lake.mkdir()
        write(lake, [row(0, 1), row(1, 2), row(-1500, 3)])
        world = World(lake, lambda: Breaking(place))
        for what, given in [*steps, ("publish", None)]:
            done(world, what, given)
        world.publisher.close()
