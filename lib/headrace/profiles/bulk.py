"""Who is one person, for all records at once, in Spark: a first fill, and after the rules have changed.

The same rules as in `identity`, and the same result.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.graph import components
from headrace.identifiers.normalise import Value
from headrace.lake import struct
from headrace.profiles.links import Node, Ref, Rules, people
from headrace.profiles.records import VALUES, values

NODES = f"record string, key string, own string, identifiers {VALUES}"
_PARTS = "own string, part string"
_ARROW = pa.schema([("own", pa.string()), ("part", pa.string())])


def parts(nodes: DataFrame, rules: Rules) -> DataFrame:
    """Every record with `part`, the oldest `own` among those that are one person.

    Args:
        nodes: every record there is, schema `NODES`; read several times.
    """
    linking = [kind for kind in rules.kinds if rules.kinds[kind].links]
    most = F.coalesce(*[F.when(F.col("kind") == kind, rules.kinds[kind].hub or rules.hub) for kind in linking])
    told = nodes.select("own", F.explode("identifiers").alias("_one")).select("own", "_one.kind", "_one.hash")
    shared = told.where(F.col("kind").isin(linking)).groupBy("kind", "hash")
    grouped = shared.agg(F.count("own").alias("records"), F.min("own").alias("oldest")).withColumn("most", most)
    links = told.join(grouped.where((F.col("records") > 1) & (F.col("records") <= F.col("most"))), ["kind", "hash"])
    groups = components(links.select(F.col("own").alias("a"), F.col("oldest").alias("b"))).localCheckpoint()
    hubs = _hubs(grouped)

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in batch.to_pylist())
        for _, group in groupby(rows, key=lambda row: row["component"]):
            some = [_node(row) for row in group]
            found = [(node.own, part[0].own) for part in people(some, rules, hubs)[0] for node in part]
            yield pa.RecordBatch.from_arrays([pa.array(column) for column in zip(*found, strict=True)], schema=_ARROW)

    together = nodes.join(groups.withColumnRenamed("node", "own"), "own").repartition("component")
    found = together.sortWithinPartitions("component").mapInArrow(run, struct(_PARTS))
    return nodes.join(found, "own", "left").withColumn("part", F.coalesce("part", "own"))


def _hubs(grouped: DataFrame) -> frozenset[Value]:
    """Values that link nobody: within a group only a few of their records may be."""
    rows = grouped.where(F.col("records") > F.col("most")).select("kind", "hash").collect()
    return frozenset(Value(row["kind"], row["hash"]) for row in rows)


def persons(found: DataFrame, before: DataFrame) -> DataFrame:
    """Every record with the id of its person: the lowest of the ids of its own, and of those it may keep.

    Args:
        found: from `parts`.
        before: `record, key, person` of living records as they were.
    """
    had = found.join(before.withColumnRenamed("person", "_had"), ["record", "key"], "left")
    oldest_first = F.min_by("part", F.struct("own", "record", "key")).alias("part")
    claims = had.where("_had IS NOT NULL").groupBy("_had").agg(oldest_first)
    kept = claims.groupBy("part").agg(F.min("_had").alias("_kept"))
    oldest = found.groupBy("part").agg(F.min("own").alias("_own"))
    ids = oldest.join(kept, "part", "left").select("part", F.least("_own", "_kept").alias("person"))
    return had.join(ids, "part").drop("part")


def _node(row: dict[str, object]) -> Node:
    told = values(row["identifiers"])  # type: ignore[arg-type]
    return Node(Ref(str(row["record"]), str(row["key"])), str(row["own"]), told or ())
