"""JSON events as documents: what each says, what is refused, what a rename takes with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from documents_world import World
from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_knowledge import EventFeed
from headrace.config_sources import FilesSource
from headrace.pipelines import event_feed
from headrace.pipelines.document_feeds import as_list
from headrace.tables import MESSAGES

pytestmark = pytest.mark.deep

FEED = {
    "from": "events", "source": "articles", "id": "article id", "text": "body.text", "renamed_from": "was",
    "language_field": "lang", "tags_field": "labels", "audience_field": "readers", "tenant_field": "customer",
    "metadata": ["category", "price"], "tags": ["news"], "audience": ["staff"], "tenant": "acme", "language": "en",
}  # fmt: skip
OPERATION = {"column": "op", "delete": ["D"], "truncate": ["T"], "upsert": ["I"]}


def envelopes(spark: SparkSession, feed: EventFeed, *events: Any, **source: Any) -> DataFrame:
    settings = {"from": "files", "path": "unused", "format": "json", "position": ["at"], "changed_at": "when"}
    read = FilesSource.model_validate({**settings, "operation": OPERATION, **source})
    texts = [one if isinstance(one, str) else json.dumps(one) for one in events]
    rows = [(None, text.encode(), None, "t", 0, number, None) for number, text in enumerate(texts)]
    routes = Routes({"news": Table(source="articles", key=(feed.id,))})
    found = decoded(spark.createDataFrame(rows, MESSAGES), "articles", read, routes, {}, ignore_unknown=True)
    return event_feed.checked(found, feed)


def documents(spark: SparkSession, *events: Any, **more: Any) -> list[Row]:
    feed = EventFeed.model_validate(FEED | more)
    changes = envelopes(spark, feed, *events).where("op IN ('upsert', 'delete')")
    return event_feed.events(changes, "news", feed).orderBy("document", "position").collect()


def article(name: Any, at: int = 1, **more: Any) -> dict[str, Any]:
    return {"article id": name, "at": at, "op": "I", "body.text": f"# {name}", **more}


def test_every_field_reaches_the_document(spark: SparkSession) -> None:
    said = {"title": "A title", "url": "https://x/1", "lang": "de", "labels": ["a", "b"], "readers": '["editors"]'}
    said |= {"customer": "other", "category": "travel", "price": 12.25, "when": "2026-01-02T03:04:05Z"}
    (one,) = documents(spark, article(7, **said))
    assert one["position"].startswith("0000-n011-4") and one["tag"] == one["position"]
    assert (one["feed"], one["document"], one["op"], one["seen"]) == ("news", "7", "upsert", False)
    assert (bytes(one["content"]), one["media_type"], one["locator"]) == (b"# 7", "text/markdown", None)
    assert (one["title"], one["url"], one["language"], one["tenant"]) == ("A title", "https://x/1", "de", "other")
    assert (one["tags"], one["audience"]) == (["a", "b", "news"], ["editors", "staff"])
    assert json.loads(one["metadata"]) == {"category": "travel", "price": "12.25"}
    assert one["changed_at"].isoformat() == "2026-01-02T03:04:05"


def test_fields_that_are_not_there_leave_what_the_feed_says(spark: SparkSession) -> None:
    (one,) = documents(spark, article("a", labels="x, y", readers=None))
    assert (one["title"], one["url"], one["language"], one["tenant"]) == (None, None, "en", "acme")
    assert (one["tags"], one["audience"], one["metadata"]) == (["x", "y", "news"], ["staff"], "{}")


def test_a_rename_takes_the_old_document_at_the_same_source_position(spark: SparkSession) -> None:
    others = [article("c", 6, was="c"), article("d", 7, was=None), article("e", 8, was="")]
    found = documents(spark, article("b", 5, was="a"), *others)
    assert [(one["document"], one["op"]) for one in found] == [
        ("a", "delete"), ("b", "upsert"), ("c", "upsert"), ("d", "upsert"), ("e", "upsert"),
    ]  # fmt: skip
    gone, came = found[0]["position"], found[1]["position"]
    assert gone.rpartition("-")[0] == came.rpartition("-")[0]
    assert gone < came, "a document that takes the free name at the same position stays"
    assert (found[0]["content"], found[0]["title"]) == (None, None)


def test_what_cannot_be_used_is_rejected_with_its_reason_and_the_rest_goes_on(spark: SparkSession) -> None:
    feed = EventFeed.model_validate(FEED)
    without = {name: {key: value for key, value in article("x").items() if key != name} for name in article("x")}
    events = {
        "no key": without["article id"],
        "null key": article(None),
        "empty id": article(""),
        "unreadable position": without["at"],
        "unknown operation": article("x", op="X"),
        "no text": without["body.text"],
        "unreadable list": article("x", readers="[staff"),
        "not JSON": "{",
    }
    found = envelopes(spark, feed, *events.values(), article("x", **{"body.text": None}), article("x", op="T"))
    rows = found.orderBy("origin.offset").collect()
    assert [row["reason"] for row in rows] == [*events, "no text", "unknown operation"]
    assert {row["op"] for row in rows} == {"reject"}
    assert all("expected" in row["detail"] for row in rows)
    assert [row["document"] for row in rows][5:7] == ["x", "x"]
    good = envelopes(spark, feed, "{", article("a"), {"article id": "b", "at": 1, "op": "D"})
    assert sorted(row["op"] for row in good.collect()) == ["delete", "reject", "upsert"]


def test_where_a_column_names_the_table_the_feed_takes_the_rows_of_its_own_name(spark: SparkSession) -> None:
    feed = EventFeed.model_validate(FEED)
    found = envelopes(spark, feed, article("a", of="news"), article("b", of="people"), table="of")
    assert [row["op"] for row in found.orderBy("origin.offset").collect()] == ["upsert", "ignored"]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_of_renames_ends_at_its_last_name_in_any_order(
    spark: SparkSession, tmp_path: Path, backwards: bool
) -> None:
    world = World(spark, tmp_path)
    feed = EventFeed.model_validate(FEED)
    history = [article("a", 1), article("b", 2, was="a"), article("c", 3, was="b"), article("a", 4)]
    history = [{**event, "body.text": f"text {event['at']}"} for event in history]
    for event in history[::-1] if backwards else history:
        world.indexer.take(event_feed.events(envelopes(spark, feed, event), "news", feed))
    world.settle()
    assert world.served() == {"c": ["text 3"], "a": ["text 4"]}


def test_a_list_that_cannot_be_read_is_not_an_empty_one(spark: SparkSession) -> None:
    texts = {' ["staff", null]': ["staff", ""], "a, b ,": ["a", "b"], " , ": [""], " ": [], '["a"': ['["a"']}
    rows = spark.createDataFrame([(text,) for text in texts], "text string")
    assert [row[0] for row in rows.select(as_list(F.col("text"))).collect()] == list(texts.values())
    assert rows.select(as_list(F.lit(None))).first()[0] == []  # type: ignore[index]
