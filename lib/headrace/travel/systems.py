"""The two systems beside the database: what a call centre and a feed of devices write down, and when."""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from headrace.travel.columns import Key, Row

TABLES = {"calls": "callers", "devices": "devices"}
"""By record, its table and its folder."""


class RecordKey(NamedTuple):
    """A record: its name in the settings, and its key as text."""

    record: str
    key: str


Groups = frozenset[frozenset[RecordKey]]
"""The records of each person."""


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody says on the phone."""

    who: str
    first: str
    family: str
    born: date | None = None
    email: str | None = None


@dataclass(slots=True)
class Systems:
    """Makes rows. Later rows have later times: these order the rows of each system."""

    rng: random.Random
    now: datetime
    numbers: dict[str, int] = field(default_factory=dict)

    def new(self, record: str) -> RecordKey:
        """A record's first key that is free."""
        return RecordKey(record, f"{record[0]}{self._next(record):03}")

    def phone(self) -> str:
        """A number nobody has yet, in one of two spellings."""
        number = f"{20_000_000 + 37 * self._next('phone')}"
        return self.rng.choice((f"+49 151 {number}", f"+49 (151) {number[:4]}-{number[4:]}"))

    def caller(self, record: RecordKey, one: Person, phone: str) -> Row:
        """A caller as the call centre writes them down now."""
        return {
            "caller_id": record.key,
            "first_name": one.first,
            "family_name": one.family,
            "born": one.born,
            "phone": phone,
            "email": one.email,
            **self._at("called_at"),
        }

    def device(self, record: RecordKey, customer: Key | None) -> Row:
        """A device, and whose account it was last seen with."""
        return {"device_id": record.key, "customer_id": customer[0] if customer else None, **self._at("seen_at")}

    def _at(self, name: str) -> Row:
        self.now += timedelta(seconds=self.rng.randint(1, 5))
        return {name: self.now, "changed_at": self.now, "op": "U"}

    def _next(self, what: str) -> int:
        self.numbers[what] = self.numbers.get(what, 0) + 1
        return self.numbers[what]


def as_groups(found: Iterable[tuple[str, str, str]]) -> Groups:
    """Records by person, from rows of record, key and person."""
    groups: dict[str, set[RecordKey]] = {}
    for record, key, person in found:
        groups.setdefault(person, set()).add(RecordKey(record, key))
    return frozenset(map(frozenset, groups.values()))


def as_line(row: Row) -> str:
    """A row as JSON; times as ISO 8601."""
    return json.dumps({name: _text(value) for name, value in row.items()}, ensure_ascii=False)


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
