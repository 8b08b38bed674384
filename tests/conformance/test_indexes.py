"""Which store the settings name."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import headrace
from headrace.config_indexes import Index
from headrace.errors import Fatal, MissingDependency
from headrace.ports import Filters, Model
from headrace.stores import indexes
from headrace.testing.passages import MODEL, direction, put

SETTINGS = {
    "sqlite": {"path": "./i.sqlite"},
    "opensearch": {"hosts": ["http://127.0.0.1:1"], "index": "passages"},
    "pgvector": {"url": "postgresql://127.0.0.1:1/x"},
    "kafka": {"servers": "127.0.0.1:1", "topic": "t"},
    "opensearch_serverless_vector": {"host": "https://127.0.0.1:1", "index": "passages", "region": "eu-west-1"},
    "kendra": {"index_id": "a" * 36, "region": "eu-west-1"},
}


def settings(store, **more):
    return TypeAdapter(Index).validate_python({"store": store, **SETTINGS[store], **more})


@pytest.mark.parametrize("store", SETTINGS)
def test_every_store_of_the_settings_can_be_made_and_asks_nobody_yet(store):
    index = indexes.index(settings(store), "g1")
    with pytest.raises(Fatal, match="open"):
        index.write([put("a", 1)])
    index.close()


@pytest.mark.parametrize("store", SETTINGS)
def test_every_store_but_a_topic_and_kendra_has_a_reader(store):
    if store in ("kafka", "kendra"):
        with pytest.raises(Fatal, match="another index"):
            indexes.reader(settings(store))
    else:
        indexes.reader(settings(store)).close()


def test_an_empty_generation_with_a_named_model_can_be_searched(tmp_path):
    chosen = settings("sqlite", path=str(tmp_path / "i.sqlite"))
    index = indexes.index(chosen, "g1", Model(*MODEL))
    index.open("outbox")
    index.activate("g1")
    reader = indexes.reader(chosen)
    assert reader.model() == MODEL
    assert reader.by_vector(direction(1).tolist(), Filters(), 5) == []
    reader.close()
    index.close()


@pytest.mark.parametrize(
    ("store", "package", "extra"),
    [
        ("opensearch", "opensearchpy", "opensearch"),
        ("pgvector", "psycopg", "pgvector"),
        ("kafka", "confluent_kafka", "kafka"),
    ],
)
def test_a_missing_package_is_named_with_its_install_line(store, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependency) as caught:
        indexes.index(settings(store), "g1").open("outbox")
    assert f'pip install "headrace[{extra}]"' in str(caught.value)


def test_stores_need_neither_spark_nor_any_client_before_they_are_used():
    clients = "pyspark opensearchpy psycopg confluent_kafka botocore orjson"
    code = f"import sys, headrace.stores.indexes; print([n for n in {clients.split()!r} if n in sys.modules])"
    environment = {"PYTHONPATH": str(Path(headrace.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "[]\n", done.stderr
