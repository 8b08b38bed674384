"""The same as `leaks` for large sets, in Spark.

Near duplicates are looked for with MinHashes that neither the search for duplicates nor the split used. A pair would
have to be missed by all of them to go unnoticed.
"""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.lake import struct
from headrace.training.bulk_similar import Batches, examples_of, kept_aside, similar
from headrace.training.leaks import Leaks, values
from headrace.training.similar import Likeness
from headrace.training.splits import text_node

OWN_SEED = 1_000_003
_VALUES = "id string, kind string, value string, text string"
_VALUES_ARROW = pa.schema([(name, pa.string()) for name in ("id", "kind", "value", "text")])


def leaks(examples: DataFrame, sides: DataFrame, likeness: Likeness) -> Leaks:
    """Leaks of a split.

    Args:
        examples: `body`, examples as JSON.
        sides: `id, side` of each.
        likeness: what a near duplicate is; its seed is not used.
    """
    of = _sides_of(examples, sides)
    double = {row["kind"]: row["count"] for row in of.where(F.size("sides") > 1).groupBy("kind").count().collect()}
    return Leaks(
        persons=double.get("person", 0),
        conversations=double.get("conversation", 0),
        groups=double.get("group", 0),
        texts=double.get("text", 0),
        near_duplicates=_near_across(of, likeness).count(),
    )


def near_across(examples: DataFrame, sides: DataFrame, likeness: Likeness) -> DataFrame:
    """`a, b` of the near duplicates on two sides that `leaks` counts: what `bulk_splits.split` takes as `also`."""
    return _near_across(_sides_of(examples, sides), likeness)


def _sides_of(examples: DataFrame, sides: DataFrame) -> DataFrame:
    """`kind, value, sides, text` of all that may be on one side only."""
    told = examples.select("body").mapInArrow(_values, struct(_VALUES)).join(sides.select("id", "side"), "id")
    of = told.groupBy("kind", "value").agg(F.collect_set("side").alias("sides"), F.first("text").alias("text"))
    return kept_aside(of)


def _near_across(of: DataFrame, likeness: Likeness) -> DataFrame:
    texts = of.where("kind = 'text'").select(F.col("value").alias("name"), F.lit("").alias("family"), "text", "sides")
    near = similar(texts.drop("sides"), replace(likeness, seed=OWN_SEED))
    on = texts.select("name", "sides")
    both = near.join(on.toDF("a", "_a"), "a").join(on.toDF("b", "_b"), "b")
    return both.where(F.size(F.array_union("_a", "_b")) > 1).select("a", "b")


def _values(batches: Batches) -> Iterator[pa.RecordBatch]:
    for some in examples_of(batches):
        rows = [
            {"id": one.id, "kind": kind, "value": text_node(value), "text": value}
            if kind == "text"
            else {"id": one.id, "kind": kind, "value": value, "text": None}
            for one in some
            for kind, value in values(one)
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=_VALUES_ARROW)
