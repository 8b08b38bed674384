"""Connected components: by union-find in the driver, by star contraction in Spark. Both give the same components."""

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T", bound=Hashable)


class UnionFind(Generic[T]):
    """Sets that are joined again and again, with path halving and union by size."""

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._parent: dict[T, T] = {item: item for item in items}
        self._size: dict[T, int] = {}

    def add(self, item: T) -> None:
        """Know an item; by itself, if it is new."""
        self._parent.setdefault(item, item)

    def find(self, item: T) -> T:
        """The item that stands for the set of this one."""
        parent = self._parent
        while parent[item] != item:
            parent[item] = item = parent[parent[item]]
        return item

    def union(self, one: T, other: T) -> T:
        """Join the sets of two items; the item that stands for both now."""
        kept, lost = self.find(one), self.find(other)
        if kept == lost:
            return kept
        sizes = self._size
        if sizes.get(kept, 1) < sizes.get(lost, 1):
            kept, lost = lost, kept
        self._parent[lost] = kept
        sizes[kept] = sizes.get(kept, 1) + sizes.pop(lost, 1)
        return kept

    def sets(self) -> Iterator[list[T]]:
        """Every set, its items in the order they were added."""
        found: dict[T, list[T]] = {}
        for item in self._parent:
            found.setdefault(self.find(item), []).append(item)
        yield from found.values()


def components(edges: "DataFrame", checkpoint_every: int = 1) -> "DataFrame":
    """Connected components by alternating large-star and small-star (Kiveris et al., SoCC 2014).

    Args:
        edges: `a string, b string`, in either direction, doubled or not.
        checkpoint_every: rounds between two cuts of the plan, which else doubles with each.

    Returns:
        `node, component` for every node of an edge; the component is its smallest node.
    """
    from pyspark.sql import functions as F

    def star(pairs: "DataFrame", larger: bool) -> "DataFrame":
        if larger:
            around = pairs.union(pairs.select("b", "a")).toDF("u", "v")
        else:
            around = pairs.select(F.greatest("a", "b").alias("u"), F.least("a", "b").alias("v"))
        smallest = around.groupBy("u").agg(F.least(F.min("v"), F.first("u")).alias("m"))
        joined = around.join(smallest, "u")
        if larger:
            linked = joined.where(F.col("v") > F.col("u")).select(F.col("v").alias("a"), F.col("m").alias("b"))
        else:
            linked = joined.select(F.col("v").alias("a"), F.col("m").alias("b")).union(
                smallest.select(F.col("u").alias("a"), F.col("m").alias("b"))
            )
        return linked.where("a <> b").distinct()

    pairs = edges.where("a <> b").select("a", "b").distinct().localCheckpoint()
    nodes = edges.select(F.explode(F.array("a", "b")).alias("node")).distinct()
    before, turn = None, 0
    while True:
        turn += 1
        pairs = star(star(pairs, larger=True), larger=False)
        if turn % checkpoint_every == 0:
            pairs = pairs.localCheckpoint()
        # Every edge leads from a node to one below it: the sums stand still when nothing moves any more.
        now = tuple(pairs.agg(F.count("*"), F.sum(F.xxhash64("a", "b").cast("decimal(38,0)"))).collect()[0])
        if now == before:
            break
        before = now
    labels = pairs.groupBy(F.col("a").alias("node")).agg(F.min("b").alias("component"))
    return nodes.join(labels, "node", "left").withColumn("component", F.coalesce("component", "node"))
