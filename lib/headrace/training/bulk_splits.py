"""The same as `splits` in Spark: components by union-find in the driver up to a size, else by `graph.components`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.graph import UnionFind, components
from headrace.lake import local_rows, struct
from headrace.training.bulk_similar import Batches, examples_of, kept_aside, similar
from headrace.training.duplicates import id_of, rank
from headrace.training.split_report import STRATA, Component, Counted, SplitReport, report
from headrace.training.splits import SIDES, SplitRules, example_node, nodes, text_node, told

IN_DRIVER = 1_000_000
"""Edges the driver works on."""
SIDE_OF = "node string, side string"
_LARGEST = 100
_TOLD = "id string, own string, age string, around array<string>, texts array<struct<name string, text string>>"
_TOLD_ARROW = pa.schema(
    [
        ("id", pa.string()), ("own", pa.string()), ("age", pa.string()), ("around", pa.list_(pa.string())),
        ("texts", pa.list_(pa.struct([("name", pa.string()), ("text", pa.string())]))),
    ]
)  # fmt: skip
_DECIDED = "component string, name string, side string"


class Split(NamedTuple):
    """What `splits.Splits` holds, as tables.

    Attributes:
        sides: `id, component, side, was` of every example; `was` is its side before, null if it is new.
        nodes: schema `SIDE_OF`; for the next version.
    """

    sides: DataFrame
    nodes: DataFrame


def split(
    examples: DataFrame,
    rules: SplitRules,
    before: DataFrame | None = None,
    also: DataFrame | None = None,
    in_driver: int = IN_DRIVER,
) -> Split:
    """A side for every example.

    Args:
        examples: `body`, examples as JSON, none twice.
        before: schema `SIDE_OF`, `nodes` of the version before, without those of people who were erased.
        also: `a, b`, nodes that are to be together beside all others, such as `bulk_leaks.near_across` finds.
        in_driver: edges from which on Spark works on them.
    """
    if before is None:
        before = local_rows(examples.sparkSession, [], SIDE_OF)
    told = kept_aside(examples.select("body").mapInArrow(_told, struct(_TOLD)))
    edges = _edges(told, rules)
    if also is not None:
        edges = edges.union(also.select("a", "b"))
    groups = kept_aside(_components(kept_aside(edges), in_driver))
    members = told.select("id", "age", F.col("own").alias("node")).join(groups, "node")
    oldest = members.groupBy("component").agg(F.min("age").alias("age"))
    earlier = groups.join(before, "node").groupBy("component").agg(F.max(_place("side")).alias("place"))
    decided = oldest.join(earlier, "component", "left").mapInArrow(_decide(rules), struct(_DECIDED))
    sided = kept_aside(groups.join(decided, "component"))
    sides = members.select("id", "node").join(sided, "node").join(before.toDF("node", "was"), "node", "left")
    now = sided.where("node NOT LIKE 'text:%'").select("node", "side")
    nodes = now.union(before.select("node", "side").join(now, "node", "left_anti"))
    return Split(sides.select("id", F.col("name").alias("component"), "side", "was"), nodes)


def split_report(examples: DataFrame, found: Split, rules: SplitRules) -> SplitReport:
    """How the examples lie.

    Args:
        examples: `id, body`.
    """
    sides = kept_aside(found.sides)
    values = [F.get_json_object("body", f"$.{column}").alias(column) for column in STRATA]
    counts = examples.select("id", *values).join(sides, "id").groupBy("side", *STRATA).count().collect()
    largest = sides.groupBy("component", "side").count().orderBy(F.desc("count"), "component").limit(_LARGEST).collect()
    moved = sides.where("was <> side").groupBy("was", "side").count().collect()
    return report(
        [Counted(row["side"], tuple(row[column] for column in STRATA), row["count"]) for row in counts],
        [Component(row["component"], row["side"], row["count"]) for row in largest],
        rules,
        {(row["was"], row["side"]): row["count"] for row in moved},
    )


def _edges(told: DataFrame, rules: SplitRules) -> DataFrame:
    """`a, b` of all that is joined; every example has one, if only to itself."""
    around = told.select(F.col("own").alias("a"), F.explode("around").alias("b"))
    said = told.select(F.explode("texts").alias("one")).groupBy("one.name").agg(F.first("one.text").alias("text"))
    texts = kept_aside(said.select("name", F.lit("").alias("family"), "text"))
    return around.union(similar(texts, rules.likeness).select("a", "b"))


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


def _decide(rules: SplitRules) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """In Python, since the key must not be part of a plan, which Spark shows."""

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            names = [id_of(age) for age in batch.column("age").to_pylist()]
            places = batch.column("place").to_pylist()
            sides = [SIDES[place - 1] if place else rules.side(name) for name, place in zip(names, places, strict=True)]
            columns = [batch.column("component"), pa.array(names, pa.string()), pa.array(sides, pa.string())]
            yield pa.RecordBatch.from_arrays(columns, names=["component", "name", "side"])

    return run


def _told(batches: Batches) -> Iterator[pa.RecordBatch]:
    for some in examples_of(batches):
        rows = []
        for one in some:
            own, texts = example_node(one.id), [{"name": text_node(text), "text": text} for text in told(one)]
            around = [own, *nodes(one), *(text["name"] for text in texts)]
            age = rank("", one.at, one.id, ())
            rows.append({"id": one.id, "own": own, "age": age, "around": around, "texts": texts})
        yield pa.RecordBatch.from_pylist(rows, schema=_TOLD_ARROW)
