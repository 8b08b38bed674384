"""Lag from checkpoints as Spark writes them."""

import json
from pathlib import Path

import pytest

from headrace.config import Config
from headrace.pipelines import lag as module
from headrace.pipelines.lag import Lag, checkpoint_folder, lag
from headrace.stores.kafka_look import client_settings, topic_pattern


def config(folder: Path, knowledge: object = None, **source: object) -> Config:
    shop = {"from": "kafka", "servers": "127.0.0.1:9", "topics": ["t*"], "format": "debezium", **source}
    feed = {"from": "files", "path": str(folder / "in"), "format": "debezium"}
    return Config.model_validate(
        {
            "lake": str(folder / "lake"),
            "sources": {"shop": shop, "feed": feed},
            "tables": {"t": {"source": "feed", "key": ["id"]}},
            "knowledge": {"documents": knowledge, "indexes": {"i": {"store": "sqlite", "path": "x"}}}
            if knowledge
            else None,
        }
    )


def checkpoint(
    settings: Config, source: str, offsets: dict[int, object], committed: int, job: str = "apply_changes"
) -> Path:
    folder = Path(checkpoint_folder(settings, source, job))
    for name in ("offsets", "commits", "sources/0"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for batch, offset in offsets.items():
        (folder / "offsets" / str(batch)).write_text(f"v1\n{{}}\n{json.dumps(offset)}")
        if batch <= committed:
            (folder / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')
    return folder


class Broker:
    """A cluster with one topic of two partitions: 100..150 and 0..7."""

    def __init__(self, *_: object) -> None: ...

    def topics(self, patterns: object) -> dict[str, list[int]]:
        return {"t1": [0, 1]}

    def offsets(self, topics: object) -> dict[str, dict[int, tuple[int, int]]]:
        return {"t1": {0: (100, 150), 1: (0, 7)}}


@pytest.mark.parametrize(
    ("offsets", "committed", "first", "behind"),
    [
        ({}, -1, "earliest", 57),
        ({}, -1, "latest", 0),
        ({0: {"t1": {"0": 120, "1": 7}}}, 0, "earliest", 30),
        ({0: {"t1": {"0": 120, "1": 7}}, 1: {"t1": {"0": 150, "1": 7}}}, 0, "earliest", 30),  # 1 is not committed yet
        ({0: {"t1": {"0": 90}}}, 0, "earliest", 57),  # older records are gone, and partition 1 is new
        ({0: {"t1": {"0": 150, "1": 7}}}, 0, "earliest", 0),
    ],
)
def test_kafka_lag_is_the_end_less_what_is_committed(offsets, committed, first, behind, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KafkaLook", Broker)
    settings = config(tmp_path, first_position=first)
    checkpoint(settings, "shop", offsets, committed)
    assert lag(settings, "shop") == Lag(behind, "messages")


def test_files_lag_counts_files_not_yet_committed(tmp_path):
    settings = config(tmp_path)
    (tmp_path / "in" / "deep dir").mkdir(parents=True)
    for name in ("a.jsonl", "deep dir/b.jsonl", "c.jsonl", "d.jsonl", ".hidden", "_SUCCESS"):
        (tmp_path / "in" / name).write_text("{}")
    (tmp_path / "in" / "gone.jsonl").symlink_to(tmp_path / "nowhere.jsonl")
    folder = checkpoint(settings, "feed", {0: {}, 1: {}}, committed=0)
    entry = lambda name, batch: json.dumps({"path": f"file://{tmp_path}/in/{name}", "timestamp": 1, "batchId": batch})  # noqa: E731
    (folder / "sources" / "0" / "0.compact").write_text(f"v1\n{entry('a.jsonl', 0)}\n{entry('deep%20dir/b.jsonl', 0)}")
    (folder / "sources" / "0" / "1").write_text(f"v1\n{entry('c.jsonl', 1)}")
    assert lag(settings, "feed") == Lag(2, "files")


def test_the_lag_of_a_source_that_feeds_of_documents_read_is_that_of_the_slowest_one(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KafkaLook", Broker)
    objects = {"from": "folder", "path": "s3://bucket/docs", "events": "shop"}
    settings = config(tmp_path, format="objects", knowledge={"fast": objects, "slow": objects})
    checkpoint(settings, "fast/shop", {0: {"t1": {"0": 150, "1": 7}}}, 0, "index_knowledge")
    checkpoint(settings, "slow/shop", {0: {"t1": {"0": 149, "1": 7}}}, 0, "index_knowledge")
    assert lag(settings, "shop") == Lag(1, "messages"), "no table reads it: apply_changes has no checkpoint of it"


def test_a_lag_that_cannot_be_told_says_why(tmp_path):
    settings = config(tmp_path)
    assert lag(settings, "feed") == Lag(None, "files", f"no folder {tmp_path}/in")
    unknown = lag(settings, "shop")
    assert unknown.behind is None and "127.0.0.1:9" in unknown.why


def test_a_damaged_checkpoint_is_told_not_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KafkaLook", Broker)
    settings = config(tmp_path)
    folder = checkpoint(settings, "shop", {0: {}}, 0)
    (folder / "offsets" / "0").write_text("v1\n{}\nnot json")
    assert "the checkpoint cannot be read" in lag(settings, "shop").why


def test_topic_patterns_know_only_the_star():
    assert topic_pattern(["src.public.*"]).fullmatch("src.public.users")
    assert not topic_pattern(["src.public.*"]).fullmatch("srcxpublic.users")
    assert not topic_pattern(["a", "b*"]).fullmatch("ab")


def test_spark_options_become_settings_of_librdkafka_without_java_key_stores():
    options = {
        "kafka.security.protocol": "SASL_SSL", "kafka.sasl.mechanism": "PLAIN", "minPartitions": "4",
        "kafka.sasl.jaas.config": 'x.PlainLoginModule required username="me" password="p\\"w";',
        "kafka.ssl.truststore.location": "/x.jks",
    }  # fmt: skip
    found = client_settings("h:1", options)
    assert found["security.protocol"] == "SASL_SSL" and found["sasl.mechanism"] == "PLAIN"
    assert (found["sasl.username"], found["sasl.password"]) == ("me", 'p"w')
    assert found["enable.auto.commit"] is False and "ssl.ca.location" not in found
