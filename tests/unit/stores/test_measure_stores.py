"""Both stores of measures: SQLite's file for real, OpenSearch's requests as they are sent."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.config_publish import OpenSearchMeasures, SqliteMeasures
from headrace.errors import Fatal, Unreachable
from headrace.ports_measures import Document, MeasureStore, Progress, Span
from headrace.stores import measures_opensearch
from headrace.stores.measure_stores import measure_store
from headrace.stores.measures_opensearch import OpenSearchMeasureStore, definition
from headrace.stores.measures_sqlite import SqliteMeasureStore
from headrace.stores.opensearch_client import Refused
from unit.stores.fake_measures_index import FakeServer, store_of

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
ALWAYS = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC))


def one(id: str, minute: int = 30, numerator: float = 1.0, **more: Any) -> Document:
    body = {"measure": "errors", "minute": f"2026-11-26T09:{minute}:00.000000Z", "slice": "[]", "model": "it's"}
    return Document(id, {**body, "numerator": numerator, "denominator": 2.0, "n": 2, "counted_at": "x", **more})


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(params=["sqlite", "opensearch"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MeasureStore:
    if request.param == "opensearch":
        return store_of(FakeServer())
    return SqliteMeasureStore(SqliteMeasures(store="sqlite", path=str(tmp_path / "m.db")))


def test_a_store_holds_what_was_put_until_it_is_removed(store: MeasureStore) -> None:
    assert not store.look()
    store.open()
    assert store.look()
    assert (store.progress(), store.held(ALWAYS)) == (None, set())
    store.put([one("a"), one("b", 31), one("c", 32)])
    store.put([one("a")])
    assert store.held(ALWAYS) == {"a", "b", "c"}
    assert store.held(Span(NOW, NOW + timedelta(minutes=1))) == {"a", "b"}
    store.remove({"a", "never there"})
    store.keep(Progress("table", 3))
    assert (store.held(ALWAYS), store.progress()) == ({"b", "c"}, Progress("table", 3))
    store.close()
    store.open()
    assert (store.held(ALWAYS), store.progress()) == ({"b", "c"}, Progress("table", 3))
    store.close()


def test_sqlite_shows_nothing_before_it_is_kept_and_forgets_it_with_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "m.db"
    store = SqliteMeasureStore(SqliteMeasures(store="sqlite", path=str(path)))
    store.open()
    store.put([one("a", buckets={"-3": 2}, numerator=0.5)])
    assert rows(path, "select count(*) from measures") == [(0,)]
    store.keep(Progress("t", 1))
    found = rows(path, "select id, model, language, numerator, n, buckets from measures")
    assert found == [("a", "it's", None, 0.5, 2, '{"-3": 2}')]
    store.put([one("b")])
    store.close()
    assert rows(path, "select id from measures") == [("a",)]


def test_a_file_that_was_taken_away_is_made_again_empty(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    store = SqliteMeasureStore(SqliteMeasures(store="sqlite", path=str(path)))
    store.open()
    store.keep(Progress("t", 1))
    for file in tmp_path.iterdir():
        file.unlink()
    assert store.progress() is None
    store.put([one("a")])
    store.keep(Progress("t", 2))
    assert rows(path, "select id from measures") == [("a",)]
    store.close()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        connection.execute("create table mine (x)")
    with pytest.raises(Fatal, match="something else"):
        SqliteMeasureStore(SqliteMeasures(store="sqlite", path=str(tmp_path / "m.db"))).open()
    with pytest.raises(Fatal, match="something else"):
        SqliteMeasureStore(SqliteMeasures(store="sqlite", path=str(tmp_path / "m.db"))).look()
    assert rows(tmp_path / "m.db", "select name from sqlite_master") == [("mine",)]


def test_what_opensearch_is_asked_to_make_an_index_and_to_write_and_remove() -> None:
    server = FakeServer()
    store = store_of(server, rows_per_write=2)
    store.open()
    asked = [(method, path) for method, path, _ in server.asked]
    assert asked == [("GET", "/"), ("GET", "/m/_mapping"), ("PUT", "/m")]
    server.asked.clear()
    store.put([one("a"), one("b"), one("c")])
    store.remove({"b"})
    (first, second, third) = (body.decode() for _, _, body in server.asked)
    assert {path for _, path, _ in server.asked} == {"/m/_bulk"}
    assert [json.loads(line) for line in first.splitlines()] == [
        {"index": {"_id": "a"}}, {"id": "a", **one("a").body}, {"index": {"_id": "b"}}, {"id": "b", **one("b").body},
    ]  # fmt: skip
    assert json.loads(second.splitlines()[0]) == {"index": {"_id": "c"}}
    assert third == '{"delete":{"_id":"b"}}\n'


def test_the_mapping_has_a_type_for_every_field_and_takes_no_others() -> None:
    settings = OpenSearchMeasures.model_validate({"store": "opensearch", "hosts": "http://h:9200", "replicas": 1})
    made = definition(settings)
    assert made["settings"]["index"] == {"number_of_shards": 1, "number_of_replicas": 1, "refresh_interval": "5s"}
    fields = made["mappings"]["properties"]
    assert made["mappings"]["dynamic"] is False
    assert {"id", *one("a", buckets={}).body, "progress"} <= set(fields)
    assert fields["minute"]["type"] == "date" and fields["intent"]["type"] == "keyword"
    assert fields["buckets"] == {"type": "object", "enabled": False}


def test_a_long_list_of_ids_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures_opensearch, "_PAGE", 2)
    server = FakeServer()
    store = store_of(server)
    store.open()
    store.put([one(f"{number}") for number in range(5)])
    assert store.held(ALWAYS) == {"0", "1", "2", "3", "4"}
    assert [path for _, path, _ in server.asked].count("/m/_search") == 3


@pytest.mark.parametrize(("status", "raised"), [(429, Unreachable), (503, Unreachable), (400, Refused)])
def test_a_document_that_is_not_taken_is_told(status: int, raised: type[Exception]) -> None:
    server = FakeServer()
    store = store_of(server)
    store.open()
    server.refuse = {"status": status, "error": {"type": "some_exception", "reason": "said so"}}
    with pytest.raises(raised, match="said so"):
        store.put([one("a"), one("b")])


def test_an_index_of_something_else_is_left_alone() -> None:
    server = FakeServer()
    server.index = {"mappings": {"properties": {}}}
    with pytest.raises(Fatal, match="something else"):
        store_of(server).open()
    assert not any(method == "PUT" for method, _, _ in server.asked)


def test_the_settings_say_which_store() -> None:
    hosts = {"hosts": ["https://h:9200"], "auth": "basic", "user": "u", "password": "p"}
    settings = OpenSearchMeasures.model_validate({"store": "opensearch", **hosts})
    store = measure_store(settings)
    assert isinstance(store, OpenSearchMeasureStore)
    told = store._server.settings
    assert (told.index, told.user, told.password) == ("headrace-measures", "u", settings.password)
    assert isinstance(measure_store(SqliteMeasures(store="sqlite", path="m.db")), SqliteMeasureStore)
