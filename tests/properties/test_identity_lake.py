"""Identity in the lake, and for all records at once in Spark, against the plain functions."""

import random
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.graph import UnionFind, components
from headrace.identifiers.normalise import Value
from headrace.lake import Lake, local_rows
from headrace.profiles import bulk
from headrace.profiles.identity import Seen, step
from headrace.profiles.links import Ref
from headrace.profiles.people_tables import LakePeople, persons
from headrace.tables import ALIASES, IDENTIFIERS, PEOPLE, QUARANTINE
from properties.test_identity import RULES, Memory

KINDS = ["email", "phone", "device", "mail", "name", "born"]


def change(rng: random.Random, world: int) -> tuple[Ref, tuple[Value, ...] | None]:
    """A change of one of the small worlds that live side by side in one lake."""
    ref = Ref(rng.choice(["shop", "calls"]), f"{world}-{rng.randrange(4)}")
    some = {kind: Value(kind, f"{world}-{rng.choice('abc')}") for kind in rng.sample(KINDS, rng.randint(1, 4))}
    return ref, None if rng.random() < 0.2 else tuple(some.values())


class Many(Memory):
    """The memory of `test_identity`, with an age for every record."""

    def seen(self, ref: Ref, some: tuple[Value, ...] | None) -> Seen:
        age = random.Random(f"{ref}").randrange(10**6)
        self.again += 1
        return Seen(ref, f"{age:06}-{ref}", f"{age:06}-{ref}-{self.again}", some)


def nodes_of(spark: SparkSession, memory: Memory) -> DataFrame:
    rows = [
        (*ref, one.node.own, [value._asdict() for value in one.node.values])
        for ref, one in memory.people.items()
        if not one.deleted
    ]
    return local_rows(spark, rows, bulk.NODES)


def as_table(frame: DataFrame) -> dict[Ref, str]:
    return {Ref(row["record"], row["key"]): row["person"] for row in frame.collect()}


def test_the_lake_and_spark_say_what_the_functions_say(spark: SparkSession, tmp_path: Path) -> None:
    rng = random.Random(7)
    lake, memory = Lake(spark, str(tmp_path)), Many()
    tables = LakePeople(lake)
    assert tables.start() == -1
    for batch in range(5):
        now = dict(change(rng, rng.randrange(60)) for _ in range(100))
        before = local_rows(
            spark, [(*ref, one.person) for ref, one in memory.people.items() if not one.deleted],
            "record string, key string, person string",
        )  # fmt: skip
        seen = [memory.seen(ref, some) for ref, some in now.items()]
        outcome = step(tables, seen, RULES)
        expected = step(memory, seen, RULES)
        assert outcome == expected
        tables.write(outcome, batch)
        memory.take_outcome(outcome)
        if batch in (0, 4):
            living = {ref: one.person for ref, one in memory.people.items() if not one.deleted}
            found = bulk.persons(bulk.parts(nodes_of(spark, memory).localCheckpoint(), RULES), before)
            assert as_table(found) == living
    assert persons(lake.read(PEOPLE.path)) == memory.people
    index = lake.read(IDENTIFIERS.path).drop("batch").collect()
    assert {(Value(row[0], row[1]), Ref(row[2], row[3])) for row in index} == {
        (value, ref) for value, refs in memory.index.items() for ref in refs
    }
    assert {row["person"]: row["now"] for row in lake.read(ALIASES.path).collect()} == memory.aliases
    hubs = lake.read(QUARANTINE.path).select("kind", "hash").collect()
    assert {Value(*row) for row in hubs} == memory.quarantine
    assert tables.start() == 4
    # The last batch again, as after a crash, then its rows again, and one that was cut off after the index.
    tables.write(outcome, 4, again=True)
    assert persons(lake.read(PEOPLE.path)) == memory.people
    assert {row["person"]: row["now"] for row in lake.read(ALIASES.path).collect()} == memory.aliases
    assert not step(tables, seen, RULES).people
    lake.append(local_rows(spark, [("email", "left", "shop", "nobody", 5)], IDENTIFIERS.schema), IDENTIFIERS.path)
    assert tables.start() == 5
    assert lake.read(IDENTIFIERS.path).where("hash = 'left'").isEmpty()


def test_components_in_spark_are_those_of_union_find(spark: SparkSession) -> None:
    rng = random.Random(3)
    edges = [(f"c{number:05}", f"c{number + 1:05}") for number in range(300)]
    edges += [("hub", f"s{number}") for number in range(300)]
    edges += [(f"r{rng.randrange(400)}", f"r{rng.randrange(400)}") for _ in range(300)]
    sets: UnionFind[str] = UnionFind()
    for one, other in edges:
        sets.add(one)
        sets.add(other)
        sets.union(one, other)
    expected = {node: min(some) for some in sets.sets() for node in some}
    found = components(local_rows(spark, edges, "a string, b string"))
    assert {row["node"]: row["component"] for row in found.collect()} == expected
    assert found.select(F.count("*")).collect()[0][0] == len(expected)
