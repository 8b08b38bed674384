"""Whatever happens to the objects of a bucket and to their events, the index ends as the bucket is."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from object_world import Bucket, ObjectWorld, S3Bucket
from s3_server import s3_server

pytestmark = pytest.mark.deep

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
NAMES, ROUNDS, CHANGES, SEEDS = (60, 12, 80, range(20)) if SOAK else (25, 4, 40, range(1))
TEXTS = ["one", "two", "three", "# four\n\nwith a title"]
"""Few, so that an object comes back to a text, and so to an ETag, it had before."""


def changes(random: Random, bucket: Bucket) -> list[dict[str, Any]]:
    """Random puts and deletes; the events of all of them, in order."""
    names = [f"{number % 3}/doc {number}.md" for number in range(NAMES)]
    chosen = random.choices(names, k=CHANGES)
    return [bucket.delete(name) if random.random() < 0.3 else bucket.put(name, random.choice(TEXTS)) for name in chosen]


def mangled(random: Random, events: list[dict[str, Any]], lost: float) -> Iterator[dict[str, Any]]:
    """The events as a bad transport brings them: shuffled, some twice, some never."""
    for event in random.sample(events, k=len(events)):
        if random.random() >= lost:
            yield event
            if random.random() < 0.2:
                yield event


def world_of(spark: SparkSession, folder: Path, bucket: Bucket | None, random: Random, lost: float) -> ObjectWorld:
    """A world after some rounds of changes; of the events half come a round late, and changes go on before they do."""
    world = ObjectWorld(spark, folder, bucket)
    late: list[dict[str, Any]] = []
    for step in range(ROUNDS):
        events = list(mangled(random, changes(random, world.bucket) + late, lost))
        late, now = events[: len(events) // 2], events[len(events) // 2 :]
        world.send(*now)
        if step == 1:
            world.sweep()
        if step == 2:
            world.start()
        world.follow()
    if late:
        world.send(*late)
    world.follow()
    return world


def served(world: ObjectWorld) -> dict[str, str]:
    return {document: "\n".join(found) for document, found in world.served().items()}


def expected(world: ObjectWorld) -> dict[str, str]:
    return {name: text.removeprefix("# four\n\n") for name, text in world.bucket.content().items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_where_no_event_is_lost_the_events_alone_bring_the_index_in_step(
    spark: SparkSession, tmp_path: Path, seed: int
) -> None:
    with s3_server() as s3:
        world = world_of(spark, tmp_path, S3Bucket(s3), Random(seed), lost=0)
        world.settle()
        assert served(world) == expected(world)
        told = world.told()
        assert (world.sweep(), world.settle(), world.told()) == (0, 0, told), "the sweep finds nothing to do"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("place", ["s3", pytest.param("disk", marks=pytest.mark.soak)])
def test_where_events_are_lost_a_sweep_brings_the_index_in_step(
    spark: SparkSession, tmp_path: Path, seed: int, place: str
) -> None:
    with s3_server() as s3:
        bucket = S3Bucket(s3) if place == "s3" else None
        world = world_of(spark, tmp_path, bucket, Random(seed), lost=0.4)
        assert world.sweep()
        world.settle()
        assert served(world) == expected(world)
        assert world.sweep() == 0
