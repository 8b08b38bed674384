"""For `04_people`: three systems' rows about the same people taken in, act by act, and who they were found to be."""

import json
import random
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from headrace.config import Config
from headrace.context.profile_text import render
from headrace.notebooks.people_found import ending
from headrace.notebooks.place import Place, run_once
from headrace.pipelines import apply_changes, build_profiles, demo, demo_people
from headrace.pipelines.people_lookup import lookup
from headrace.travel.agency import Agency
from headrace.travel.channel import deliver, write_wave, write_whole
from headrace.travel.people import ACTS, People
from headrace.travel.systems import TABLES

DATABASE = ("customers", "bookings")
PURPOSES = ("calls", "offers")
CONSENTS = "consents"
_IN = "people"
_FEED = {
    "from": "files", "path": f"./{_IN}/{CONSENTS}", "format": "json", "position": ["at"], "changed_at": "at",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """The story and its lake.

    Attributes:
        asker: a customer with trips and a phone number, in whose records nothing is wrong.
        acts: of each act that was played, by address, the person, how many records, and the text for a prompt.
    """

    place: Place
    config: Config
    agency: Agency
    people: People
    asker: int
    acts: list[dict[str, Any]] = field(default_factory=list)


def settings_text() -> str:
    """The demo's settings with consent: the number is shown for calls only, the bookings for offers only."""
    shape = yaml.safe_load(demo.settings_text())
    kept = (*DATABASE, *TABLES.values())
    tables = {name: table for name, table in shape["tables"].items() if name in kept}
    tables["bookings"].pop("history")
    tables[CONSENTS] = {"source": CONSENTS, "key": ["consent_id"], "types": {"customer_id": "long"}}
    profiles = shape["profiles"]
    profiles["fields"] |= {"phone": {"purpose": "calls"}}
    profiles["consent"] = {"table": CONSENTS, "by": {"shop": "customer_id"}, "at": "given_at"}
    bookings = {"table": "bookings", "by": {"shop": "customer_id"}, "columns": ["status", "nights", "price"]}
    profiles["related"] = {"bookings": bookings | {"sort": ["-booking_id"], "most": 3, "purpose": "offers"}}
    sources = shape["sources"] | {CONSENTS: _FEED}
    whole = {"lake": shape["lake"], "sources": sources, "tables": tables, "profiles": profiles}
    return str(yaml.safe_dump(whole, sort_keys=False, width=110))


def begin(place: Place) -> Told:
    """Take in the travel company's customers and bookings; nobody else is known yet."""
    agency = Agency(demo.SEED, began=datetime.now(UTC) - timedelta(hours=2), steps=demo.STEPS)
    log = [event for event in agency.database.log if event.table in DATABASE]
    for number, wave in enumerate(deliver(log, random.Random(demo.SEED))):
        write_wave(wave, number, place.local / "in")
    people = People.of(agency.database, demo.SEED)
    told = Told(place, place.settings(settings_text()), agency, people, _asker(agency, people))
    _consent(told, "refused", granted=False)
    place.share("in")
    return told


def act(told: Told, number: int) -> int:
    """Let an act's rows arrive, run both jobs, and remember the profiles of those who are told of.

    Args:
        number: from 1. In the third the asker agrees to everything.

    Returns:
        How many rows arrived from the two other systems.
    """
    count = told.people.write(number - 1, told.place.local / _IN)
    if number == ACTS:
        _consent(told, "agreed", granted=True)
    for folder in (*TABLES.values(), CONSENTS):
        told.place.share(f"{_IN}/{folder}")
    run_once(apply_changes.run, _with_news(told, number))
    run_once(build_profiles.run, told.config)
    told.acts.append({address: prompt(told.config, address) for address in (*mixed(told), asker(told))})
    return count


def mixed(told: Told) -> tuple[str, str]:
    """The addresses of the two that a number typed wrong makes one, the older account's first."""
    one, other = (_address(told.agency, key[0]) for key in told.people.mixed)
    return one, other


def asker(told: Told) -> str:
    """The address of the one whose consent is told of."""
    return _address(told.agency, told.asker)


def over_time(told: Told, what: str) -> list[dict[str, Any]]:
    """By act, of the person that each of the two addresses leads to: `records` or `person`, as of `prompt`."""
    return [{address: shown[address][what] for address in mixed(told)} for shown in told.acts]


def prompt(config: Config, who: str) -> dict[str, Any]:
    """Of the one person that an address leads to: the id's end, how many records, the text for a prompt."""
    with closing(lookup(config)) as people:
        (found,) = people.having("email", who)
    text = render(found.document, now=datetime.now(UTC))
    return {"person": ending(found.person), "records": found.document["record_count"], "text": text}


def equals_truth(told: Told) -> bool:
    """Whether the people found are those of the story, after the acts that were played."""
    return demo_people.people_found(told.config) == told.people.truth(len(told.acts) - 1)


def _with_news(told: Told, number: int) -> Config:
    """The settings of what changes in an act after the first: the rest need not be looked at."""
    if number == 1:
        return told.config
    news = {TABLES[record] for record in TABLES if told.people.rows(number - 1, record)}
    tables = {name: table for name, table in told.config.tables.items() if name in news or name == CONSENTS}
    sources = {table.source: told.config.sources[table.source] for table in tables.values()}
    return told.config.model_copy(update={"tables": tables, "sources": sources})


def _asker(agency: Agency, people: People) -> int:
    """The customer with most trips of those who called, have an address, and whose records are in no trap."""
    trips = Counter(row["customer_id"] for row in agency.database.rows["bookings"].values())
    traps = {record for records in people.traps.values() for record in records}
    odd = {str(one.who) for one in people.told if one.record in traps}
    calls = {
        str(one.who) for one in people.told if one.act == 0 and one.record.record == "calls" and one.who not in odd
    }
    callers = (int(who.removeprefix("customer ")) for who in calls if who.startswith("customer "))
    return max((key for key in callers if _address(agency, key)), key=lambda key: (trips[key], key))


def _address(agency: Agency, customer: Any) -> str:
    return str(agency.database.rows["customers"][(customer,)]["email"] or "")


def _consent(told: Told, name: str, *, granted: bool) -> None:
    """Write what the asker says to each purpose into the feed of consents."""
    at = datetime.now(UTC).isoformat()
    rows = (
        {"consent_id": f"{purpose}-{name}", "customer_id": told.asker, "purpose": purpose, "granted": granted}
        | {"given_at": at, "at": at}
        for purpose in PURPOSES
    )
    folder = told.place.local / _IN / CONSENTS
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{name}.jsonl", map(json.dumps, rows))
