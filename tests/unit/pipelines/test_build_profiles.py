"""The job `build_profiles` from ordered tables to a store."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.config_keyed_stores import SqliteRows
from headrace.identifiers.normalise import normaliser
from headrace.pipelines import apply_changes, build_profiles
from headrace.stores import keyed

TABLES = {
    "customers": ["customer_id"],
    "callers": ["caller_id"],
    "devices": ["device_id"],
    "bookings": ["booking_id"],
    "consents": ["consent_id"],
    "clicks": ["click_id"],
}


def settings(folder: Path) -> dict[str, Any]:
    source = {"from": "files", "format": "json", "position": ["v"], "operation": {"column": "op", "delete": ["D"]}}
    return {
        "lake": str(folder / "lake"),
        "sources": {
            name: {**source, "path": str(folder / "in" / name), "changed_at": "at"} for name in TABLES
        },
        "tables": {name: {"source": name, "key": key, "drop": ["op"], "types": {"phone": "string"} if name == "customers" else {}} for name, key in TABLES.items()},
        "profiles": {
            "rules": "standard",
            "hash_key": "a secret of 16 or more",
            "records": {
                "shop": {
                    "table": "customers",
                    "since": "joined_at",
                    "identifiers": {
                        "email": "email", "phone": "phone", "born": "born", "given_name": "split(name, ' ')[0]",
                        "family_name": "split(name, ' ')[1]", "customer_id": "customer_id",
                    },
                    "fields": {"name": "name", "email": "email"},
                },
                "calls": {
                    "table": "callers",
                    "identifiers": {
                        "phone": "phone", "given_name": "given", "family_name": "family", "born": "born",
                    },
                    "fields": {"name": "concat(given, ' ', family)", "phone": "phone"},
                },
                "devices": {"table": "devices", "identifiers": {"customer_id": "customer_id"}},
            },
            "identifiers": {"customer_id": {"normalise": "exact"}, "phone": {
                "normalise": "phone", "region": "DE", "agree": ["given_name"], "unless": ["born"], "hub": 10}},
            "related": {"bookings": {"table": "bookings", "by": {"shop": "customer_id"}, "sort": ["-booking_id"],
                                     "columns": ["booking_id", "price"]}},
            "consent": {"table": "consents", "by": {"shop": "customer_id"}, "at": "given_at"},
            "behaviour": {"clicks": {"table": "clicks", "by": {"devices": "device_id"}, "at": "at",
                                     "top": {"cities": "city"}, "sums": {"spent": "amount"}}},
            "stores": {"main": {"store": "sqlite", "path": str(folder / "profiles.db")}},
        },
    }  # fmt: skip


class World:
    """Writes rows, runs both jobs, reads the store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings(folder)
        for name in TABLES:
            (folder / "in" / name).mkdir(parents=True)
        self._files = 0

    @property
    def config(self) -> Config:
        return Config.model_validate(self.settings)

    def tell(self, table: str, *rows: Mapping[str, Any]) -> None:
        self._files += 1
        at = f"2026-11-01T00:00:{self._files % 60:02}Z"
        lines = [json.dumps({"v": self._files, "at": at, "op": "U"} | dict(row)) for row in rows]
        (self.folder / "in" / table / f"{self._files:05}.jsonl").write_text("\n".join(lines) + "\n")

    def apply(self) -> None:
        apply_changes.run(self.config, once=True, stop=threading.Event())

    def build(self) -> None:
        build_profiles.run(self.config, once=True, stop=threading.Event())

    def run(self) -> None:
        self.apply()
        self.build()

    def read(self, *keys: str) -> dict[str, Mapping[str, Any]]:
        reader = keyed.reader(SqliteRows(path=str(self.folder / "profiles.db")))
        try:
            return {key: found.body for key, found in reader.read(keys).items()}
        finally:
            reader.close()

    def find(self, kind: str, text: str) -> list[str]:
        assert self.config.profiles
        hashing = normaliser(self.config.profiles)
        key = f"i:{kind}:{hashing.hashed(kind, hashing.plain(kind, text))}"
        return list(self.read(key).get(key, {"persons": []})["persons"])

    def profile(self, kind: str, text: str) -> dict[str, Any]:
        (person,) = self.find(kind, text)
        return dict(self.read(f"p:{person}")[f"p:{person}"]["profile"])


@pytest.fixture
def world(spark: SparkSession, tmp_path: Path) -> World:
    return World(tmp_path)


ANNA = {"customer_id": "17", "name": "Anna Berg", "email": "anna@example.com", "born": "1980-02-29",
        "joined_at": "2020-01-01T00:00:00Z"}  # fmt: skip


def test_records_become_people_and_profiles_follow_every_change(world: World) -> None:
    world.tell("customers", ANNA, {"customer_id": "18", "name": "Ben Sand", "email": "ben@example.com"})
    world.tell("callers", {"caller_id": "c1", "given": "Anna", "family": "Berg", "born": "1980-02-29",
                           "phone": "030 901820"})  # fmt: skip
    world.tell("devices", {"device_id": "d1", "customer_id": "17"})
    world.tell("bookings", {"booking_id": 1, "customer_id": "17", "price": 12.5},
               {"booking_id": 2, "customer_id": "18", "price": 99})  # fmt: skip
    world.run()
    anna = world.profile("email", "Anna@example.com")
    assert {one["record"] for one in anna["records"]} == {"shop", "calls", "devices"}
    assert anna["fields"]["phone"]["value"] == "030 901820"
    assert [row["booking_id"] for row in anna["related"]["bookings"]["rows"]] == [1]
    assert world.profile("phone", "+4930901820")["person"] == anna["person"]
    # A booking moves from one person to another; both profiles follow.
    world.tell("bookings", {"booking_id": 2, "customer_id": "17", "price": 99})
    world.tell("consents", {"consent_id": "1", "customer_id": "17", "purpose": "offers", "granted": True,
                            "given_at": "2026-01-01T00:00:00Z"})  # fmt: skip
    world.run()
    assert [row["booking_id"] for row in world.profile("email", "anna@example.com")["related"]["bookings"]["rows"]] == [
        2,
        1,
    ]
    assert world.profile("email", "ben@example.com")["related"]["bookings"]["rows"] == []
    assert world.profile("email", "anna@example.com")["consent"]["offers"]["granted"] is True
