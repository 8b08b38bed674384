"""When `build_profiles` lets its stores forget deletes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from headrace.config_profiles import Profiles
from headrace.errors import Unreachable
from headrace.pipelines.profile_upkeep import ProfileUpkeep
from headrace.stores.files import LakeFiles

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STORES: dict[str, Any] = {
    "file": {"store": "sqlite", "path": "p.db", "keep_deleted": "10 days"},
    "graph": {"store": "neptune", "url": "wss://localhost:8182/gremlin", "keep_deleted": "90 days"},
    "table": {"store": "dynamodb", "table": "people"},
    "documents": {"store": "documentdb", "uri": "mongodb://localhost"},
}


class Forgetting:
    """Stands where a publisher does."""

    def __init__(self, name: str, asked: list[tuple[str, datetime]]) -> None:
        self.name, self._asked, self.away = name, asked, False

    def forget(self, before: datetime) -> int:
        self._asked.append((self.name, before))
        if self.away:
            raise Unreachable(expected="an answer", found="none", todo="Wait.", where=self.name)
        return 1


def upkeep(folder: Path, asked: list[tuple[str, datetime]]) -> tuple[ProfileUpkeep, list[Forgetting], list[Any]]:
    settings = Profiles.model_validate({
        "hash_key": "a secret of 16 or more", "stores": STORES, "identifiers": {"email": {"normalise": "email"}},
        "records": {"shop": {"table": "customers", "identifiers": {"email": "email"}}},
    })  # fmt: skip
    publishers, runs = [Forgetting(name, asked) for name in STORES], list[Any]()
    tables = SimpleNamespace(run=lambda now, tables: runs.append((now, tables)))
    made = ProfileUpkeep(tables, LakeFiles(str(folder)), settings, publishers)  # type: ignore[arg-type]
    return made, publishers, runs


def test_stores_that_keep_deletes_forever_forget_once_a_day(tmp_path: Path) -> None:
    asked: list[tuple[str, datetime]] = []
    job, _, runs = upkeep(tmp_path, asked)
    job.run(NOW, tables=1)
    job.run(NOW + DAY - timedelta(seconds=1))
    assert asked == [], "the first day nothing is a day old"
    assert runs == [(NOW, 1), (NOW + DAY - timedelta(seconds=1), None)]
    job.run(NOW + DAY)
    # No longer than Delta's log tells when a row was told; and stores with a time to live are left to it.
    assert asked == [("file", NOW - 9 * DAY), ("graph", NOW - 27 * DAY)]
    job.run(NOW + DAY + timedelta(hours=23))
    assert len(asked) == 2


def test_short_runs_do_it_too_and_a_store_that_is_away_keeps_no_other_from_it(tmp_path: Path) -> None:
    asked: list[tuple[str, datetime]] = []
    upkeep(tmp_path, asked)[0].run(NOW)
    job, publishers, _ = upkeep(tmp_path, asked)
    publishers[0].away = True
    job.run(NOW + 2 * DAY)
    assert [name for name, _ in asked] == ["file", "graph"]
    upkeep(tmp_path, asked)[0].run(NOW + 2 * DAY + timedelta(hours=1))
    assert len(asked) == 2
    upkeep(tmp_path, asked)[0].run(NOW + 3 * DAY)
    assert len(asked) == 4
