"""From document events to passages: what is embedded, what is served, what a crash or a late event changes."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from documents_world import KNOWLEDGE, PAGE, World, gone, put
from headrace.errors import FromWorker
from headrace.knowledge import budget
from headrace.testing.knowledge import SwitchedEmbedder


@pytest.fixture
def world(spark: SparkSession, tmp_path: Path) -> World:
    return World(spark, tmp_path)


def test_a_document_is_cut_embedded_and_served_and_only_its_changed_piece_is_embedded_again(world: World) -> None:
    assert world.take(put("visa.md", 1)) == (1, 1, 0, 0)
    assert world.settle() == 3
    assert len(world.served()["visa.md"]) == 3
    told = world.told()
    assert world.take(put("visa.md", 2, PAGE.replace("Forty", "Sixty"))) == (1, 1, 0, 0)
    assert world.settle() == 1
    assert any("Sixty" in text for text in world.served()["visa.md"])
    assert not any("Forty" in text for text in world.served()["visa.md"])
    assert world.told() == told + 2, "one passage came, one went"


def test_an_event_that_comes_again_or_late_changes_nothing(world: World) -> None:
    world.take(put("visa.md", 3))
    world.settle()
    told = world.told()
    assert world.take(put("visa.md", 3)) == (1, 0, 1, 0)
    assert world.take(put("visa.md", 2, "# Old\n\nOld text.")) == (1, 0, 1, 0)
    assert world.settle() == 0
    assert world.told() == told
    world.take(gone("visa.md", 4))
    world.settle()
    assert world.served() == {}
    assert world.take(put("visa.md", 3)) == (1, 0, 1, 0)
    assert world.take(gone("new.md", 9), put("new.md", 8)) == (2, 1, 1, 0)
    assert world.settle() == 0
    assert world.served() == {}


def test_equal_texts_are_embedded_once_and_one_documents_delete_leaves_the_others(world: World) -> None:
    world.take(put("a.md", 1), put("b.md", 2))
    assert world.settle() == 3
    world.take(gone("a.md", 3))
    assert world.settle() == 0
    assert set(world.served()) == {"b.md"}


def test_a_change_of_audience_embeds_nothing_and_reaches_every_passage(world: World) -> None:
    world.take(put("visa.md", 1))
    world.settle()
    told = world.told()
    world.take(put("visa.md", 2, audience=["staff"]))
    assert world.settle() == 0
    assert world.told() == told + 3
    bodies = world.lake.read("passages").selectExpr("get_json_object(body, '$.audience') a").distinct().collect()
    assert [row["a"] for row in bodies] == ['["staff"]']


def test_a_poison_version_is_rejected_and_the_newest_readable_one_is_served_in_any_order(world: World) -> None:
    poison = replace(put("visa.pdf", 3), content=b"%PDF-1.7 broken", media_type="application/pdf")
    good = put("visa.pdf", 2)
    assert world.take(good, poison) == (2, 1, 0, 1)
    world.settle()
    assert len(world.served()["visa.pdf"]) == 3
    other = replace(poison, document="b.pdf")
    assert world.take(other) == (1, 0, 0, 1)
    assert world.take(replace(good, document="b.pdf")) == (1, 1, 0, 0)
    world.settle()
    assert len(world.served()["b.pdf"]) == 3
    rejects = world.lake.read("rejects/index_knowledge").select("source", "key", "reason").collect()
    assert {(row["source"], row["key"]) for row in rejects} == {("pages", "visa.pdf"), ("pages", "b.pdf")}
    assert all(row["reason"] for row in rejects)


def test_a_text_that_was_emptied_takes_its_passages_out_and_an_empty_pdf_does_not(world: World) -> None:
    pdf = replace(put("b.pdf", 1), media_type="application/pdf")
    page = replace(pdf, media_type="text/markdown")
    world.take(put("visa.md", 1), put("title.md", 1), page)
    world.settle()
    empty = replace(put("visa.md", 2, " \n"), locator="visa.md")
    assert world.take(put("title.md", 2, "---\ntitle: No more\n---\n<!-- gone -->")) == (1, 1, 0, 0)
    assert world.take(empty, replace(pdf, position=f"{2:010d}", tag="2", content=b"")) == (2, 1, 0, 1)
    world.settle()
    assert set(world.served()) == {"b.pdf"}


def test_a_start_goes_on_where_a_crash_left_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.take(put("a.md", 1))
    world.start()
    assert world.settle() == 3
    world.take(put("a.md", 2, PAGE.replace("Forty", "Sixty")), gone("b.md", 2))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("headrace.knowledge.served._tell", dies)
    with pytest.raises(KeyboardInterrupt):
        world.indexer.serve()
    monkeypatch.undo()
    told = world.told()
    world.start()
    assert world.told() == told + 2, "what the crash kept from the outbox is told at the start"
    assert world.settle() == 0
    assert world.told() == told + 2


def test_a_used_up_budget_pauses_embedding_until_the_next_day_and_never_a_delete(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWLEDGE, "embed", {**KNOWLEDGE["embed"], "budget": {"texts": 5}})
    world = World(spark, tmp_path)
    world.take(put("visa.md", 1), put("b.md", 1, "# B\n\nOf b.\n"))
    assert world.settle() == 4
    edited = PAGE.replace("Forty", "Sixty").replace("their own", "one too")
    world.take(put("visa.md", 2, edited), gone("b.md", 2))
    assert world.indexer.serve().embedded == 0
    assert world.lane.embed().made == 1
    assert world.lane.paused and not world.lane.lacks_vectors
    world.indexer.serve()
    assert set(world.served()) == {"visa.md"}, "a delete costs nothing"
    assert any("Forty" in text for text in world.served()["visa.md"]), "the older version stays whole"
    world.start()
    world.indexer.serve()
    assert world.lane.embed().made == 0, "another process knows what the day has cost"
    today = budget.day
    monkeypatch.setattr(budget, "day", lambda now: today(now) + timedelta(days=1))
    assert world.settle() == 1
    assert any("Sixty" in text for text in world.served()["visa.md"])


def test_a_feed_that_left_the_settings_takes_its_documents_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.take(put("a.md", 1), replace(put("b.md", 2, "# Of another feed"), feed="other"))
    world.settle()
    assert set(world.served()) == {"a.md", "b.md"}
    world.start()
    world.settle()
    assert set(world.served()) == {"a.md"}
    assert "feed=other is not in the settings any more: its 1 documents are taken out" in caplog.text
    told = world.lake.read("outbox/passages").orderBy("batch").select("deleted").collect()
    assert [row["deleted"] for row in told] == [False] * 4 + [True]
    caplog.clear()
    world.start()
    assert "settings" not in caplog.text


@pytest.mark.deep
def test_what_an_outage_kept_from_being_embedded_comes_after_it_and_is_rejected_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWLEDGE, "embed", {**KNOWLEDGE["embed"], "attempts": 2})
    says = tmp_path / "says"
    says.write_text("away")
    world = World(spark, tmp_path, partial(SwitchedEmbedder, says=str(says)))

    def tries() -> int:
        world.indexer.serve()
        return world.lane.embed().failed

    world.take(put("a.md", 1, "# A\n\nOf a.\n"))
    assert (tries(), poll(tries)) == (1, 1)
    world.indexer.serve()
    assert world.lane.given_up == 1 and world.lane.lacks_vectors, "the first try of another time is due at once"
    assert tries() == 1
    world.indexer.serve()
    assert not world.lane.lacks_vectors
    assert world.lake.read("rejects/index_knowledge").count() == 1
    says.write_text("well")
    world.take(put("b.md", 1, "# B\n\nOf b.\n"))
    world.indexer.serve()
    assert set(world.served()) == {"b.md"}
    monkeypatch.setattr("headrace.knowledge.lane.time.monotonic", lambda: 1e12)
    world.settle()
    assert set(world.served()) == {"a.md", "b.md"} and world.lane.given_up == 0


def test_what_a_worker_cannot_go_on_with_is_told_in_its_own_words(spark: SparkSession, tmp_path: Path) -> None:
    says = tmp_path / "says"
    says.write_text("wrong")
    world = World(spark, tmp_path, partial(SwitchedEmbedder, says=str(says)))
    world.take(put("a.md", 1))
    world.indexer.serve()
    with pytest.raises(FromWorker) as told:
        world.lane.embed()
    assert str(told.value) == "embed: expected 8 numbers; found 16. Set `dimension: 16`."
    says.write_text("well")
    assert world.settle() == 3


def poll(tries: Callable[[], int]) -> int:
    deadline = time.monotonic() + 20
    while not (found := tries()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
