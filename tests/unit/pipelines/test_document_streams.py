"""A folder whose events come late, doubled, out of order or not at all: the index ends as the bucket is."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from documents_world import PAGE
from headrace.errors import Unreachable
from object_world import ObjectWorld, S3Bucket
from s3_server import s3_server

pytestmark = pytest.mark.deep

SAMPLES = json.loads((Path(__file__).parents[2] / "data" / "events" / "s3_events.json").read_text("utf-8"))


@pytest.fixture
def world(spark: SparkSession, tmp_path: Path) -> ObjectWorld:
    return ObjectWorld(spark, tmp_path)


def texts(world: ObjectWorld) -> dict[str, str]:
    """The text served for each document, in one line."""
    return {document: " ".join(found) for document, found in world.served().items()}


def test_events_of_what_the_listing_saw_embed_nothing_and_tell_no_store(world: ObjectWorld) -> None:
    first = world.bucket.put("visa.md", PAGE)
    world.bucket.put("bags.md", "# Bags\n\nOne bag.")
    assert world.sweep() == 2
    assert world.settle() == 4
    told, written = world.told(), world.lake.version("documents")
    world.send(first, first)
    world.send(world.bucket.put("bags.md", "# Bags\n\nOne bag."))
    world.follow()
    assert world.settle() == 0
    assert world.told() == told
    assert world.lake.version("documents") == written + 1, "only the file written again has another tag"
    assert world.sweep() == 0


def test_events_out_of_order_and_doubled_end_as_the_bucket_is(world: ObjectWorld) -> None:
    bucket = world.bucket
    history = [
        bucket.put("a.md", "one"), bucket.put("a.md", "two"), bucket.put("b.md", "beta"), bucket.delete("b.md"),
        bucket.put("c.md", "old"), bucket.delete("c.md"), bucket.put("c.md", "new"),
    ]  # fmt: skip
    world.send(*reversed(history))
    world.follow()
    world.send(*history)
    world.follow()
    world.settle()
    assert texts(world) == {"a.md": "two", "c.md": "new"}


def test_a_late_delete_spares_the_object_that_was_created_again(world: ObjectWorld) -> None:
    world.send(world.bucket.put("a.md", "one"))
    world.follow()
    late = world.bucket.delete("a.md")
    world.bucket.put("a.md", "one")
    world.sweep()
    told = world.settle() and world.told()
    world.send(late)
    world.follow()
    world.settle()
    assert texts(world) == {"a.md": "one"}
    assert world.told() == told, "it was never away"


def test_a_late_put_of_an_object_deleted_since_brings_nothing_back(world: ObjectWorld) -> None:
    put, gone = world.bucket.put("a.md", "one"), world.bucket.delete("a.md")
    world.send(gone)
    world.follow()
    world.send(put)
    world.follow()
    other = world.bucket.put("b.md", "beta")
    world.sweep()
    world.bucket.delete("b.md")
    world.send(other)
    world.follow()
    world.settle()
    assert texts(world) == {}, "what an event finds gone is deleted, though the delete's own event never came"


def test_the_sweep_finds_what_events_were_lost_for(world: ObjectWorld) -> None:
    for name in ("changed.md", "deleted.md", "kept.md"):
        world.send(world.bucket.put(name, f"{name} one"))
    world.follow()
    world.bucket.put("changed.md", "changed two")
    world.bucket.put("new.md", "new one")
    world.bucket.delete("deleted.md")
    assert world.sweep() == 3
    world.settle()
    assert texts(world) == {"changed.md": "changed two", "kept.md": "kept.md one", "new.md": "new one"}
    assert world.sweep() == 0


def test_what_a_listing_missed_and_an_event_brought_back_before_it_was_taken_stays(world: ObjectWorld) -> None:
    world.send(world.bucket.put("a.md", "one"), world.bucket.put("b.md", "beta"))
    world.follow()
    world.bucket.delete("a.md")
    world.bucket.delete("b.md")
    missed = world.watch.look()
    world.send(world.bucket.put("a.md", "back"))
    world.follow()
    world.take(*missed)
    world.settle()
    assert texts(world) == {"a.md": "back"}


def test_a_rename_is_a_delete_and_a_put_that_embeds_nothing(world: ObjectWorld) -> None:
    world.send(world.bucket.put("old name.md", "the same text"))
    world.follow()
    assert world.settle() == 1
    put = world.bucket.put("new/name+ü.md", "the same text")
    put["s3"]["object"]["key"] = "docs/new/name%2B%C3%BC.md"
    world.send(put, world.bucket.delete("old name.md"))
    world.follow()
    assert world.settle() == 0
    assert texts(world) == {"new/name+ü.md": "the same text"}


def test_other_objects_are_ignored_and_what_is_no_event_is_rejected_with_its_bytes(
    world: ObjectWorld, caplog: pytest.LogCaptureFixture
) -> None:
    good, picture = world.bucket.put("a.md", "one"), world.bucket.put("a.png", b"\x89PNG")
    hidden, folder = world.bucket.put(".a.md", "hidden"), world.bucket.put("b.md", "beta")
    elsewhere, without = json.loads(json.dumps(good)), json.loads(json.dumps(good))
    elsewhere["s3"]["object"]["key"] = "other/a.md"
    folder["s3"]["object"]["key"] = "docs/b.md/"
    del without["s3"]["object"]["sequencer"]
    world.send(good, picture, hidden, folder, elsewhere, without)
    world.send_raw("no JSON", json.dumps(SAMPLES["notification_test_message"]))
    with caplog.at_level("INFO", "headrace"):
        world.follow()
    world.settle()
    assert texts(world) == {"a.md": "one"}
    assert world.rejects() == [("", "not JSON"), ("", "unreadable position")]
    kept = world.lake.read("rejects/index_knowledge").where("reason = 'not JSON'").collect()[0]
    assert (bytes(kept["message"]), kept["source"]) == (b"no JSON", "pages")
    assert "feed=pages batch=0 sent=8 changes=1 rejected=2 ignored=5" in caplog.text


def test_an_object_that_cannot_be_read_is_rejected_its_older_version_served_and_tried_again_ever_more_rarely(
    world: ObjectWorld,
) -> None:
    world.send(world.bucket.put("a.pdf", "no PDF yet, but text"))
    world.follow()
    world.settle()
    served = texts(world)
    assert list(served) == ["a.pdf"]
    bad = world.bucket.put("a.pdf", b"%PDF-1.7 broken")
    world.send(bad, bad)
    world.follow()
    world.settle()
    assert texts(world) == served
    assert len(world.rejects()) == 1, "one for a batch, however many events it holds"
    assert [world.sweep() for _ in range(8)] == [1, 1, 0, 1, 0, 0, 0, 1]
    world.bucket.put("a.pdf", "text again")
    assert world.sweep() == 1
    world.settle()
    assert texts(world) == {"a.pdf": "text again"}


def test_a_restart_goes_on_with_the_events_that_came_since(world: ObjectWorld) -> None:
    world.send(world.bucket.put("a.md", "one"))
    world.follow()
    world.start()
    world.send(world.bucket.put("a.md", "two"), world.bucket.put("b.md", "beta"))
    world.follow()
    world.settle()
    assert texts(world) == {"a.md": "two", "b.md": "beta"}


def test_a_batch_that_was_taken_and_not_marked_done_comes_again_and_changes_nothing(
    world: ObjectWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.send(world.bucket.put("a.md", "one"))
    world.send_raw("no JSON")
    take = world._take

    def dies(events: Any) -> None:
        take(events)
        raise KeyError("a bug")

    monkeypatch.setattr(world, "_take", dies)
    with pytest.raises(KeyError, match="a bug"):
        world.follow()
    monkeypatch.undo()
    world.start()
    made = world.settle()
    told = world.told()
    world.follow()
    assert (made, world.settle(), world.told()) == (1, 0, told)
    assert world.rejects() == [("", "not JSON")]


def test_while_the_folder_is_away_nothing_counts_as_deleted_and_the_batch_waits(world: ObjectWorld) -> None:
    world.send(world.bucket.put("a.md", "one"))
    world.follow()
    world.settle()
    folder = world.bucket.folder
    folder.rename(folder.with_name("away"))
    world.send(world.bucket.event("ObjectRemoved:Delete", "a.md", None))
    with pytest.raises(Unreachable, match="no such folder"):
        world.follow()
    folder.with_name("away").rename(folder)
    world.follow()
    world.settle()
    assert texts(world) == {"a.md": "one"}


def test_from_s3_only_what_no_listing_and_no_event_told_of_is_read(spark: SparkSession, tmp_path: Path) -> None:
    with s3_server() as s3:
        world = ObjectWorld(spark, tmp_path, S3Bucket(s3))
        bucket = world.bucket
        seen = [bucket.put("a b.md", "one"), bucket.put("ü/b.md", "beta"), bucket.put("c.md", "gamma")]
        assert (world.sweep(), world.settle()) == (3, 3)
        reads = len(s3.calls)
        world.send(*seen)
        world.follow()
        assert [path for path, _ in s3.calls[reads:] if "list-type" not in path] == []
        first, second = bucket.put("a b.md", "two"), bucket.put("a b.md", "three")
        world.send(first)
        world.follow()
        world.send(second, seen[1], bucket.delete("c.md"))
        world.follow()
        statuses = [status for path, status in s3.calls[reads:] if "list-type" not in path]
        assert statuses == [200, 404], "the first event read what the second tells of"
        # The tag that counts is that of the content read: with the first event's the sweep would see a difference.
        assert (world.sweep(), world.settle()) == (0, 1)
        assert texts(world) == bucket.content() == {"a b.md": "three", "ü/b.md": "beta"}
        # Read by another parser it would say something else, so it is read whole.
        world.indexer._fingerprints = {"pages": "v2"}
        world.send(seen[1])
        world.follow()
        assert s3.calls[-1] == ("/wet/docs/%C3%BC/b.md", 200)
