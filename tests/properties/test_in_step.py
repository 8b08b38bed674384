"""Whatever happens to documents, in any order and with any failure, the index ends as if built from scratch."""

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from pyspark.sql import SparkSession

from documents_world import World, gone, publisher, put, settings
from headrace.config_knowledge import SqliteIndex
from headrace.errors import Retryable
from headrace.knowledge.chunk import chunks
from headrace.knowledge.documents import DocumentEvent
from headrace.knowledge.parse import parse
from headrace.pipelines.publish import Publisher
from headrace.ports import Failed, Projected, Written
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.testing.knowledge import FlakyEmbedder

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
DOCUMENTS, BATCHES = (400, 20) if SOAK else (60, 5)
WORDS = "visa fee passport child hotel flight bag pet late refund gate seat".split()


class Flickering(SqliteVectorIndex):
    """Is away one time in four, and refuses a row in ten for now."""

    random = Random(5)

    def write(self, rows: Sequence[Projected]) -> Written:
        if self.random.random() < 0.25:
            raise Retryable(expected="a store that answers", found="nothing", todo="Try again.")
        refused = [row for row in rows if self.random.random() < 0.1]
        taken = super().write([row for row in rows if row not in refused])
        return taken + Written(failed=tuple(Failed(row.key, row.version, "busy", True) for row in refused))


def page(random: Random) -> str:
    def words() -> str:
        return " ".join(random.choices(WORDS, k=random.randint(3, 12)))

    # Few titles and texts, so that equal ones meet.
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


def truth(events: list[DocumentEvent]) -> dict[str, tuple[str, str, str]]:
    """Passages as a build from scratch makes them: chunk -> document, text, audience."""
    readable = [event for event in events if event.media_type != "application/pdf"]
    newest: dict[str, DocumentEvent] = {}
    for event in sorted(readable, key=lambda event: event.position):
        newest[event.document] = event
    found: dict[str, tuple[str, str, str]] = {}
    for name, event in newest.items():
        if event.op == "upsert" and event.content is not None:
            parsed = parse(event.content, name, event.media_type, settings().parse)
            for piece in chunks(f"pages\0{name}", parsed.text, parsed.title, settings().chunk):
                found[piece.id] = (name, piece.text, json.dumps(event.audience))
    return found


def published(path: Path) -> dict[str, tuple[str, str, str]]:
    """What the index holds."""
    connection = sqlite3.connect(path)
    (number,) = connection.execute("select number from generations").fetchone()
    rows = connection.execute(f"select key, body from passages_{number} where not deleted").fetchall()
    connection.close()
    bodies = {key: json.loads(body) for key, body in rows}
    return {key: (body["document"], body["text"], json.dumps(body["audience"])) for key, body in bodies.items()}


def test_the_index_ends_as_if_built_from_scratch(spark: SparkSession, tmp_path: Path) -> None:
    random = Random(7)
    events = [event for n in range(DOCUMENTS) for event in history(random, f"d{n}")]
    arriving = events + random.sample(events, len(events) // 6)
    random.shuffle(arriving)
    size = len(arriving) // BATCHES + 1
    world = World(spark, tmp_path, FlakyEmbedder)
    path = tmp_path / "search.db"

    def another() -> Publisher:
        return publisher(world, Flickering(SqliteIndex(path=str(path)), "g1"))

    running = another()
    for number in range(BATCHES):
        world.take(*arriving[number * size : (number + 1) * size])
        world.indexer.serve()
        world.lane.embed()
        if random.random() < 0.5:
            world.start()
        try:
            running.run()
        except Retryable:
            running = another()
    world.settle()
    for _ in range(200):
        try:
            running.run()
        except Retryable:
            continue
        if not running.late and not running.behind:
            break
    assert published(path) == truth(events)
