"""What every vector index must do with owners, generations and several writers; see `headrace.testing.vector_index`."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

from headrace.ports import Filters, Written
from headrace.testing.passages import NOW, direction, gone, put
from headrace.testing.vector_index import OWNER, VectorIndexUnderTest, equal, opened, oracle, refused, state


class GenerationsContract:
    """Owners, generations, several writers."""

    def test_a_second_owner_is_refused(self, store: VectorIndexUnderTest) -> None:
        opened(store).write([put("a", 1)])
        for generation in ("g1", "g2"):
            refused(lambda name=generation: opened(store, name, "outbox-2"), OWNER, "outbox-2", "another index")  # type: ignore[misc]
        equal(state(opened(store)), {"a": (1, False)}, "held")

    def test_a_generation_name_no_store_could_use_is_refused(self, store: VectorIndexUnderTest) -> None:
        for name in ("", "G1", "a b", "a__b", '"; drop', "_a", "x" * 21):
            refused(lambda name=name: opened(store, name), "generation")  # type: ignore[misc]

    def test_another_generation_is_filled_beside_the_first_and_taken_into_use(
        self, store: VectorIndexUnderTest
    ) -> None:
        first, second = opened(store, "g1"), opened(store, "g2")
        equal((first.generations(), first.active()), (["g1", "g2"], None), "before")
        first.write([put("a", 9), put("b", 9)])
        first.activate("g1")
        other = ("another", 4, "another/4")
        equal(second.write([put("a", 1, model=other, vector=direction(1, dimension=4))]).applied, 1, "second")
        equal((first.active(), second.active()), ("g1", "g1"), "active")
        second.activate("g2")
        second.activate("g2")
        equal((first.active(), state(first)), ("g2", {"a": (9, False), "b": (9, False)}), "the old one is still there")
        refused(lambda: second.drop("g2"), "g2", "Activate another")
        second.drop("g1")
        second.drop("g1")
        equal((second.generations(), state(second)), (["g2"], {"a": (1, False)}), "after")
        refused(lambda: second.activate("g1"), "g1")
        refused(lambda: first.write([put("a", 10)]), "g1")
        equal(second.generations(), ["g2"], "a write does not bring a dropped generation back")

    def test_readers_follow_the_active_generation_at_once(self, store: VectorIndexUnderTest) -> None:
        reader = store.reader(lambda: NOW)
        for name, text in (("g1", "old words"), ("g2", "new words")):
            index = opened(store, name)
            index.write([put("a", 1, text=text)])
            store.refresh()
            index.activate(name)
            equal([hit.body["text"] for hit in reader.by_words("words", Filters(), 5)], [text], f"seen in {name}")
        reader.close()

    def test_writers_side_by_side_hold_the_newest(self, store: VectorIndexUnderTest) -> None:
        opened(store)
        versions = [(f"k{at % 10}", at) for at in range(1, 161)]
        rows = [gone(key, version) if version % 5 == 0 else put(key, version) for key, version in versions]

        def run(seed: int) -> Written:
            mine = rows[seed::2] + rows[:40]
            Random(seed).shuffle(mine)
            index = opened(store)
            return sum((index.write(mine[at : at + 8]) for at in range(0, len(mine), 8)), Written())

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(run, (0, 1, 0, 1)))
        equal([written.failed for written in done], [()] * 4, "failed rows")
        equal(state(opened(store)), oracle(rows), "held")
