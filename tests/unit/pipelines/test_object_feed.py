"""Which object of a bucket is which document, and what its events become."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_knowledge import FolderFeed
from headrace.config_sources import FilesSource
from headrace.pipelines import object_feed
from headrace.pipelines.object_feed import document_of
from headrace.tables import MESSAGES

SAMPLES = json.loads((Path(__file__).parents[2] / "data" / "events" / "s3_events.json").read_text("utf-8"))
SOURCE = FilesSource.model_validate({"from": "files", "path": "unused", "format": "objects"})


def feed(path: str, **more: Any) -> FolderFeed:
    return FolderFeed.model_validate({"from": "folder", "path": path, "events": "uploads", **more})


@pytest.mark.parametrize(
    ("path", "bucket", "key", "document"),
    [
        ("s3://wet/docs", "wet", "docs/a.md", "a.md"),
        ("s3://wet/docs/", "wet", "docs/deep/a b+c.md", "deep/a b+c.md"),
        ("s3://wet", "wet", "docs/a.md", "docs/a.md"),
        ("s3://wet/", "wet", "a.md", "a.md"),
        ("s3://wet/docs", "dry", "docs/a.md", None),
        ("s3://wet/docs", "wet", "docs2/a.md", None),
        ("s3://wet/docs", "wet", "other/docs/a.md", None),
        ("s3://wet/docs", "wet", "docs/", None),
        ("s3://wet/docs", "wet", "docs/folder.md/", None),
        ("s3://wet/docs", "wet", "docs/a.png", None),
        ("s3://wet/docs", "wet", "docs/.git/a.md", None),
        ("s3://wet/docs", "wet", "docs//a.md", "/a.md"),
        ("s3://wet/docs", "wet", "docs/drafts/a.md", None),
        ("s3://wet/docs", "wet", "docs/a.html", None),
    ],
)
def test_an_object_is_the_document_a_listing_would_make_of_it(path: str, bucket: str, key: str, document: Any) -> None:
    assert document_of(feed(path, include=["*.md", "*.png"], exclude=["drafts/*"]), bucket, key) == document


@pytest.mark.parametrize(
    ("key", "document"),
    [("a/b/c.md", "c.md"), ("a/b//c.md", None), ("a/b/../../../etc/c.md", None), ("a/b/x/./c.md", None)],
)
def test_of_a_folder_on_disk_the_events_path_says_what_is_taken_off(key: str, document: str | None) -> None:
    on_disk = feed("/mnt/wet", events_path="s3://wet/a/b")
    assert document_of(on_disk, "wet", key) == document
    assert document_of(feed("s3://mirror/x", events_path="s3://wet/a"), "wet", "a/c.md") == "c.md"


def test_the_captured_events_become_one_look_for_each_document(spark: SparkSession) -> None:
    messages = [SAMPLES["notification_test_message"], SAMPLES["notification_put"], *SAMPLES["eventbridge"]]
    text = json.dumps(messages).replace("HappyFace.jpg", "faces%2FHappy+Face+%C3%BC.md")
    text = text.replace('"example-key"', '"docs/example key+.md"').replace("mybucket", "DOC-EXAMPLE-BUCKET1")
    rows = [(None, json.dumps(one).encode(), None, "t", 0, at, None) for at, one in enumerate(json.loads(text))]
    source = feed("s3://DOC-EXAMPLE-BUCKET1", tags=["policy"], audience=["staff"], language="de", tenant="acme")
    routes = Routes({"pages": Table(source="uploads", key=object_feed.KEY)})
    envelopes = decoded(spark.createDataFrame(rows, MESSAGES), "uploads", SOURCE, routes, {})
    checked = object_feed.checked(envelopes, source)
    assert sorted(row["op"] for row in checked.select("op").collect()) == [
        "delete", "delete", "ignored", "ignored", "upsert", "upsert",
    ]  # fmt: skip
    found = object_feed.events(checked.where("op IN ('upsert', 'delete')"), "pages", source)
    events = {row["document"]: row for row in found.collect()}
    # Of the two deletes and the put of one key the delete with the highest sequencer is the newest.
    assert {name: (row["op"], row["tag"], row["position"][:21]) for name, row in events.items()} == {
        "faces/Happy Face ü.md": ("look", "d41d8cd98f00b204e9800998ecf8427e", "0000-0055AED6DCD90281"),
        "docs/example key+.md": ("look", None, "0000-617F0837B476E463"),
    }
    one = events["docs/example key+.md"]
    assert one["locator"] == "s3://DOC-EXAMPLE-BUCKET1/docs/example key+.md"
    assert (one["tags"], one["audience"], one["language"], one["tenant"]) == (["policy"], ["staff"], "de", "acme")
    assert (one["feed"], one["seen"], one["content"]) == ("pages", False, None)
