"""The rows of a dataset: chosen ones cleaned, without duplicates, each on one side of a split."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import struct
from headrace.training import bulk_duplicates, bulk_splits
from headrace.training.bulk_leaks import leaks, near_across
from headrace.training.bulk_similar import kept_aside
from headrace.training.canonical import canonical
from headrace.training.clean import Cleaning, clean
from headrace.training.digest import ContentDigest
from headrace.training.duplicates import DuplicateRules
from headrace.training.example import Example
from headrace.training.leaks import Leaks
from headrace.training.refused import Refused
from headrace.training.splits import Side, SplitRules

_SEEN = """person string, conversation string, `group` string, at timestamp, beside array<array<string>>"""
"""What the table of rows holds of an example."""
_CLEAN = "id string, body string, step string, reason string, detail string"
_CLEAN_ARROW = pa.schema([(name, pa.string()) for name in ("id", "body", "step", "reason", "detail")])
_REFUSED = ("id", "step", "reason", "detail")
_PLACED = "id string, split string, body string, place string"
_PLACED_ARROW = pa.schema([(name, pa.string()) for name in ("id", "split", "body", "place")])
DIGESTS = "total string, rows bigint"
_DIGESTS_ARROW = pa.schema([("total", pa.string()), ("rows", pa.int64())])
ORIGINS = ("correction", "regenerated", "better_rated", "stars+thumbs", "stars", "thumbs")
"""Which of two duplicates is worth more: what a person wrote, then what was compared, then what was liked."""

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Curated:
    """A dataset before it is written.

    Attributes:
        rows: `id, body, split, component`, and `person, conversation, group, at, beside` of the example.
        refused: `id, step, reason, detail`; each id once.
        split: what `bulk_splits.split` gave.
        leaks: what stands on two sides all the same; measured, not inferred.
    """

    rows: DataFrame
    refused: DataFrame
    split: bulk_splits.Split
    leaks: Leaks


def curated(
    chosen: DataFrame, cleaning: Cleaning, likeness: DuplicateRules, rules: SplitRules, before: DataFrame | None
) -> Curated:
    """Everything between choosing and writing.

    Args:
        chosen: schema `frames.CHOSEN`.
        before: `node, side` as the version before left them.
    """
    cleaned = kept_aside(_cleaned(chosen, cleaning))
    whole = cleaned.where("body IS NOT NULL").select("id", "body")
    double = kept_aside(bulk_duplicates.duplicates(whole, likeness))
    kept = kept_aside(whole.join(double, "id", "left_anti"))
    split, found = _split(kept, rules, before)
    sides = split.sides.select("id", F.col("side").alias("split"), "component")
    refused = cleaned.where("body IS NULL").select(*_REFUSED).unionByName(double.select(*_REFUSED))
    seen = kept.withColumn("_", F.from_json("body", struct(_SEEN))).select("id", "body", "_.*")
    return Curated(seen.join(sides, "id"), refused, split, found)


def _split(kept: DataFrame, rules: SplitRules, before: DataFrame | None) -> tuple[bulk_splits.Split, Leaks]:
    """The split, once more where the measure finds near duplicates on two sides that the search for them missed."""
    split = bulk_splits.split(kept, rules, before)
    found = leaks(kept, split.sides, rules.likeness)
    if found.near_duplicates:
        across = near_across(kept, split.sides, rules.likeness)
        split = bulk_splits.split(kept, rules, before, also=across)
        found = leaks(kept, split.sides, rules.likeness)
    return split, found


def in_order(rows: DataFrame, key: bytes) -> Iterator[tuple[Side, Example]]:
    """Split and example of every row in the order in which they are written: that of keyed hashes of their ids."""
    ordered = rows.select("id", "split", "body").mapInArrow(_placed(key), struct(_PLACED)).orderBy("place", "id")
    for row in ordered.toLocalIterator():
        yield row["split"], Example.from_json(json.loads(row["body"]))


def _placed(key: bytes) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """In Python, since the key must not be part of a plan, which Spark shows."""

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            ids = batch.column("id").to_pylist()
            places = [hmac.new(key, b"order\0" + one.encode(), hashlib.sha256).hexdigest() for one in ids]
            yield pa.RecordBatch.from_arrays([*batch.columns, pa.array(places)], schema=_PLACED_ARROW)

    return run


def digest_of(rows: DataFrame) -> ContentDigest:
    """Of all rows with their splits, the same on any partitioning."""
    told = rows.select("split", "body").mapInArrow(_digests, struct(DIGESTS)).collect()
    found = ContentDigest()
    for row in told:
        found += ContentDigest(int(row["total"], 16), row["rows"])
    return found


def _digests(batches: Batches) -> Iterator[pa.RecordBatch]:
    found = ContentDigest()
    for batch in batches:
        for row in batch.to_pylist():
            found = found.with_row(row["split"], canonical(json.loads(row["body"])))
    yield pa.RecordBatch.from_pylist([{"total": f"{found.total:x}", "rows": found.rows}], schema=_DIGESTS_ARROW)


def _cleaned(chosen: DataFrame, cleaning: Cleaning) -> DataFrame:
    return chosen.select("id", "body", "names", "step", "reason", "detail").mapInArrow(
        _cleaning(cleaning), struct(_CLEAN)
    )


def _cleaning(cleaning: Cleaning) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [_clean(row, cleaning) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=_CLEAN_ARROW)

    return run


def _clean(row: dict[str, Any], cleaning: Cleaning) -> dict[str, Any]:
    names = row.pop("names")
    if row["body"] is None:
        return row
    found = clean(Example.from_json(json.loads(row["body"])), names or (), cleaning)
    if isinstance(found, Refused):
        return {"id": row["id"], "step": found.step, "reason": found.reason, "detail": found.detail}
    return {"id": row["id"], "body": json.dumps(found.to_json(), ensure_ascii=False)}


def known_sides(rows: DataFrame) -> DataFrame:
    """`node, side` of earlier versions, of a node in several of them the newest one's.

    Args:
        rows: of the table `datasets/rows` with `slot`, of versions that were not revoked.
    """
    nodes: list[Column] = [F.concat(F.lit("example:"), "example")]
    nodes += [F.when(F.col(one) != "", F.concat(F.lit(f"{one}:"), one)) for one in ("person", "conversation", "group")]
    others = F.flatten(
        F.transform(
            "beside",
            lambda one: F.array(
                F.concat(F.lit("conversation:"), one.conversation), F.concat(F.lit("person:"), one.person)
            ),
        )
    )
    every = F.array_compact(F.concat(F.array(*nodes), F.coalesce(others, F.array().cast("array<string>"))))
    each = rows.select("slot", F.col("split").alias("side"), F.explode(every).alias("node"))
    return each.groupBy("node").agg(F.max(F.struct("slot", "side"))["side"].alias("side"))
