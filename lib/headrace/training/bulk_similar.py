"""The same as `similar` in Spark, for more texts than a driver holds. Both find the same pairs."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from headrace.lake import struct
from headrace.training.example import Example
from headrace.training.minhash import FEWEST, band_keys, banding, gram_count, true_similarities
from headrace.training.similar import ALL, NEIGHBOURS, Likeness

TEXTS = "name string, family string, text string"
PAIRS = "a string, b string, similarity double"
_KEYS = pa.schema([("name", pa.string()), ("family", pa.string()), ("key", pa.int64()), ("order", pa.int64())])
_FOUND = pa.schema([("a", pa.string()), ("b", pa.string()), ("similarity", pa.float64())])

Batches = Iterable[pa.RecordBatch]


def similar(texts: DataFrame, likeness: Likeness) -> DataFrame:
    """Near duplicates.

    Args:
        texts: schema `TEXTS`, each name once; read several times.

    Returns:
        Schema `PAIRS`; `a` is the smaller name.
    """
    named = texts.select("name", "text")
    met = _candidates(texts, likeness).join(named.toDF("a", "_a"), "a").join(named.toDF("b", "_b"), "b")
    return met.mapInArrow(_verify(likeness), struct(PAIRS))


def _candidates(texts: DataFrame, likeness: Likeness) -> DataFrame:
    """`a, b`, each pair once: the rule of buckets of `similar.candidates`."""
    keyed = texts.mapInArrow(_keys(likeness), struct("name string, family string, key bigint, order bigint"))
    bucket = Window.partitionBy("family", "key")
    ordered = bucket.orderBy("order", "name")
    met = keyed.select(
        "name",
        F.count("*").over(bucket).alias("_size"),
        F.min("name").over(bucket).alias("_least"),
        F.collect_list("name").over(ordered.rowsBetween(-(ALL - 1), -1)).alias("_all"),
        F.collect_list("name").over(ordered.rowsBetween(-NEIGHBOURS, -1)).alias("_next"),
    ).where("_size > 1")
    before = F.when(F.col("_size") <= ALL, F.col("_all")).otherwise(F.concat("_next", F.array("_least")))
    pairs = met.select("name", F.explode(before).alias("_other")).where("name <> _other")
    return pairs.select(F.least("name", "_other").alias("a"), F.greatest("name", "_other").alias("b")).distinct()


def _keys(likeness: Likeness) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    cut, seed = banding(likeness.threshold), likeness.seed

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            texts = batch.column("text").to_pylist()
            long_enough = np.array([at for at, text in enumerate(texts) if gram_count(text) >= FEWEST], np.int64)
            keys, orders = band_keys([texts[at] for at in long_enough], cut, seed)
            places = pa.array(np.repeat(long_enough, cut.bands))
            columns = [batch.column(name).take(places) for name in ("name", "family")]
            yield pa.RecordBatch.from_arrays([*columns, keys.ravel(), orders.ravel()], schema=_KEYS)

    return run


def _verify(likeness: Likeness) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    threshold = likeness.threshold

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            # In a batch the same texts stand again and again; what is known of one is worked out once.
            a, b = batch.column("a"), batch.column("b")
            texts = dict(zip(a.to_pylist(), batch.column("_a").to_pylist(), strict=True))
            texts |= zip(b.to_pylist(), batch.column("_b").to_pylist(), strict=True)
            row = {name: at for at, name in enumerate(texts)}
            pairs = np.array([[row[name] for name in column.to_pylist()] for column in (a, b)], np.intp).T
            found = true_similarities(list(texts.values()), pairs, threshold)
            near = np.flatnonzero(found)
            places, similarities = pa.array(near), pa.array(found[near])
            yield pa.RecordBatch.from_arrays([a.take(places), b.take(places), similarities], schema=_FOUND)

    return run


def kept_aside(rows: DataFrame) -> DataFrame:
    """The same rows, worked out once and kept on the executors' disks: they are read several times."""
    return rows.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)


def rows_of(batches: Batches) -> Iterator[dict[str, Any]]:
    """The rows of Arrow batches as dictionaries, one batch in memory at a time."""
    return (row for batch in batches for row in batch.to_pylist())


def examples_of(batches: Batches) -> Iterator[list[Example]]:
    """The examples of each batch; its column `body` has them as JSON."""
    for batch in batches:
        yield [Example.from_json(json.loads(body)) for body in batch.column("body").to_pylist()]
