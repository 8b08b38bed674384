"""The job `build_profiles` from ordered tables to a store."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.config_keyed_stores import SqliteRows
from headrace.context.profile import Profiles
from headrace.errors import NotThere
from headrace.identifiers.normalise import Normaliser, normaliser
from headrace.pipelines import apply_changes, build_profiles
from headrace.pipelines.explain import explain
from headrace.pipelines.tables_view import LakeView
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
    # Every source is a stream of its own, with a start and a batch of its own.
    source = {"from": "files", "format": "json", "table": "table", "position": ["v"], "changed_at": "at",
              "operation": {"column": "op", "delete": ["D"]}, "path": str(folder / "in")}  # fmt: skip
    phone = {"normalise": "phone", "region": "DE", "agree": ["given_name"], "unless": ["born"], "hub": 10}
    shop = {"email": "email", "phone": "phone", "born": "born", "customer_id": "customer_id"}
    names = {"given_name": "split(name, ' ')[0]", "family_name": "split(name, ' ')[1]"}
    calls = {"phone": "phone", "given_name": "given", "family_name": "family", "born": "born"}
    return {
        "lake": str(folder / "lake"),
        "sources": {"feed": source},
        "tables": {
            name: {"source": "feed", "key": key, "drop": ["op", "table"], "types": TYPES.get(name, {})}
            for name, key in TABLES.items()
        },
        "profiles": {
            "rules": "standard",
            "hash_key": "a secret of 16 or more",
            "records": {
                "shop": {
                    "table": "customers", "since": "joined_at", "identifiers": shop | names,
                    "fields": {"name": "name", "email": "email"},
                },
                "calls": {
                    "table": "callers", "identifiers": calls,
                    "fields": {"name": "concat(given, ' ', family)", "phone": "phone"},
                },
                "devices": {"table": "devices", "identifiers": {"customer_id": "customer_id"}},
            },
            "identifiers": {"customer_id": {"normalise": "exact"}, "phone": phone},
            "related": {
                "bookings": {
                    "table": "bookings", "by": {"shop": "customer_id"}, "sort": ["-booking_id"],
                    "columns": ["booking_id", "price"],
                }
            },
            "consent": {"table": "consents", "by": {"shop": "customer_id"}, "at": "given_at"},
            "behaviour": {
                "clicks": {
                    "table": "clicks", "by": {"devices": "device_id"}, "at": "clicked_at", "top": {"cities": "city"},
                    "sums": {"spent": "amount"},
                }
            },
            "stores": {"main": {"store": "sqlite", "path": str(folder / "profiles.db")}},
        },
    }  # fmt: skip


TYPES = {
    "customers": {"phone": "string", "born": "date", "joined_at": "timestamp"},
    "clicks": {"clicked_at": "timestamp"},
}


class World:
    """Writes rows, runs both jobs, reads the store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings(folder)
        (folder / "in").mkdir(parents=True)
        self._files = 0

    @property
    def config(self) -> Config:
        return Config.model_validate(self.settings)

    def tell(self, table: str, *rows: Mapping[str, Any]) -> None:
        self._files += 1
        at = f"2026-11-01T00:00:{self._files % 60:02}Z"
        lines = [json.dumps({"v": self._files, "at": at, "op": "U", "table": table} | dict(row)) for row in rows]
        (self.folder / "in" / f"{self._files:05}.jsonl").write_text("\n".join(lines) + "\n")

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
        hashing = self.hashing
        key = f"i:{kind}:{hashing.hashed(kind, hashing.plain(kind, text))}"
        return list(self.read(key).get(key, {"persons": []})["persons"])

    @property
    def hashing(self) -> Normaliser:
        assert self.config.profiles
        return normaliser(self.config.profiles)

    def profile(self, kind: str, text: str) -> dict[str, Any]:
        (person,) = self.find(kind, text)
        return dict(self.read(f"p:{person}")[f"p:{person}"]["profile"])


@pytest.fixture
def world(spark: SparkSession, tmp_path: Path) -> World:
    return World(tmp_path)


ANNA = {"customer_id": "17", "name": "Anna Berg", "email": "anna@example.com", "born": "1980-02-29",
        "joined_at": "2020-01-01T00:00:00Z"}  # fmt: skip


def bookings(profile: Mapping[str, Any]) -> list[Any]:
    return [row["values"]["booking_id"] for row in profile["related"]["bookings"]["rows"]]


def told(world: World) -> list[str]:
    """What became of people, oldest first."""
    return [
        row["kind"]
        for row in LakeView(world.config).query("identity_events", "SELECT * FROM rows ORDER BY batch, event")
    ]


def test_records_become_people_and_profiles_follow_every_change(world: World) -> None:
    hour = datetime.now(UTC).replace(minute=1, second=0, microsecond=0)
    world.tell("customers", ANNA, {"customer_id": "18", "name": "Ben Sand", "email": "ben@example.com"})
    world.tell("callers", {"caller_id": "c1", "given": "Anna", "family": "Berg", "born": "1980-02-29",
                           "phone": "030 901820"})  # fmt: skip
    world.tell("devices", {"device_id": "d1", "customer_id": "17"})
    world.tell("bookings", {"booking_id": 1, "customer_id": "17", "price": 12.5},
               {"booking_id": 2, "customer_id": "18", "price": 99})  # fmt: skip
    click = {"device_id": "d1", "clicked_at": hour.isoformat()}
    world.tell("clicks", click | {"click_id": 1, "city": "Rome", "amount": 0.1},
               click | {"click_id": 2, "city": "Oslo", "amount": 0.2})  # fmt: skip
    world.run()
    anna = world.profile("email", "Anna@example.com")
    assert {one["record"] for one in anna["records"]} == {"shop", "calls", "devices"}
    assert anna["fields"]["phone"]["value"] == "030 901820"
    assert bookings(anna) == [1]
    assert anna["behaviour"]["clicks"]["windows"]["1h"]["count"] == 2
    assert anna["behaviour"]["clicks"]["windows"]["1h"]["sums"] == {"spent": "0.3"}
    assert world.profile("phone", "+4930901820")["person"] == anna["person"]
    assert told(world) == ["create", "create"]
    # A booking moves from one person to another, an event is taken back, a device is given away.
    world.tell("bookings", {"booking_id": 2, "customer_id": "17", "price": 99})
    world.tell("consents", {"consent_id": "1", "customer_id": "17", "purpose": "offers", "granted": True,
                            "given_at": "2026-01-01T00:00:00Z"})  # fmt: skip
    world.tell("clicks", {"click_id": 1, "op": "D"})
    world.run()
    anna, ben = world.profile("email", "anna@example.com"), world.profile("email", "ben@example.com")
    assert (bookings(anna), bookings(ben)) == ([2, 1], [])
    assert anna["consent"]["offers"]["granted"] is True
    assert anna["behaviour"]["clicks"]["windows"]["1h"]["sums"] == {"spent": "0.2"}
    world.tell("devices", {"device_id": "d1", "customer_id": "18"})
    world.run()
    anna, ben = world.profile("email", "anna@example.com"), world.profile("email", "ben@example.com")
    assert anna["behaviour"]["clicks"]["windows"]["1h"]["count"] == 0
    assert ben["behaviour"]["clicks"]["windows"]["1h"]["count"] == 1
    assert told(world) == ["create", "create", "split"]


def test_a_merge_and_its_correction(world: World) -> None:
    """Two accounts are one person until the wrong address of one is corrected."""
    world.tell("customers", ANNA, ANNA | {"customer_id": "19", "born": None, "email": "a.berg@example.com",
                                          "joined_at": "2021-01-01T00:00:00Z"})  # fmt: skip
    world.run()
    first, second = world.profile("email", "anna@example.com"), world.profile("email", "a.berg@example.com")
    assert first["person"] < second["person"]
    world.tell("customers", ANNA | {"customer_id": "19", "born": None, "joined_at": "2021-01-01T00:00:00Z"})
    world.run()
    one = world.profile("email", "anna@example.com")
    assert one["person"] == first["person"] and len(one["records"]) == 2
    # The address belongs to nobody any more; the id that is gone leads to the survivor.
    assert world.find("email", "a.berg@example.com") == []
    old = f"p:{second['person']}"
    assert world.read(old)[old] == {"kind": "alias", "person": first["person"]}
    lookup = Profiles(keyed.reader(SqliteRows(path=str(world.folder / "profiles.db"))), world.hashing, ["email"])
    assert lookup.of(second["person"]).person == first["person"]
    assert [found.person for found in lookup.find("Anna@example.com")] == [first["person"]]
    assert lookup.find("nobody@example.com") == []
    world.tell("customers", ANNA | {"customer_id": "19", "born": None, "email": "a.berg@example.com",
                                    "joined_at": "2021-01-01T00:00:00Z"})  # fmt: skip
    world.run()
    assert world.profile("email", "anna@example.com")["person"] == first["person"]
    assert world.profile("email", "a.berg@example.com")["person"] == second["person"]
    assert lookup.of(second["person"]).asked == ""
    lookup.close()
    assert told(world) == ["create", "create", "merge", "split"]
    (story,) = explain(world.config, "a.berg@example.com")
    assert story.person == second["person"]
    assert [one.kind for one in story.events] == ["create", "merge", "split"]
    assert story.records[0].known_by[1].shown == "a***@e***.com"
    world.tell("customers", {"customer_id": "19", "op": "D"})
    world.run()
    assert old not in world.read(old)
    assert explain(world.config, first["person"])[0].records[0].key == "17"
    with pytest.raises(NotThere, match="nobody"):
        explain(world.config, "a.berg@example.com")


def test_a_fill_in_spark_gives_what_the_driver_gives(world: World) -> None:
    world.tell("customers", *[
        {"customer_id": str(number), "name": f"{'Anna' if number % 3 else 'Ben'} Berg",
         "born": f"1980-01-{number % 5 + 1:02}",
         "email": f"mail{number // 4}@example.com", "phone": f"030 90182{number // 3:02}"}
        for number in range(40)
    ])  # fmt: skip
    world.run()
    tables = ("people", "identifiers", "profiles")
    view = LakeView(world.config)
    columns = "record, `key`, own, person, identifiers, deleted"
    sql = {"people": f"SELECT {columns} FROM rows", "identifiers": "SELECT kind, hash, record, `key` FROM rows",
           "profiles": "SELECT person, digest, deleted FROM rows"}  # fmt: skip
    driver = {name: sorted(map(repr, view.query(name, sql[name]))) for name in tables}
    assert len({row["person"] for row in view.query("people", "SELECT person FROM rows")}) < 40
    # Other settings make everything anew; so many links are put together in Spark.
    world.settings["profiles"] |= {"driver_links": 1, "hub": 49}
    world.run()
    view = LakeView(world.config)
    assert {name: sorted(map(repr, view.query(name, sql[name]))) for name in tables} == driver
    world.settings["profiles"] |= {"hub": 2}
    world.settings["profiles"]["identifiers"] |= {"email": {"normalise": "email", "hub": 2}}
    world.run()
    spark = {name: sorted(map(repr, LakeView(world.config).query(name, sql[name]))) for name in tables}
    assert spark != driver
    world.settings["profiles"] |= {"driver_links": 1_000_000, "max_field_bytes": 4095}
    world.run()
    assert {name: sorted(map(repr, LakeView(world.config).query(name, sql[name]))) for name in tables} == spark
