"""The same as `leaks` for large sets, in Spark.

Near duplicates are looked for with MinHashes that neither the search for duplicates nor the split used. A pair would
have to be missed by all of them to go unnoticed.
"""

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.training.bulk_similar import kept_aside, similar
from headrace.training.bulk_splits import texts_told
from headrace.training.leaks import Leaks
from headrace.training.similar import Likeness

OWN_SEED = 1_000_003


def leaks(examples: DataFrame, likeness: Likeness) -> Leaks:
    """Leaks of a split.

    Args:
        examples: `side`, and the columns that `bulk_splits.split` reads.
        likeness: what a near duplicate is; its seed is not used.
    """
    told = kept_aside(texts_told(examples).join(examples.select("id", "side"), "id"))
    texts = told.groupBy("name").agg(F.first("text").alias("text"), F.collect_set("side").alias("sides"))
    texts = kept_aside(texts.withColumn("family", F.lit("")))
    near = similar(texts.select("name", "family", "text"), replace(likeness, seed=OWN_SEED))
    sides = texts.select("name", "sides")
    both = near.join(sides.toDF("a", "_a"), "a").join(sides.toDF("b", "_b"), "b")
    return Leaks(
        persons=_on_two(examples, "person"),
        conversations=_on_two(examples, "conversation"),
        groups=_on_two(examples, "group"),
        texts=texts.where(F.size("sides") > 1).count(),
        near_duplicates=both.where(F.size(F.array_union("_a", "_b")) > 1).count(),
    )


def _on_two(examples: DataFrame, column: str) -> int:
    some = examples.where(F.col(column) != "").groupBy(column)
    return some.agg(F.count_distinct("side").alias("sides")).where("sides > 1").count()
