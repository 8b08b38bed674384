"""`headrace ask` with a question of a customer: the profile and the passages, without Spark."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest

from headrace.cli import main
from headrace.config_file import load
from headrace.config_indexes import SqliteIndex
from headrace.config_keyed_stores import SqliteRows
from headrace.identifiers.normalise import normaliser
from headrace.passages import packed
from headrace.ports import Model, Projected
from headrace.stores.keyed_sqlite import SqliteReader, SqliteStore
from headrace.stores.sqlite_index import SqliteVectorIndex
from unit.profiles import people

SETTINGS = """
lake: ./lake
sources: {feed: {from: files, path: ./in, format: json, position: [seq], table: table}}
tables:
  customers: {source: feed, key: [id]}
  consents: {source: feed, key: [id]}
knowledge:
  documents: {policies: {from: folder, path: ./docs}}
  indexes: {search: {store: sqlite, path: ./search.db}}
"""
PROFILES = """
profiles:
  hash_key: {secret: env:TEST_HASH_KEY}
  records:
    shop: {table: customers, identifiers: {email: mail}, fields: {name: name, city: city}}
  identifiers: {email: {normalise: email}}
  fields: {city: {purpose: offers}}
  consent: {table: consents, by: {shop: id}}
  stores:
    graph: {store: neptune, url: "ws://127.0.0.1:1/gremlin"}
    main: {store: sqlite, path: ./profiles.db}
"""


@pytest.fixture
def ask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Asks in a folder with one passage and three known addresses: exit code, output, errors."""
    monkeypatch.setenv("TEST_HASH_KEY", "a key of sixteen letters")
    file = tmp_path / "headrace.yaml"
    file.write_text(SETTINGS + PROFILES)
    _index(tmp_path)
    _people(tmp_path)

    def asked(*words: str) -> tuple[int, str, str]:
        code = main(["ask", "cello", "--mode", "words", *words, "--config", str(file)])
        return code, *capsys.readouterr()

    return asked


def _index(folder: Path) -> None:
    model = Model("m", 2, "f")
    store = SqliteVectorIndex(SqliteIndex(path=str(folder / "search.db")), "g1", model)
    body = {
        "source": "policies", "document": "bags.md", "title": "Bags", "modality": "text", "language": "en", "tags": [],
        "audience": [], "metadata": {}, "text": "A cello needs a seat.", "start": 0, "end": 21, "heading": ["Music"],
        "changed_at": (datetime.now(UTC) - timedelta(hours=5)).isoformat(), "position": "1", "number": 0,
        "model": "m", "dimension": 2, "fingerprint": "f", "vector": packed(numpy.array([1.0, 0.0], "float32")),
    }  # fmt: skip
    store.open("outbox")
    assert store.write([Projected("k", 1, False, body)]).failed == ()
    store.activate("g1")
    store.close()


def _people(folder: Path) -> None:
    """Ada, whose id `old` leads to; `both@example.com` of two people."""
    hashing = normaliser(load(folder / "headrace.yaml").profiles)
    rows: dict[str, Any] = {"p:old": {"kind": "alias", "person": "p1"}}
    for person in ("p1", "p2"):
        days_ago = datetime.now(UTC) - timedelta(days=3)
        shown = people.record("shop", "Ada", changed_at=days_ago, fields={"name": "Ada", "city": "Lisboa"})
        told = replace(people.said("offers", person == "p2", at=days_ago), changed_at=days_ago)
        document = people.profile(shown, told, now=datetime.now(UTC), fields={"city": {"purpose": "offers"}}).document
        rows[f"p:{person}"] = {"kind": "profile", "profile": {**document, "person": person}, "links": []}
    for address, owners in {"ada@example.com": ["p1"], "both@example.com": ["p1", "p2"]}.items():
        key = f"i:email:{hashing.hashed('email', hashing.plain('email', address))}"
        rows[key] = {"kind": "identifier", "persons": owners}
    store = SqliteStore(SqliteRows(path=str(folder / "profiles.db")))
    store.open("outbox")
    assert store.write([Projected(key, 1, False, body) for key, body in rows.items()]).failed == ()
    store.close()


@pytest.mark.parametrize("who", ["p1", "old", "ADA@example.com "])
def test_the_customer_is_shown_with_the_passages_and_how_old_each_is(ask, who):
    code, out, _ = ask("--passages", "--customer", who)
    assert code == 0
    assert out.startswith("old is p1 now." if who == "old" else 'Profile "p1"')
    assert re.search(r'- name: "Ada" \(from shop', out)
    assert re.search(r"by table, is this old: t_consent 3 days, t_shop 3 days\.", out)
    assert "policies/bags.md[0:21], 5.0 h old" in out and out.endswith("1 passage\n")


def test_what_was_not_agreed_to_is_not_shown(ask):
    withheld, shown = (ask("--passages", "--customer", who)[1] for who in ("p1", "p2"))
    assert "Lisboa" not in withheld and "Left out: 1 not agreed to" in withheld
    assert 'city: "Lisboa"' in shown
    assert "Lisboa" not in ask("--passages", "--customer", "p1", "--json")[1]


def test_json_has_both_and_without_a_customer_stays_a_list(ask):
    body = json.loads(ask("--passages", "--customer", "old", "--json")[1])
    assert (body["customer"]["person"], body["customer"]["asked"]) == ("p1", "old")
    assert body["customer"]["text"].startswith("Profile") and body["customer"]["ages"]["t_shop"] > 0
    assert [one["document"] for one in body["passages"]] == ["bags.md"]
    assert [one["document"] for one in json.loads(ask("--passages", "--json")[1])] == ["bags.md"]
    assert "Profile" not in ask("--passages")[1]


def test_an_answer_is_made_of_the_profile_and_the_passages(ask):
    answer = json.loads(ask("--customer", "old", "--json")[1])
    assert answer["context"]["person"] == "p1"
    *profile, passage = answer["context"]["items"]
    assert {one["kind"] for one in profile} == {"profile"} and passage["kind"] == "passage"
    assert "Ada" in profile[0]["text"] and passage["text"] == "A cello needs a seat."
    assert "Lisboa" not in json.dumps(answer)
    assert "“A cello needs a seat.” [p1]" in ask("--customer", "p1")[1]
    assert {item["kind"] for item in json.loads(ask("--json")[1])["context"]["items"]} == {"passage"}


def test_a_profile_is_read_once(ask, monkeypatch):
    read, real = [], SqliteReader.read
    monkeypatch.setattr(SqliteReader, "read", lambda reader, keys: read.extend(keys) or real(reader, keys))
    assert json.loads(ask("--customer", "p1", "--json")[1])["context"]["person"] == "p1"
    assert read == ["p:p1"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--customer", "nobody@example.com"], 1, "found nobody. Identifiers are looked up by email;"),
        (["--customer", ""], 1, "found nobody."),
        (["--customer", "both@example.com"], 1, "found 2 who share it. Ask for one of p1, p2;"),
        (["--customer", "p1", "--store", "graph"], 2, "profiles.stores: expected a store of profiles: main; found gr"),
    ],
)
def test_who_cannot_be_one_customer_is_told_plainly(ask, words, code, message):
    found, out, error = ask(*words)
    assert (found, out) == (code, "")
    assert message in error and len(error.splitlines()) == 1


def test_a_store_nobody_made_and_settings_without_profiles_are_told_plainly(ask, tmp_path):
    (tmp_path / "profiles.db").unlink()
    code, _, error = ask("--customer", "p1")
    assert code == 1 and "profiles.db" in error and "headrace run" in error
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    code, _, error = ask("--customer", "p1")
    assert code == 2 and "profiles: expected records about people; found nothing." in error and "profiles.md" in error
