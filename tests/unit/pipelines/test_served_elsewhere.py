"""Served rows in DynamoDB, as `headrace check`, `status` and look-ups open them from the settings. No Spark."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dynamodb_double import Tables
from headrace.config import Config
from headrace.errors import Fatal
from headrace.pipelines import check_serve
from headrace.pipelines.lake_ids import lake_id
from headrace.pipelines.serve_places import LAKE_ID
from headrace.pipelines.serve_status import serve_status
from headrace.pipelines.served_lookups import lookups
from headrace.pipelines.tables_view import LakeView
from headrace.ports import Projected
from headrace.served_rows import heartbeat, heartbeat_key, row, row_key
from headrace.stores import dynamodb_table, keyed, served
from headrace.stores.files import LakeFiles

NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    made = Tables()
    monkeypatch.setattr(dynamodb_table, "client", made.client)
    return made


def config(folder: Path, **store: Any) -> Config:
    feed = {"from": "files", "path": str(folder / "in"), "format": "json", "position": ["at"]}
    users = {"source": "feed", "key": ["id"], "serve": {"store": "live", "about": "A user.", "filters": ["name"]}}
    stores = {"live": {"store": "dynamodb", "table": "live", **store}}
    whole = {"lake": str(folder / "lake"), "sources": {"feed": feed}, "tables": {"users": users}}
    return Config.model_validate(whole | {"serve": {"stores": stores}})


def trial(settings: Config) -> Callable[[], str]:
    _, (name, asked) = check_serve.trials(settings)
    assert name == "serve: store live"
    return asked


def test_check_says_whether_the_table_is_there_or_will_be(tables: Tables, tmp_path: Path) -> None:
    will_be, by_hand = trial(config(tmp_path, create=True)), trial(config(tmp_path))
    assert will_be() == "dynamodb: not made yet; `headrace run apply_changes` makes it for users"
    with pytest.raises(Fatal, match=r"no such table.*create: true"):
        by_hand()
    settings = config(tmp_path, create=True)
    assert settings.serve is not None and tables.tables == {}
    store = served.rows(settings.serve.stores["live"])
    store.open(lake_id(LakeFiles(settings.lake), LAKE_ID))
    assert will_be() == by_hand() == "dynamodb: there, with users"


def test_check_tells_of_a_table_that_was_made_for_profiles(tables: Tables, tmp_path: Path) -> None:
    settings = config(tmp_path, create=True)
    assert settings.serve is not None
    keyed.rows(settings.serve.stores["live"]).open(lake_id(LakeFiles(settings.lake), LAKE_ID))
    with pytest.raises(Fatal, match="global indexes find0"):
        trial(settings)()


def test_what_is_published_is_looked_up_and_its_age_is_known(tables: Tables, tmp_path: Path) -> None:
    settings = config(tmp_path, create=True)
    assert settings.serve is not None
    store = served.rows(settings.serve.stores["live"])
    store.open("lake-1")
    filters = settings.served()["users"].types()
    body = row("users", '["1"]', {"id": 1, "name": "Ada"}, "pos-1", NOW, filters)
    beat = heartbeat("users", "pos-1", NOW)
    store.write(
        [Projected(row_key("users", '["1"]'), 1, False, body), Projected(heartbeat_key("users"), 2, False, beat)]
    )

    found = lookups(settings)
    assert found is not None
    answer = found.lookup("users", {"name": "ADA"}, now=NOW)
    assert [one.values for one in answer.rows] == [{"id": 1, "name": "Ada"}]
    assert (answer.stale, answer.age, answer.position) == (False, 0.0, "pos-1")
    status = serve_status(settings, LakeView(settings), NOW + timedelta(minutes=6))["users"]
    assert (status.age, status.stale, status.why) == (360.0, True, "")
    found.close()
