"""The baseline of the identity step: connected components in Spark alone, by large-star and small-star.

After Kiveris et al., Connected Components in MapReduce and Beyond, SoCC 2014. As a user would write it: all edges, no
state of an earlier run, no look at what changed.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def contracted(edges: DataFrame) -> DataFrame:
    """`node, component` of every node.

    Args:
        edges: `a string, b string`.
    """
    now = edges.select("a", "b").distinct().localCheckpoint()
    told: tuple[object, ...] = ()
    while True:
        now = _small_star(_large_star(now)).localCheckpoint()
        moved = now.agg(F.count("*"), F.sum(F.hash("a", "b"))).collect()[0]
        if tuple(moved) == told:
            break
        told = tuple(moved)
    ends = now.select(F.col("a").alias("node"), F.col("b").alias("component"))
    return ends.union(now.select(F.col("b"), F.col("b"))).distinct()


def _large_star(edges: DataFrame) -> DataFrame:
    """Each larger neighbour of a node is joined to the smallest node of its neighbourhood."""
    both = edges.union(edges.select("b", "a")).toDF("node", "next")
    least = both.groupBy("node").agg(F.least(F.min("next"), F.first("node")).alias("least"))
    found = both.join(least, "node").where(F.col("next") > F.col("node"))
    return found.select(F.col("next").alias("a"), F.col("least").alias("b")).where("a <> b").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Each smaller neighbour, and the node itself, is joined to the smallest of them."""
    down = edges.select(F.greatest("a", "b").alias("node"), F.least("a", "b").alias("next"))
    least = down.groupBy("node").agg(F.min("next").alias("least"))
    found = down.join(least, "node").select(F.col("next").alias("a"), F.col("least").alias("b"))
    itself = least.select(F.col("node").alias("a"), F.col("least").alias("b"))
    return found.union(itself).where("a <> b").distinct()
