"""The same as `duplicates` in Spark: who goes, and for whose sake."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.graph import components
from headrace.lake import local_rows, struct
from headrace.training.bulk_similar import Batches, kept_aside, rows_of, similar
from headrace.training.duplicates import (
    DuplicateRules,
    compared,
    family,
    rank,
    superseded,
    text_digest,
)

DUPLICATES = "id string, reason string, of string, similarity double"
IN_DRIVER = 1_000_000
"""Pairs the driver works on; more are worked on group by group in Spark."""
_TOLD = "name string, family string, digest string, text string"
_GONE = "name string, of string"
_TOLD_ARROW = pa.schema([(name, pa.string()) for name in ("name", "family", "digest", "text")])
_GONE_ARROW = pa.schema([(name, pa.string()) for name in ("name", "of")])


def duplicates(examples: DataFrame, rules: DuplicateRules, in_driver: int = IN_DRIVER) -> DataFrame:
    """The examples to leave out.

    Args:
        examples: at least `id, kind, label, origin, at, messages, completion, chosen, rejected` of `Example`.
        in_driver: pairs of near duplicates from which on Spark works on them.

    Returns:
        Schema `DUPLICATES`, the rows of `duplicates.duplicates`.
    """
    question = F.get("messages", F.size("messages") - 1)["content"].alias("question")
    needed = examples.select("id", "kind", "label", "origin", "at", question, "completion", "chosen", "rejected")
    told = kept_aside(needed.mapInArrow(_told(rules.origins), struct(_TOLD)))
    grouped = told.groupBy("family", "digest")
    texts = kept_aside(grouped.agg(F.min("name").alias("first"), F.first("text").alias("text")))
    near = kept_aside(similar(texts.withColumnRenamed("first", "name"), rules.likeness))
    gone = _gone(near, in_driver).join(near.toDF("of", "name", "similarity"), ["of", "name"])
    said = told.join(texts.drop("text"), ["family", "digest"]).join(
        gone.withColumnRenamed("name", "first"), "first", "left"
    )
    refused = said.where("of IS NOT NULL OR name <> first").select(
        F.col("name"),
        F.when(F.col("of").isNull(), "exact_duplicate_of").otherwise("near_duplicate_of").alias("reason"),
        F.coalesce("of", "first").alias("of"),
        F.coalesce("similarity", F.lit(1.0)).alias("similarity"),
    )
    return refused.select(_id("name").alias("id"), "reason", _id("of").alias("of"), "similarity").distinct()


def _id(name: str) -> Column:
    """`id_of`."""
    return F.split(name, " ", 3)[2]


def _told(origins: tuple[str, ...]) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [_compared(row, origins) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=_TOLD_ARROW)

    return run


def _compared(row: dict[str, Any], origins: tuple[str, ...]) -> dict[str, str]:
    text = compared(row["question"], row["completion"], row["chosen"], row["rejected"])
    return {
        "name": rank(row["origin"], row["at"], row["id"], origins),
        "family": family(row["kind"], row["label"]),
        "digest": text_digest(text),
        "text": text,
    }


def _gone(near: DataFrame, in_driver: int) -> DataFrame:
    """Schema `_GONE`, by `superseded`."""
    if near.count() <= in_driver:
        pairs = [(row["a"], row["b"]) for row in near.select("a", "b").toLocalIterator()]
        return local_rows(near.sparkSession, sorted(superseded(pairs).items()), _GONE)
    groups = kept_aside(components(near.select("a", "b"))).withColumnRenamed("node", "a")
    together = near.join(groups, "a").select("component", "a", "b").repartition("component")
    return together.sortWithinPartitions("component").mapInArrow(_gone_by_group, struct(_GONE))


def _gone_by_group(batches: Batches) -> Iterator[pa.RecordBatch]:
    for _, group in groupby(rows_of(batches), key=lambda row: row["component"]):
        gone = superseded((row["a"], row["b"]) for row in group)
        yield pa.RecordBatch.from_arrays([pa.array(gone.keys()), pa.array(gone.values())], schema=_GONE_ARROW)
