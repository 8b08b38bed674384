"""The same as `duplicates` in Spark: who goes, and for whose sake."""

from collections.abc import Callable, Iterator
from itertools import groupby

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.graph import components
from headrace.lake import local_rows, struct
from headrace.training.bulk_similar import Batches, examples_of, kept_aside, rows_of, similar
from headrace.training.duplicates import STEP, DuplicateRules, superseded, text_digest, told_of

DUPLICATES = "id string, step string, reason string, detail string, similarity double"
IN_DRIVER = 1_000_000
"""Pairs the driver works on; more are worked on group by group in Spark."""
_TOLD = "name string, family string, text string, digest string"
_GONE = "name string, of string"
_TOLD_ARROW = pa.schema([(name, pa.string()) for name in ("name", "family", "text", "digest")])
_GONE_ARROW = pa.schema([(name, pa.string()) for name in ("name", "of")])


def duplicates(examples: DataFrame, rules: DuplicateRules, in_driver: int = IN_DRIVER) -> DataFrame:
    """The examples to leave out: what `duplicates.duplicates` finds.

    Args:
        examples: `body`, examples as JSON.
        in_driver: pairs of near duplicates from which on Spark works on them.

    Returns:
        Schema `DUPLICATES`; `detail` is the id of one that is kept.
    """
    told = kept_aside(examples.select("body").mapInArrow(_told(rules.origins), struct(_TOLD)))
    grouped = told.groupBy("family", "digest")
    texts = kept_aside(grouped.agg(F.min("name").alias("first"), F.first("text").alias("text")))
    near = kept_aside(similar(texts.withColumnRenamed("first", "name"), rules.likeness))
    gone = _gone(near, in_driver).join(near.toDF("of", "first", "similarity"), ["of", "first"])
    said = told.join(texts.drop("text"), ["family", "digest"]).join(gone, "first", "left")
    return (
        said.where("of IS NOT NULL OR name <> first")
        .select(
            _id(F.col("name")).alias("id"),
            F.lit(STEP).alias("step"),
            F.when(F.col("of").isNull(), "exact_duplicate_of").otherwise("near_duplicate_of").alias("reason"),
            _id(F.coalesce("of", "first")).alias("detail"),
            F.coalesce("similarity", F.lit(1.0)).alias("similarity"),
        )
        .distinct()
    )


def _id(name: Column) -> Column:
    """`id_of`."""
    return F.split(name, " ", 3)[2]


def _told(origins: tuple[str, ...]) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for some in examples_of(batches):
            told = [told_of(one, origins) for one in some]
            rows = [{**one._asdict(), "digest": text_digest(one.text)} for one in told]
            yield pa.RecordBatch.from_pylist(rows, schema=_TOLD_ARROW)

    return run


def _gone(near: DataFrame, in_driver: int) -> DataFrame:
    """`first, of` by `superseded`."""
    if near.count() <= in_driver:
        pairs = [(row["a"], row["b"]) for row in near.select("a", "b").toLocalIterator()]
        return local_rows(near.sparkSession, sorted(superseded(pairs).items()), _GONE).toDF("first", "of")
    groups = kept_aside(components(near.select("a", "b"))).withColumnRenamed("node", "a")
    together = near.join(groups, "a").select("component", "a", "b").repartition("component")
    found = together.sortWithinPartitions("component").mapInArrow(_gone_by_group, struct(_GONE))
    return found.toDF("first", "of")


def _gone_by_group(batches: Batches) -> Iterator[pa.RecordBatch]:
    for _, group in groupby(rows_of(batches), key=lambda row: row["component"]):
        gone = superseded((row["a"], row["b"]) for row in group)
        yield pa.RecordBatch.from_arrays([pa.array(gone.keys()), pa.array(gone.values())], schema=_GONE_ARROW)
