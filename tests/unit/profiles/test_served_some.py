"""Profiles served by the driver against those served in Spark: the same outbox, the same table."""

import hashlib
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.identifiers.normalise import Value
from headrace.lake import Lake, local_rows
from headrace.profiles import served, served_some
from headrace.profiles.build import BUILT
from headrace.profiles.identity import Seen, step
from headrace.profiles.links import Ref
from headrace.profiles.people_tables import LakePeople
from headrace.profiles.served import PROFILES_OUTBOX, Served
from headrace.tables import OUTBOX, PROFILES
from properties.test_identity import RULES, Memory

KINDS = ["email", "phone"]
COLUMNS = ("person", "deleted", "body", "digest", "records", "identifiers", "due_at")


def changes(rng: random.Random, batch: int) -> list[Seen]:
    """Records of small worlds that appear, share values, lose them and go."""
    found = {}
    for _ in range(14):
        world, number = rng.randrange(8), rng.randrange(3)
        ref = Ref("shop", f"{world}-{number}")
        some = {kind: Value(kind, f"{kind}-{world}-{rng.choice('ab')}") for kind in KINDS if rng.random() < 0.7}
        own = f"{world}{number}"
        values = None if rng.random() < 0.2 and batch else tuple(some.values())
        found[ref] = Seen(ref, own, f"{own}-{batch}", values, str(batch))
    return list(found.values())


def built(memory: Memory, persons: set[str], batch: int) -> list[dict[str, Any]]:
    """What stands for the documents of these people; a batch changes some of them."""
    members = defaultdict(list)
    for ref, one in memory.people.items():
        if one.person in persons and not one.deleted:
            members[one.person].append((ref, one.node.values))
    rows = []
    for person, some in sorted(members.items()):
        told = f"{person}{sorted(some)}{batch % 2}"
        values = sorted({value for _, values in some for value in values})
        rows.append(
            {
                "person": person, "body": f'{{"kind":"profile","of":"{told}"}}', "due_at": None, "refused": [],
                "digest": hashlib.md5(told.encode()).hexdigest(),
                "records": [ref._asdict() for ref in sorted(ref for ref, _ in some)],
                "identifiers": [value._asdict() for value in values],
            }
        )  # fmt: skip
    return rows


class Side:
    """One lake, served one way."""

    def __init__(self, spark: SparkSession, root: Path, in_spark: bool) -> None:
        self.lake, self.in_spark = Lake(spark, str(root)), in_spark
        self.people = LakePeople(self.lake)
        self.people.start()

    def take(self, memory: Memory, seen: list[Seen], batch: int) -> set[str]:
        self.people.begin()
        outcome = step(self.people, seen, RULES)
        assert outcome == step(memory, seen, RULES)
        self.people.write(outcome, batch)
        return outcome.persons

    def serve(self, rows: list[dict[str, Any]], persons: set[str], batch: int) -> Served:
        if self.in_spark:
            told = [tuple(row[name] for name in _names()) for row in rows]
            return served.serve(self.lake, local_rows(self.lake.spark, told, BUILT), persons, KINDS, batch)
        before = served_some.held(self.lake, persons)
        return served_some.serve(self.lake, self.people, rows, before, persons, KINDS, batch)

    def outbox(self) -> list[tuple[Any, ...]]:
        rows = self.lake.read(OUTBOX.path.format(table=PROFILES_OUTBOX)).collect()
        return sorted((row["batch"], row["key"], row["deleted"], row["body"] or "") for row in rows)

    def profiles(self) -> list[tuple[Any, ...]]:
        return sorted(map(tuple, self.lake.read(PROFILES.path).select(*COLUMNS).collect()), key=lambda row: row[0])


def _names() -> list[str]:
    return ["person", "body", "digest", "due_at", "records", "identifiers", "refused"]


@pytest.mark.deep
def test_the_driver_serves_what_spark_serves(spark: SparkSession, tmp_path: Path) -> None:
    rng, memory = random.Random(5), Memory()
    sides = [Side(spark, tmp_path / name, in_spark) for name, in_spark in (("driver", False), ("spark", True))]
    kinds: set[str] = set()
    for batch in range(4):
        seen = changes(rng, batch)
        persons = [side.take(memory, seen, batch) for side in sides]
        assert persons[0] == persons[1]
        memory.take_outcome(step(memory, seen, RULES))
        # Somebody whose rows alone changed is among them.
        wanted = persons[0] | {one.person for one in list(memory.people.values())[:2]}
        rows = built(memory, wanted, batch)
        counts = [side.serve(rows, wanted, batch) for side in sides]
        assert counts[0] == counts[1]
        kinds |= {name for name in ("written", "deleted") if getattr(counts[0], name)}
        assert sides[0].outbox() == sides[1].outbox()
        assert sides[0].profiles() == sides[1].profiles()
    assert kinds == {"written", "deleted"}
    told = {(key[0], deleted, '"alias"' in body) for _, key, deleted, body in sides[0].outbox()}
    assert {("p", False, True), ("p", True, False), ("i", True, False), ("i", False, False)} <= told
