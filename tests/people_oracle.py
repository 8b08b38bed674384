"""What `build_profiles` must have made of the ordered tables, told plainly: people, profiles, what a store holds."""

import hashlib
import hmac
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headrace.identifiers.normalise import Value
from headrace.profiles.buckets import Event
from headrace.profiles.inputs import Inputs, RecordRow, RelatedRow, Statement
from headrace.profiles.links import Ref
from headrace.profiles.person_ids import own_id
from headrace.stores.delta_reader import DeltaReader
from headrace.tables import CHANGED_AT, POSITION
from headrace.testing.profile_oracle import profile_truth
from headrace.testing.profile_values import Refused
from people_world import HASH_KEY, KEYS, KINDS, PeopleWorld
from properties.test_identity import RULES, oracle

RECORDS = {"shop": "customers", "calls": "callers"}
MOST_PERSONS = 10
LONGEST = 1_000
JUNK = ("unknown", "n/a", "-1", "true")
"""Those of the built-in list that tests use."""


def hashed(kind: str, text: str) -> Value:
    """An identifier of `normalise: exact`."""
    told = hmac.new(HASH_KEY.encode(), f"{kind}\0{text}".encode(), hashlib.sha256)
    return Value(kind, told.hexdigest()[:32])


@dataclass
class Tables:
    """The rows there are, by key; and what the job says of people."""

    rows: dict[str, dict[str, dict[str, Any]]]
    people: dict[Ref, dict[str, Any]]
    aliases: dict[str, str | None]
    profiles: dict[str, dict[str, Any]]
    owners: dict[Value, set[str]] = field(default_factory=dict)
    """People by identifier, from the rows."""
    refused: set[Refused] = field(default_factory=set)
    """What no profile may hold."""


def read(world: PeopleWorld) -> Tables:
    """All tables of a lake."""
    lake = DeltaReader(world.settings["lake"])
    rows = {
        table: {json.dumps([row[key]]): row for row in lake.query(f"tables/{table}", "SELECT * FROM rows")}
        for table, key in KEYS.items()
    }
    people = {Ref(row["record"], row["key"]): row for row in lake.query("people", "SELECT * FROM rows")}
    aliases = {row["person"]: row["now"] for row in lake.query("aliases", "SELECT person, now FROM rows")}
    profiles = {row["person"]: row for row in lake.query("profiles", "SELECT * FROM rows")}
    assert len(people) == lake.count("people") and len(profiles) == lake.count("profiles")
    return Tables(rows, people, aliases, profiles)


def check(world: PeopleWorld) -> Tables:
    """Compare everything: people, aliases, profiles, the store. Raises AssertionError."""
    now, tables = datetime.now(UTC), read(world)
    living = {ref: row["person"] for ref, row in tables.people.items() if not row["deleted"]}
    _check_people(world, tables, living)
    for ref, person in living.items():
        for value in _values(tables.rows[RECORDS[ref.record]][ref.key]):
            tables.owners.setdefault(value, set()).add(person)
    _check_profiles(world, tables, living, now)
    _check_store(world.folder / "profiles.db", tables, set(living.values()))
    return tables


def _check_people(world: PeopleWorld, tables: Tables, living: dict[Ref, str]) -> None:
    told = {Ref(record, key) for record, table in RECORDS.items() for key in tables.rows[table]}
    assert living.keys() == told
    values = {ref: _values(tables.rows[RECORDS[ref.record]][ref.key]) for ref in told}
    for ref in told:
        kept = {Value(one["kind"], one["hash"]) for one in tables.people[ref]["identifiers"]}
        assert kept == set(values[ref]), ref
    own = {ref: tables.people[ref]["own"] for ref in told}
    found: dict[str, set[Ref]] = defaultdict(set)
    for ref, person in living.items():
        found[person].add(ref)
    assert {frozenset(refs) for refs in found.values()} == oracle(values, own)
    gone = {Ref(record, json.dumps([key])) for record, table in RECORDS.items()
            for name, key in world.deleted if name == table}  # fmt: skip
    bereaved = {_family(ref) for ref in gone}
    for person, refs in found.items():
        assert person <= min(own[ref] for ref in refs)
        # An id may outlive its record. Where none was ever deleted, it is the oldest one's.
        if _family(min(refs)) not in bereaved:
            assert person == min(own[ref] for ref in refs)
    for ref in told - gone:
        row = tables.rows[RECORDS[ref.record]][ref.key]
        assert own[ref] == own_id(HASH_KEY.encode(), ref.record, ref.key, row["joined_at"] or row[CHANGED_AT])
    assert not tables.aliases.keys() & found.keys()
    assert {now for now in tables.aliases.values() if now} <= found.keys()
    ever = {row["person"] for row in tables.people.values()} | tables.profiles.keys()
    assert ever <= found.keys() | tables.aliases.keys()


def _check_profiles(world: PeopleWorld, tables: Tables, living: dict[Ref, str], now: datetime) -> None:
    settings = world.config.profiles
    assert settings
    held = {person: row for person, row in tables.profiles.items() if not row["deleted"]}
    assert held.keys() == set(living.values())
    inputs, events = _inputs(tables, living)
    for person, row in held.items():
        document, refused = profile_truth(settings, inputs[person], {"clicks": events[person]}, now)
        told = json.loads(row["body"])
        assert told["kind"] == "profile" and told["person"] == person
        told["profile"].pop("built_at")
        assert told["profile"] == document, person
        tables.refused |= refused


def _inputs(tables: Tables, living: dict[Ref, str]) -> tuple[dict[str, Inputs], dict[str, list[Event]]]:
    """What makes each profile."""
    records, related = defaultdict[str, list[RecordRow]](list), defaultdict[str, list[RelatedRow]](list)
    said, events = defaultdict[str, list[Statement]](list), defaultdict[str, list[Event]](list)
    for ref, person in living.items():
        row = tables.rows[RECORDS[ref.record]][ref.key]
        fields = {name: row[name] for name in ("name", "city" if ref.record == "shop" else "phone")}
        own = tables.people[ref]["own"]
        records[person].append(RecordRow(ref.record, ref.key, own, row[POSITION], row[CHANGED_AT], fields))
    for key, row in tables.rows["bookings"].items():
        shown = {"booking_id": row["booking_id"], "price": row["price"]}
        one = RelatedRow("bookings", "bookings", key, row[POSITION], row[CHANGED_AT], shown)
        related[_owner(row["customer_id"], "shop", living)].append(one)
    for key, row in tables.rows["consents"].items():
        at = datetime.fromisoformat(row["given_at"])
        place = ("consents", key, row[POSITION], row[CHANGED_AT])
        statement = Statement(*place, row["purpose"], row["granted"], None, at, None)
        said[_owner(row["customer_id"], "shop", living)].append(statement)
    for key, row in tables.rows["clicks"].items():
        if row["time"] is not None:
            event = Event(key, row["time"], {"spent": row["amount"]}, {"pages": row["page"]}, {"page": row["page"]})
            events[_clicked(row, tables, living)].append(event)
    return {one: Inputs(one, records[one], related[one], said[one]) for one in records}, events


def _owner(key: str | None, record: str, living: dict[Ref, str]) -> str:
    return living.get(Ref(record, json.dumps([key])), "")


def _clicked(row: dict[str, Any], tables: Tables, living: dict[Ref, str]) -> str:
    if row["caller_id"] is not None:
        return _owner(row["caller_id"], "calls", living)
    having = tables.owners.get(hashed("device", row["device"] or ""), set())
    return min(having) if len(having) == 1 else ""


def _check_store(path: Path, tables: Tables, living: set[str]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("select key, deleted, body from rows").fetchall()
    held = {key: (deleted, body) for key, deleted, body in rows}
    wanted = {f"p:{person}": json.loads(tables.profiles[person]["body"]) for person in living}
    wanted |= {f"p:{old}": {"kind": "alias", "person": now} for old, now in tables.aliases.items() if now}
    wanted |= {
        f"i:{value.kind}:{value.hash}": {"kind": "identifier", "persons": sorted(persons)}
        for value, persons in tables.owners.items()
        if RULES.links(value) and len(persons) <= MOST_PERSONS
    }
    assert {key: json.loads(body) for key, (deleted, body) in held.items() if not deleted} == wanted
    assert {body for deleted, body in held.values() if deleted} <= {None}


def _values(row: dict[str, Any]) -> tuple[Value, ...]:
    said = {kind: row[kind] for kind in KINDS if row[kind] and row[kind].strip() not in JUNK}
    return tuple(hashed(kind, text) for kind, text in said.items() if len(text) <= LONGEST)


def _family(ref: Ref) -> str:
    return str(json.loads(ref.key)[0]).partition("-")[0]
