"""The indexer dies at each of its writes in turn; the next process ends where it would have."""

from itertools import count
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from documents_world import PAGE, World, gone, publisher, put
from headrace.config_knowledge import SqliteIndex
from headrace.knowledge.documents import DocumentEvent
from headrace.stores.sqlite_index import SqliteVectorIndex


def events(turn: int) -> list[DocumentEvent]:
    """One document is edited, one comes, one goes."""
    at = 10 * (turn + 1)
    edited = put("visa.md", at, PAGE.replace("Forty", f"{turn}"))
    return [edited, put(f"new{turn}.md", at, f"# New\n\nOf turn {turn}.\n"), gone(f"new{turn - 1}.md", at)]


def wanted(turn: int) -> dict[str, int]:
    """Passages of each document after a turn."""
    return {"visa.md": 3, f"new{turn}.md": 1}


@pytest.mark.soak
@pytest.mark.parametrize("after_commit", [False, True])
def test_a_crash_at_any_write_changes_nothing_in_the_end(
    spark: SparkSession, tmp_path: Path, after_commit: bool
) -> None:
    world = World(spark, tmp_path)
    world.take(put("visa.md", 1), put("new-1.md", 1, "# New\n\nOf no turn.\n"))
    world.settle()
    store = SqliteVectorIndex(SqliteIndex(path=str(tmp_path / "search.db")), "g1")
    died_at = []
    for turn in count():
        plan = Plan(after_commit=after_commit)
        world.lake = CrashingLake(spark, world.lake.root, plan)
        world.start()
        world.settle()
        plan.at = len(plan.writes) + turn
        try:
            world.take(*events(turn))
            world.settle()
        except Crash:
            died_at.append(plan.writes[plan.at])
            world.lake = CrashingLake(spark, world.lake.root, Plan())
            world.start()
            world.take(*events(turn))
            world.settle()
        assert {document: len(texts) for document, texts in world.served().items()} == wanted(turn)
        assert any(str(turn) in text for text in world.served()["visa.md"])
        follower = publisher(world, store)
        while not follower.run().applied or follower.behind:
            pass
        assert {held.key for held in store.held() if not held.deleted} == world.chunks()
        if not plan.dead:
            break
    assert {write.split()[1] for write in died_at} == {"chunks", "documents", "vectors", "passages", "outbox/passages"}
