"""A topic of passages, on a real broker."""

import json
from uuid import uuid4

import pytest
import yaml
from confluent_kafka import Consumer

from headrace.config_indexes import KafkaIndex
from headrace.errors import Fatal, Unreachable
from headrace.ports import Written
from headrace.stores.kafka_index import KafkaVectorIndex
from headrace.stores.kafka_pipeline import ingestion_pipeline
from headrace.testing.passages import direction, gone, put

from .kafka import Kafka
from .process import free_port


@pytest.fixture
def settings(kafka: Kafka) -> KafkaIndex:
    topic = f"passages-{uuid4().hex[:8]}"
    kafka.create_topic(topic)
    return KafkaIndex(store="kafka", servers=kafka.servers, topic=topic)


def messages(settings: KafkaIndex, count: int) -> list:
    consumer = Consumer(
        {"bootstrap.servers": settings.servers, "group.id": uuid4().hex, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([settings.topic])
    found = consumer.consume(count, timeout=20)
    consumer.close()
    return found


def test_each_key_comes_once_with_its_version_and_vector(settings):
    index = KafkaVectorIndex(settings, "g1")
    index.open("outbox-1")
    written = index.write([put("a", 1), put("a", 2, "new", vector=direction(1, 1)), gone("b", 3)])
    index.close()
    assert written == Written(applied=2, stale=1)
    found = {message.key().decode(): message for message in messages(settings, 2)}
    value = json.loads(found["a"].value())
    assert value["row"] == {"key": "a", "version": 2, "deleted": False}
    assert value["text"] == "new" and value["vector"][:3] == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert json.loads(found["b"].value()) == {"row": {"key": "b", "version": 3, "deleted": True}}
    assert dict(found["a"].headers()) == {"owner": b"outbox-1", "generation": b"g1", "version": b"2"}


def test_rows_that_cannot_be_sent_are_reported_while_the_rest_arrives(settings):
    small = settings.model_copy(update={"bytes_per_write": 3_000})
    index = KafkaVectorIndex(small, "g1")
    index.open("outbox-1")
    written = index.write([put("a", 1), put("large", 1, "x" * 5_000), put("zero", 1, vector=[0.0] * 8)])
    index.close()
    assert written.applied == 1
    assert {failed.key: failed.retry for failed in written.failed} == {"large": False, "zero": False}


def test_a_missing_topic_and_a_missing_broker_are_named(settings, monkeypatch):
    monkeypatch.setattr("headrace.stores.kafka_index._SECONDS_TO_OPEN", 3.0)
    with pytest.raises(Fatal, match="Create it"):
        KafkaVectorIndex(settings.model_copy(update={"topic": "nowhere"}), "g1").open("outbox-1")
    away = settings.model_copy(update={"servers": f"127.0.0.1:{free_port()}"})
    with pytest.raises(Unreachable, match="brokers"):
        KafkaVectorIndex(away, "g1").open("outbox-1")


def test_the_ingestion_pipeline_writes_external_versions(settings):
    text = ingestion_pipeline(
        settings,
        host="https://search.example.org",
        index="passages",
        generation="g1",
        region="eu-central-1",
        role="arn:aws:iam::123456789012:role/ingest",
        failures="refused-passages",
    )
    pipeline = yaml.safe_load(text)["passages-from-kafka"]
    sink = pipeline["sink"][0]["opensearch"]
    assert (sink["index"], sink["action"]) == ("passages__g1", "index")
    assert (sink["document_id"], sink["document_version"]) == ("${/row/key}", "${/row/version}")
    assert sink["document_version_type"] == "external"
    assert pipeline["source"]["kafka"]["topics"][0]["name"] == settings.topic
