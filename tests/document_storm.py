"""Whatever may happen to documents and stores, in any order, and what an index must hold afterwards."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from pyspark.sql import SparkSession

from documents_world import World, gone, publisher, put, settings
from headrace.errors import Retryable
from headrace.knowledge.chunk import chunks
from headrace.knowledge.documents import DocumentEvent
from headrace.knowledge.parse import parse
from headrace.ports import Failed, Held, Projected, VectorIndex, Written
from headrace.testing.knowledge import FlakyEmbedder

WORDS = "visa fee passport child hotel flight bag pet late refund gate seat".split()

Truth = dict[str, tuple[str, str, str]]
"""Chunk -> document, text, audience as JSON."""


class Flickering:
    """A store that is away one time in four, and refuses a row in ten for now."""

    def __init__(self, inner: VectorIndex, random: Random) -> None:
        self._inner, self._random = inner, random

    def write(self, rows: Sequence[Projected]) -> Written:
        if self._random.random() < 0.25:
            raise Retryable(expected="a store that answers", found="nothing", todo="Try again.")
        refused = [row for row in rows if self._random.random() < 0.1]
        taken = self._inner.write([row for row in rows if row not in refused])
        return taken + Written(failed=tuple(Failed(row.key, row.version, "busy", True) for row in refused))

    def open(self, owner: str) -> None:
        self._inner.open(owner)

    def sweep(self, before_version: int) -> int:
        return self._inner.sweep(before_version)

    def held(self) -> Iterator[Held]:
        return self._inner.held()

    def newest(self) -> int:
        return self._inner.newest()

    def purge(self, before_version: int) -> int:
        return self._inner.purge(before_version)

    def close(self) -> None:
        self._inner.close()


def page(random: Random) -> str:
    """Few titles and words, so that equal texts meet."""

    def words() -> str:
        return " ".join(random.choices(WORDS, k=random.randint(3, 12)))

    return "\n\n".join(f"## {random.choice(WORDS)}\n\n{words()}." for _ in range(random.randint(1, 5)))


def history(random: Random, document: str) -> list[DocumentEvent]:
    """What happens to one document: edits, changes of audience only, deletes, revivals, versions nobody can read."""
    events: list[DocumentEvent] = []
    text, audience = page(random), []
    for step in range(random.randint(1, 6)):
        at = step * 10 + random.randint(1, 9)
        kind = random.choice(["edit", "edit", "audience", "delete", "poison", "rename"])
        if kind == "edit":
            text = random.choice([page(random), f"{text}\n\n## More\n\nadded at {at}."])
        if kind == "audience":
            audience = random.sample(["staff", "partners"], random.randint(0, 2))
        if kind == "delete":
            events.append(gone(document, at))
        elif kind == "poison":
            events.append(replace(put(document, at), content=b"%PDF-1.7 broken", media_type="application/pdf"))
        elif kind == "rename":
            events += [gone(document, at), put(f"{document} (new)", at, text, audience=audience)]
        else:
            events.append(put(document, at, text, audience=audience))
    return events


def truth(events: list[DocumentEvent]) -> Truth:
    """Passages as a build from scratch makes them."""
    readable = [event for event in events if event.media_type != "application/pdf"]
    newest: dict[str, DocumentEvent] = {}
    for event in sorted(readable, key=lambda event: event.position):
        newest[event.document] = event
    found: Truth = {}
    for name, event in newest.items():
        if event.op == "upsert" and event.content is not None:
            parsed = parse(event.content, name, event.media_type, settings().parse)
            for piece in chunks(f"pages\0{name}", parsed.text, parsed.title, settings().chunk):
                found[piece.id] = (name, piece.text, json.dumps(event.audience))
    return found


def as_truth(key: str, body: dict[str, Any]) -> tuple[str, tuple[str, str, str]]:
    """A passage an index holds, as `truth` has it."""
    return key, (body["document"], body["text"], json.dumps(body["audience"]))


def storm(
    spark: SparkSession, folder: Path, store: Callable[[], VectorIndex], documents: int, batches: int
) -> tuple[World, list[DocumentEvent]]:
    """Let it all happen: events shuffled and repeated, cut into batches, restarts, failures of embedder and store.

    Returns:
        The world once everything has settled, and all events.
    """
    random = Random(7)
    events = [event for n in range(documents) for event in history(random, f"d{n}")]
    arriving = events + random.sample(events, len(events) // 6)
    random.shuffle(arriving)
    size = len(arriving) // batches + 1
    world = World(spark, folder, FlakyEmbedder)
    moods = Random(5)
    running = publisher(world, Flickering(store(), moods))
    for number in range(batches):
        world.take(*arriving[number * size : (number + 1) * size])
        world.indexer.serve()
        world.lane.embed()
        if random.random() < 0.5:
            world.start()
        try:
            running.run()
        except Retryable:
            running = publisher(world, Flickering(store(), moods))
    world.settle()
    for _ in range(200):
        try:
            running.run()
        except Retryable:
            continue
        if not running.late and not running.behind:
            break
    return world, events
