"""A lake that an earlier state of Headrace wrote goes on with today's code. The lakes: `scripts/old_lake.py`."""

import json
import tarfile
import threading
from pathlib import Path

import pytest

from headrace import config_file
from headrace.pipelines import apply_changes, index_knowledge
from headrace.pipelines.status import status
from headrace.pipelines.tables_view import LakeView, current_rows
from headrace.ports import Filters
from headrace.stores.delta_reader import ROWS
from headrace.stores.indexes import reader

pytestmark = pytest.mark.deep

LAKES = sorted((Path(__file__).parents[1] / "data" / "lakes").glob("*.tar.gz"))

USERS = [
    {"table": "users", "op": "u", "at": 8, "id": 1, "name": "Ada Lovelace", "seen": "2026-01-03T08:00:00Z", "score": 2},
    {"table": "users", "op": "u", "at": 4, "id": 2, "name": "Ben, late", "seen": None},
    {"table": "users", "op": "u", "at": 9, "id": 4, "name": "Joy", "seen": None},
    {"table": "users", "op": "d", "at": 9, "id": 3},
    {"table": "rooms", "op": "u", "at": 3, "hotel": "h1", "room no": 8, "price": 120},
]


@pytest.mark.parametrize("packed", LAKES, ids=lambda packed: packed.name.removesuffix(".tar.gz"))
def test_a_lake_of_an_earlier_state_goes_on(packed, spark, tmp_path):
    with tarfile.open(packed) as old:
        old.extractall(tmp_path, filter="data")
    folder = tmp_path / "old"
    config = config_file.load(folder / "headrace.yaml")
    embedded = len(LakeView(config).query("vectors", f"SELECT content_hash FROM {ROWS}"))
    (folder / "feed" / "2.json").write_text("".join(json.dumps(row) + "\n" for row in USERS))
    (folder / "pages" / "visa.md").write_text("# Visa\n\nBring a passport.\n\n## Fees\n\nSixty euro.\n")
    for job in (apply_changes, index_knowledge):
        assert job.run(config, once=True, stop=threading.Event()) == 0
    view = LakeView(config)
    users = {row["id"]: (row["name"], row["score"]) for row in current_rows(view, "users")}
    assert users == {1: ("Ada Lovelace", 2.0), 4: ("Joy", None)}
    rooms = {(row["hotel"], row["room no"]): str(row["price"]) for row in current_rows(view, "rooms")}
    assert rooms == {("h1", 7): "99.50", ("h1", 8): "120.00"}
    notes = {row["id"]: (row["title"], row["body"]) for row in current_rows(view, "notes")}
    assert notes == {1: ("Late arrival", "Arrive after ten and the desk is closed.")}
    history = view.query("history/users", f"SELECT id, name, _current FROM {ROWS}")
    assert sorted((row["id"], row["name"]) for row in history if row["_current"]) == [(1, "Ada Lovelace"), (4, "Joy")]
    names = {"Ada", "Ada L.", "Ada Lovelace", "Ben", "Ben, late", "Eve", "Eva", "Joy"}
    assert {row["name"] for row in history} == names, "a late change splits the interval it belongs to"
    found = status(config)
    # Its files lie in another folder now: they are read again, and refused or stale again.
    assert sorted((one["reason"], one["count"]) for one in found.rejects) == [
        ("incompatible value", 2), ("unknown table", 2)
    ]  # fmt: skip
    assert found.knowledge is not None
    assert all(index.compared is not None and index.compared.equal for index in found.knowledge.indexes)
    assert len(LakeView(config).query("vectors", f"SELECT content_hash FROM {ROWS}")) == embedded + 1
    search = reader(config.knowledge.indexes["search"])
    hits = search.by_words("passport euro bag desk nobody", Filters(), 20)
    search.close()
    assert {hit.body["text"] for hit in hits} == {
        "Bring a passport.", "Sixty euro.", "One cabin bag is free.", "Arrive after ten and the desk is closed."
    }  # fmt: skip
