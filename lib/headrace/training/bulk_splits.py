"""The same as `splits` in Spark: components by union-find in the driver up to a size, else by `graph.components`."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.graph import UnionFind, components
from headrace.lake import local_rows, struct
from headrace.training.bulk_similar import Batches, kept_aside, similar
from headrace.training.split_report import STRATA, Component, Counted, SplitReport, report
from headrace.training.splits import SIDES, SplitRules, text_node, texts_of

IN_DRIVER = 1_000_000
"""Edges the driver works on."""
_LARGEST = 100
_BESIDE = ("conversation", "person")
SIDE_OF = "node string, side string"
_TEXTS = "id string, name string, text string"
_TEXTS_ARROW = pa.schema([(name, pa.string()) for name in ("id", "name", "text")])


class Split(NamedTuple):
    """What `splits.Splits` holds, as tables.

    Attributes:
        sides: `id, component, side, was` of every example; `was` is its side before, null if it is new.
        nodes: schema `SIDE_OF`; for the next version.
    """

    sides: DataFrame
    nodes: DataFrame


def split(examples: DataFrame, rules: SplitRules, before: DataFrame | None = None, in_driver: int = IN_DRIVER) -> Split:
    """A side for every example.

    Args:
        examples: at least `id, at, person, conversation, group, messages, completion, chosen, rejected`, no id twice.
        before: schema `SIDE_OF`, `nodes` of the version before, without those of people who were erased.
    """
    if before is None:
        before = local_rows(examples.sparkSession, [], SIDE_OF)
    edges = kept_aside(_edges(examples, rules))
    groups = kept_aside(_components(edges, in_driver))
    own = F.concat(F.lit("example:"), "id").alias("node")
    members = examples.select("id", "at", own).join(groups, "node")
    names = members.groupBy("component").agg(F.min(F.struct("at", "id"))["id"].alias("name"))
    earlier = groups.join(before, "node").groupBy("component").agg(F.max(_place("side")).alias("_before"))
    decided = names.join(earlier, "component", "left").select(
        "component", "name", F.coalesce(_side("_before"), _drawn(rules, "name")).alias("side")
    )
    sided = kept_aside(groups.join(decided, "component"))
    sides = members.select("id", "node").join(sided, "node").join(before.toDF("node", "was"), "node", "left")
    now = sided.where("node NOT LIKE 'text:%'").select("node", "side")
    nodes = now.union(before.select("node", "side").join(now, "node", "left_anti"))
    return Split(sides.select("id", F.col("name").alias("component"), "side", "was"), nodes)


def split_report(examples: DataFrame, found: Split, rules: SplitRules) -> SplitReport:
    """How the examples lie.

    Args:
        examples: at least `id` and the columns of `STRATA`.
    """
    sides = kept_aside(found.sides)
    values = [F.col(column).cast("string").alias(column) for column in STRATA]
    counts = examples.select("id", *values).join(sides, "id").groupBy("side", *STRATA).count().collect()
    largest = sides.groupBy("component", "side").count().orderBy(F.desc("count"), "component").limit(_LARGEST).collect()
    moved = sides.where("was <> side").groupBy("was", "side").count().collect()
    return report(
        [Counted(row["side"], tuple(row[column] for column in STRATA), row["count"]) for row in counts],
        [Component(row["component"], row["side"], row["count"]) for row in largest],
        rules,
        {(row["was"], row["side"]): row["count"] for row in moved},
    )


def texts_told(examples: DataFrame) -> DataFrame:
    """`id, name, text` of what must not be on two sides, by `splits.told`; equal names are equal texts."""
    question = F.get("messages", F.size("messages") - 1)["content"].alias("question")
    needed = examples.select("id", question, "completion", "chosen", "rejected")
    return needed.mapInArrow(_told(), struct(_TEXTS))


def _edges(examples: DataFrame, rules: SplitRules) -> DataFrame:
    """`a, b` of all that is joined; every example has one, if only to itself."""
    told = kept_aside(texts_told(examples))
    texts = kept_aside(told.groupBy("name").agg(F.lit("").alias("family"), F.first("text").alias("text")))
    own = F.concat(F.lit("example:"), "id").alias("a")
    joins = [
        F.when(F.col(kind) != "", F.concat(F.lit(f"{kind}:"), kind)) for kind in ("person", "conversation", "group")
    ]
    around = examples.select(own, F.explode(F.array_compact(F.array(*joins, own))).alias("b"))
    if "beside" in examples.columns:
        around = around.union(_beside(examples))
    near = similar(texts, rules.likeness).select("a", "b")
    return around.union(told.select(own, F.col("name").alias("b"))).union(near)


def _beside(examples: DataFrame) -> DataFrame:
    """`a, b` of the other answers' conversations and persons."""
    kinds = [
        F.when(F.col("_")[at] != "", F.concat(F.lit(f"{kind}:"), F.col("_")[at])) for at, kind in enumerate(_BESIDE)
    ]
    others = examples.select(F.concat(F.lit("example:"), "id").alias("a"), F.explode("beside").alias("_"))
    return others.select("a", F.explode(F.array_compact(F.array(*kinds))).alias("b"))


def _components(edges: DataFrame, in_driver: int) -> DataFrame:
    """`node, component`; the component is its smallest node."""
    if edges.count() > in_driver:
        return components(edges)
    found: UnionFind[str] = UnionFind()
    for a, b in edges.toLocalIterator():
        found.add(a)
        found.add(b)
        found.union(a, b)
    rows = [(node, least) for set_ in found.sets() for least in [min(set_)] for node in set_]
    return local_rows(edges.sparkSession, rows, "node string, component string")


def _place(side: str) -> Column:
    return F.array_position(F.array(*map(F.lit, SIDES)), F.col(side))


def _side(place: str) -> Column:
    return F.get(F.array(*map(F.lit, SIDES)), F.col(place).cast("int") - 1)


def _drawn(rules: SplitRules, name: str) -> Column:
    """`SplitRules.side`."""
    told = F.sha2(F.concat(F.lit(f"{rules.salt}\n"), F.col(name)), 256)
    test, validation = rules.bounds()
    return F.when(told < test, "test").when(told < validation, "validation").otherwise("train")


def _told() -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [one for row in batch.to_pylist() for one in _texts(row)]
            yield pa.RecordBatch.from_pylist(rows, schema=_TEXTS_ARROW)

    return run


def _texts(row: dict[str, Any]) -> list[dict[str, str]]:
    texts = texts_of(row["question"], row["completion"], row["chosen"], row["rejected"])
    return [{"id": row["id"], "name": text_node(text), "text": text} for text in texts]
