"""Settings of conversations and events in a file."""

from datetime import timedelta
from pathlib import Path

import pytest

from headrace.config_conversations import FileEvents, KafkaEvents
from headrace.config_file import load
from headrace.config_keyed_stores import SqliteRows
from headrace.errors import ConfigError

BASE = """\
lake: ./lake
knowledge:
  documents: {notes: {from: folder, path: ./notes}}
  indexes: {main: {store: sqlite, path: ./search.db}}
assistant:
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "headrace.yaml"
    file.write_text(BASE + text, encoding="utf-8")
    return file


def test_folders_and_files_are_taken_from_the_folder_of_the_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir("/")
    text = (
        "  conversations: {store: {store: sqlite, path: ./c.db}, keep: 7 days}\n"
        "  events: {to: files, path: ./events, spool: ./spool}\n"
    )
    found = load(written(tmp_path, text)).assistant
    assert found.conversations and isinstance(found.conversations.store, SqliteRows)
    assert (found.conversations.store.path, found.conversations.keep) == (str(tmp_path / "c.db"), timedelta(days=7))
    assert isinstance(found.events, FileEvents)
    assert (found.events.path, found.events.spool) == (str(tmp_path / "events"), str(tmp_path / "spool"))


def test_nothing_is_remembered_or_told_unless_the_settings_say_so(tmp_path: Path) -> None:
    found = load(written(tmp_path, "  answers: {timeout: 60s}\n")).assistant
    assert (found.conversations, found.events) == (None, None)


def test_a_secret_of_kafka_is_not_shown(tmp_path: Path) -> None:
    text = (
        '  events: {to: kafka, servers: "b:9092", topic: t, '
        "options: {kafka.sasl.jaas.config: {secret: env:KAFKA_JAAS}}}\n"
    )
    found = load(written(tmp_path, text), {"KAFKA_JAAS": "not to be printed"}).assistant.events
    assert isinstance(found, KafkaEvents) and "not to be printed" not in repr(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  events: {to: kinesis, stream: s}\n", "one of files, kafka"),
        ("  events: {to: files}\n", "a folder on a disk of this machine"),
        ("  events: {to: files, path: s3://bucket/x}\n", "found +a URL"),
        ("  events: {to: files, path: ./e, topic: t}\n", "assistant.events.topic"),
        ("  conversations: {keep: 30 days}\n", "a store: a mapping with store"),
        ("  conversations: {store: {store: neptune, url: 'wss://h/gremlin'}}\n", "one of sqlite, documentdb, dynamodb"),
    ],
    ids=range(6),
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(written(tmp_path, text))
