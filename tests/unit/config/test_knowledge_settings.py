"""What the section `knowledge` becomes: kinds by their key, defaults, secrets, files."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from headrace.config import Config
from headrace.config_file import load
from headrace.config_knowledge import (
    EventFeed,
    FolderFeed,
    KafkaIndex,
    KendraIndex,
    KinesisIndex,
    OpenSearchIndex,
    PgvectorIndex,
    ServerlessVectorIndex,
    SqliteIndex,
    TableFeed,
)
from headrace.config_places import MAPPINGS, SECRETS
from headrace.errors import ConfigError
from unit.config.whole_settings import EMBED, WHOLE

ALONE = """\
lake: ./lake
knowledge:
  documents: {notes: {from: folder, path: ./notes}}
  indexes: {main: {store: sqlite, path: ./passages.db}}
"""


def loaded(tmp_path: Path, text: str, **environ: str) -> Config:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    return load(file, environ)


def with_parts(embed: dict | None = None, index: dict | None = None) -> str:
    data = yaml.safe_load(ALONE)
    data["knowledge"] |= {"embed": embed} if embed is not None else {}
    data["knowledge"] |= {"indexes": {"main": index}} if index is not None else {}
    return yaml.safe_dump(data)


def test_a_feed_and_an_index_are_enough(tmp_path):
    config = loaded(tmp_path, ALONE)
    assert (config.sources, config.tables) == ({}, {})
    assert config.knowledge.documents["notes"].every == timedelta(seconds=2)
    assert (config.knowledge.embed.provider, config.knowledge.embed.dimension) == ("static", 256)


@pytest.mark.parametrize(("given", "every"), [("", timedelta(minutes=10)), (", every: 1h", timedelta(hours=1))])
def test_a_folder_with_events_is_listed_rarely_unless_told_otherwise(given, every, tmp_path):
    text = WHOLE.replace("events: uploads", f"events: uploads{given}")
    feed = loaded(tmp_path, text).knowledge.documents["folder"]
    assert (feed.every, feed.events_path) == (every, "s3://bucket/notes")


def test_every_kind_of_feed_and_index_is_told_by_its_key(tmp_path):
    knowledge = loaded(tmp_path, WHOLE).knowledge
    feeds = {name: type(feed) for name, feed in knowledge.documents.items()}
    assert feeds == {"folder": FolderFeed, "table": TableFeed, "events": EventFeed}
    assert {name: type(index) for name, index in knowledge.indexes.items()} == {
        "sqlite": SqliteIndex, "opensearch": OpenSearchIndex, "pgvector": PgvectorIndex, "kafka": KafkaIndex,
        "kinesis": KinesisIndex, "kendra": KendraIndex, "opensearch_serverless_vector": ServerlessVectorIndex,
    }  # fmt: skip


@pytest.mark.parametrize("provider", EMBED)
def test_every_embedder_loads_with_what_it_cannot_do_without(provider, tmp_path):
    embed = loaded(tmp_path, with_parts(embed={"provider": provider, **EMBED[provider]})).knowledge.embed
    assert embed.provider == provider


def test_the_kinds_in_these_tests_are_all_there_are():
    data = yaml.safe_load(WHOLE)["knowledge"]
    assert set(MAPPINGS["knowledge.documents.*"].kinds) == set(data["documents"])
    assert set(MAPPINGS["knowledge.indexes.*"].kinds) == set(data["indexes"])
    assert set(MAPPINGS["knowledge.embed"].kinds) == set(EMBED)


def test_embed_without_a_provider_is_the_static_one(tmp_path):
    embed = loaded(tmp_path, with_parts(embed={"dimension": 64, "parallel": 2})).knowledge.embed
    assert (embed.provider, embed.dimension, embed.parallel) == ("static", 64, 2)


def test_a_variable_may_stand_for_a_number_of_a_choice(tmp_path):
    text = with_parts({"dimension": "${SIZE}"}, {"store": "sqlite", "path": "x", "writers": "${N}"})
    knowledge = loaded(tmp_path, text, SIZE="128", N="1").knowledge
    assert (knowledge.embed.dimension, knowledge.indexes["main"].writers) == (128, 1)


def test_files_of_feeds_and_indexes_are_taken_from_the_folder_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    text = WHOLE.replace("hosts: [", "ca_file: '${CA}', hosts: [")
    knowledge = loaded(tmp_path, text, CA="ca.pem").knowledge
    assert knowledge.documents["folder"].path == str(tmp_path / "notes")
    assert knowledge.indexes["sqlite"].path == str(tmp_path / "p.db")
    assert knowledge.indexes["opensearch"].ca_file == str(tmp_path / "ca.pem")


def test_a_folder_in_s3_and_the_path_of_a_class_stay_as_they_are(tmp_path):
    text = with_parts(embed={"provider": "langchain", **EMBED["langchain"]}).replace("./notes", "s3://bucket/notes")
    knowledge = loaded(tmp_path, text).knowledge
    assert (knowledge.documents["notes"].path, knowledge.embed.path) == ("s3://bucket/notes", "a:B")


def test_secrets_may_stand_exactly_where_the_models_hold_them():
    assert set(SECRETS) == {
        "assistant.conversations.store.uri", "assistant.events.options.*",
        "sources.*.options.*", "sources.*.registry.password", "sources.*.registry.token", "sources.*.headers.*",
        "knowledge.embed.key", "knowledge.embed.headers.*", "knowledge.embed.arguments.*",
        "knowledge.models.*.key", "knowledge.models.*.headers.*", "knowledge.models.*.arguments.*",
        "knowledge.indexes.*.password", "knowledge.indexes.*.url", "knowledge.indexes.*.options.*",
        "profiles.hash_key", "profiles.stores.*.uri", "serve.stores.*.uri",
        "assistant.model.key", "assistant.model.headers.*",
        "assistant.answers.fallback.*.key", "assistant.answers.fallback.*.headers.*",
        "assistant.judge.model.key", "assistant.judge.model.headers.*",
        "alerts.outputs.*.secret", "alerts.outputs.*.headers.*", "feedback.publish.*.password",
        "feedback.hash_key", "web.readers.*.token", "datasets.key",
        "datasets.sets.*.evaluate.*.key", "datasets.sets.*.evaluate.*.headers.*",
    }  # fmt: skip


PW = {"secret": "env:PW"}
BASIC = {"store": "opensearch", "hosts": "h", "index": "i", "auth": "basic", "user": "a"}


@pytest.mark.parametrize(
    ("embed", "index", "found"),
    [
        ({"provider": "http", **EMBED["http"], "key": PW}, None, lambda it: it.embed.key),
        ({"provider": "http", **EMBED["http"], "key": "${PW}"}, None, lambda it: it.embed.key),
        ({"provider": "http", **EMBED["http"], "headers": {"x": PW}}, None, lambda it: it.embed.headers["x"]),
        ({"provider": "http", **EMBED["http"], "headers": {"api-key": "${PW}"}}, None,
         lambda it: it.embed.headers["api-key"]),
        ({"provider": "langchain", **EMBED["langchain"], "arguments": {"x": PW}}, None,
         lambda it: it.embed.arguments["x"]),
        (None, {**BASIC, "password": PW}, lambda it: it.indexes["main"].password),
        (None, {"store": "pgvector", "url": PW}, lambda it: it.indexes["main"].url),
        (None, {"store": "kafka", "servers": "s", "topic": "t", "options": {"x": PW}},
         lambda it: it.indexes["main"].options["x"]),
    ],
)  # fmt: skip
def test_secrets_come_from_the_environment_and_never_print(embed, index, found, tmp_path):
    config = loaded(tmp_path, with_parts(embed, index), PW="hunter2")
    secret = found(config.knowledge)
    assert isinstance(secret, SecretStr) and secret.get_secret_value() == "hunter2"
    for shown in (repr(config), str(config), config.model_dump_json(), repr(config.model_dump())):
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (with_parts(index={**BASIC, "password": "hunter2"}), "password: {secret: env:OPENSEARCH_PASSWORD}"),
        (with_parts(index={"store": "pgvector", "url": "postgresql://me:hunter2@h/x"}), "url: {secret: env:PGVECTOR_"),
        (with_parts(index={"store": "pgvector", "url": "host=h password=hunter2"}), "url: {secret: env:PGVECTOR_"),
        (with_parts(embed={"provider": "http", **EMBED["http"], "key": "hunter2"}), "key: {secret: env:"),
        (with_parts(embed={"provider": "http", **EMBED["http"], "headers": {"Authorization": "Bearer hunter2"}}),
         "Authorization: {secret: env:NAME}"),
    ],
)  # fmt: skip
def test_a_credential_in_plain_text_is_refused(wrong, key, tmp_path):
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, wrong)
    told = str(raised.value)
    assert "a credential as plain text, not shown" in told and f"    example   {key}" in told
    assert "hunter2" not in told


def test_a_place_without_a_password_is_no_credential(tmp_path):
    knowledge = loaded(tmp_path, with_parts(index={"store": "pgvector", "url": "postgresql://me@h:5432/x"})).knowledge
    assert knowledge.indexes["main"].url.get_secret_value() == "postgresql://me@h:5432/x"


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (ALONE.replace("path: ./notes", "path: ./notes, every: 0s"), "knowledge.documents.notes.every"),
        (ALONE.replace("path: ./notes", "path: ./notes, every: -5"), "knowledge.documents.notes.every"),
        (ALONE.replace("path: ./notes", r'path: "./no\0tes"'), "knowledge.documents.notes.path"),
    ],
)
def test_what_cannot_work_is_refused(wrong, key, tmp_path):
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, wrong)
    assert f": {key}\n" in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        with_parts(index={**BASIC, "password": ["hunter2"]}),
        with_parts(index={**BASIC, "password": {"plain": "hunter2"}}),
        with_parts(index={**BASIC, "password": PW, "user": None}),
        with_parts(index={**BASIC, "passwort": "hunter2"}),
        with_parts(index={"store": "sqlite", "path": "x", "password": "hunter2"}),
        with_parts(index={"store": "pgvector", "url": "postgresql://me:hunter2@h/x", "table": "X"}),
        with_parts(index={"store": "pgvector", "url": ["postgresql://me:hunter2@h/x"]}),
        with_parts(index={"store": "kafka", "servers": "s", "topic": "t", "options": {"sasl.password": ["hunter2"]}}),
        with_parts(index={"store": "sqlite", "path": PW}),
        with_parts(index={"store": "${PW}", "path": "x"}),
        with_parts(index={**BASIC, "index": "${PW}!", "password": PW}),
        with_parts(embed={"provider": "http", **EMBED["http"], "key": 7, "headers": {"Authorization": ["hunter2"]}}),
        with_parts(embed={"provider": "langchain", **EMBED["langchain"], "path": "https://me:hunter2@host"}),
        with_parts(embed={"provider": "langchain", **EMBED["langchain"], "arguments": {"api_key": {"a": "hunter2"}}}),
        ALONE.replace("path: ./notes", "path: ./notes, language: '${PW}'"),
        ALONE.replace("path: ./notes", "path: ./notes, events: '${PW}'"),
        ALONE.replace("from: folder, path: ./notes", "from: table, text: a, table: '${PW}'"),
        WHOLE.replace("table: hotels", "table: '${PW}', bad: 1"),
        WHOLE.replace("key: [userId], drop: [", "key: ['${PW}'], drop: ['${PW}', "),
    ],
)
def test_no_message_shows_a_secret_or_a_value_of_the_environment(wrong, tmp_path):
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, wrong, PW="hunter2")
    assert "hunter2" not in str(raised.value)


def test_counts_of_tokens_are_no_secret(tmp_path):
    with pytest.raises(ConfigError, match="found     5\n"):
        loaded(tmp_path, ALONE + "  chunk: {tokens: 5}\n")


@pytest.mark.parametrize(
    "indexes",
    [
        [{"hosts": ["https://a"], "index": "x"}, {"hosts": ["https://b"], "index": "x"}],
        [{"hosts": ["https://a"], "index": "x"}, {"hosts": ["https://a"], "index": "y"}],
    ],
)
def test_one_name_on_two_servers_and_two_names_on_one_are_different_places(indexes, tmp_path):
    data = yaml.safe_load(ALONE)
    data["knowledge"]["indexes"] = {f"i{n}": {"store": "opensearch", **one} for n, one in enumerate(indexes)}
    assert len(loaded(tmp_path, yaml.safe_dump(data)).knowledge.indexes) == 2


def test_the_sources_its_feeds_read_are_known(tmp_path):
    assert loaded(tmp_path, WHOLE).knowledge.sources() == {"uploads", "articles"}


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_two_embedded_indexes_that_are_one_file_by_a_link_are_told_so(link, tmp_path):
    (tmp_path / "a.db").touch()
    link(tmp_path / "a.db", tmp_path / "b.db")
    data = yaml.safe_load(ALONE)
    data["knowledge"]["indexes"] = {name: {"store": "sqlite", "path": f"{name}.db"} for name in ("a", "b")}
    with pytest.raises(
        ConfigError, match=r"indexes\.b\.path\n.*\n +found +the same, by a link, as knowledge\.indexes\.a"
    ):
        loaded(tmp_path, yaml.safe_dump(data))
