"""People from two more systems: a call centre and a feed of devices, with the traps that real people set.

The story is told in three acts. `People.truth` says which records are one person after each, as the story has it: no
identity code is asked. In the second act one mistake stands, and the truth of that act has it; after the third there
is none left.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from headrace.travel.channel import write_whole
from headrace.travel.columns import Key, Row, Value
from headrace.travel.database import Database
from headrace.travel.systems import TABLES, Groups, Person, RecordKey, Systems, as_line
from headrace.travel.words import FAMILIES, NAMES

ACTS = 3
REGULARS, DEVICES = 24, 40
OWN_NUMBER = "+49 30 901820"
"""The call centre's own, which its software writes where a caller hides theirs."""
ON_OWN_NUMBER = 14
JUNK_NUMBER = "+49 30 0000000"


@dataclass(frozen=True, slots=True)
class Told:
    """One row that a system sends.

    Attributes:
        act: when it arrives, from 0.
        late: it is older than what arrived in an earlier act.
        who: the person whose it is as far as it says; None where it deletes the record.
    """

    act: int
    record: RecordKey
    row: Row
    who: str | None
    late: bool = False


class People:
    """What both systems send about the customers of the travel company, and about others.

    Args:
        customers: rows of the agency's database as they are now.
        trips: by customer, how many bookings; who has many is told of.
        now: the time of the first row.

    Attributes:
        told: all rows in the order of arrival.
        traps: which records are whose trap: `family`, `recycled`, `twins`, `junk`, `own number`, `new name`,
            `wrong account`, `wrong birth date`, `wrong number`, `gone`.
        mixed: the customers that the wrong number makes one: the older account first.
    """

    def __init__(self, customers: Mapping[Key, Row], trips: Mapping[Value, int], now: datetime, seed: int = 7) -> None:
        self._rng = random.Random(f"people {seed}")
        self._customers, self._systems = customers, Systems(self._rng, now)
        self.told: list[Told] = []
        self.traps: dict[str, list[RecordKey]] = {}
        self.mixed = _same_first_name(customers, trips)
        left = [key for key in customers if key not in self.mixed]
        self._rng.shuffle(left)
        self._left = [self._customer(key) for key in left]
        self._joined: list[set[str]] = [set() for _ in range(ACTS)]
        self._open()
        for trap in (
            self._family, self._recycled, self._twins, self._junk, self._own_number, self._new_name,
            self._wrong_account, self._wrong_birth_date, self._wrong_number, self._gone,
        ):  # fmt: skip
            trap()
        self.told.sort(key=lambda one: (one.act, one.late))

    @classmethod
    def of(cls, database: Database, seed: int = 7) -> "People":
        """About the customers that a database holds now."""
        trips = Counter(row["customer_id"] for row in database.rows["bookings"].values())
        return cls(database.rows["customers"], trips, database.now, seed)

    @property
    def mixed_address(self) -> str:
        """The e-mail address of the younger of both accounts that the wrong number makes one."""
        return str(self._customers[self.mixed[1]]["email"])

    def rows(self, act: int, record: str) -> list[Row]:
        """What a system sends in one act."""
        return [one.row for one in self.told if one.act == act and one.record.record == record]

    def write(self, act: int, folder: Path) -> int:
        """Write an act's rows as JSON lines below `folder`, a folder for each system; how many there are."""
        for record, table in TABLES.items():
            (folder / table).mkdir(parents=True, exist_ok=True)
            if rows := self.rows(act, record):
                write_whole(folder / table / f"act-{act + 1}.jsonl", map(as_line, rows))
        return sum(len(self.rows(act, record)) for record in TABLES)

    def truth(self, act: int) -> Groups:
        """The records of each person when this act is over, customers without another record too."""
        whose: dict[RecordKey, str | None] = {
            RecordKey("shop", str(key[0])): f"customer {key[0]}" for key in self._customers
        }
        whose |= {one.record: one.who for one in self.told if one.act <= act and not one.late}
        joined = self._joined[act]
        groups: dict[str, set[RecordKey]] = {}
        for record, who in whose.items():
            if who is not None:
                groups.setdefault(min(joined) if who in joined else who, set()).add(record)
        return frozenset(map(frozenset, groups.values()))

    def _open(self) -> None:
        """Customers call and log in, and nothing is wrong."""
        for _ in range(REGULARS):
            self._calls(self._any())
        keys = self._rng.sample(sorted(self._customers), DEVICES)
        for key in [*keys, *keys[:5], *self.mixed]:
            self._logs_in(key)

    def _family(self) -> None:
        """One address for two people of one family."""
        one = next(each for each in self._left if each.email)
        self._left.remove(one)
        other = Person(f"family of {one.who}", self._other(one.first), one.family, _near(one.born, 700), one.email)
        self._trap("family", self._calls(one), self._calls(other))

    def _recycled(self) -> None:
        """A number is given away again, to somebody of the same first name."""
        one, phone = self._any(), self._systems.phone()
        other = Person(f"after {one.who}", one.first, self._other_family(one.family), _near(one.born, -4_000))
        self._trap("recycled", self._calls(one, phone), self._calls(other, phone))

    def _twins(self) -> None:
        """Two people with one family name, birth date and number."""
        one, phone = self._any(), self._systems.phone()
        other = Person(f"twin of {one.who}", self._other(one.first), one.family, one.born)
        self._trap("twins", self._calls(one, phone), self._calls(other, phone))

    def _junk(self) -> None:
        """A number that is none, from people of one first name."""
        first = self._rng.choice(NAMES)
        for family in self._rng.sample(FAMILIES, 4):
            self._trap("junk", self._calls(Person(f"junk {family}", first, family), JUNK_NUMBER))

    def _own_number(self) -> None:
        """The call centre's own number: half the callers are customers, the others share a first name."""
        first, families = self._rng.choice(NAMES), self._rng.sample(FAMILIES, ON_OWN_NUMBER // 2)
        people = [self._any() for _ in families] + [Person(f"hidden {family}", first, family) for family in families]
        self._trap("own number", *(self._calls(one, OWN_NUMBER) for one in people))

    def _new_name(self) -> None:
        """Somebody marries and calls again under another name."""
        one, phone = self._any(), self._systems.phone()
        renamed = Person(one.who, one.first, self._other_family(one.family), one.born)
        self._trap("new name", self._calls(one, phone), self._calls(renamed, phone, act=1))

    def _wrong_account(self) -> None:
        """A device logs in with a friend's account, and with the right one later."""
        one, friend = (self._any().who for _ in range(2))
        device = self._logs_in(_key(friend))
        self._trap("wrong account", device)
        self._tell(2, device, self._systems.device(device, _key(one)), one)

    def _wrong_birth_date(self) -> None:
        """A typing mistake hides who is calling until it is corrected; the mistake comes once more, late."""
        one, phone = self._any(), self._systems.phone()
        caller = self._systems.new("calls")
        wrong = self._systems.caller(caller, Person(one.who, one.first, one.family, _near(one.born, 9)), phone)
        self._tell(0, caller, wrong, f"caller {caller.key}")
        self._tell(1, caller, self._systems.caller(caller, one, phone), one.who)
        self._tell(2, caller, wrong, f"caller {caller.key}", late=True)
        self._trap("wrong birth date", caller)

    def _wrong_number(self) -> None:
        """A number typed wrong makes two customers of one first name one person, until it is corrected."""
        one, other = (self._customer(key) for key in self.mixed)
        theirs, phone = self._systems.phone(), self._systems.phone()
        first = self._calls(one, theirs)
        # Without a birth date nothing speaks against the number; the address says whose the record is.
        caller, said = self._systems.new("calls"), Person(other.who, other.first, other.family, None, other.email)
        wrong = self._systems.caller(caller, said, phone), self._systems.caller(caller, said, theirs)
        self._tell(0, caller, wrong[0], other.who)
        self._tell(1, caller, wrong[1], other.who)
        self._tell(2, caller, self._systems.caller(caller, said, phone), other.who)
        self._tell(2, caller, wrong[1], other.who, late=True)
        self._joined[1] |= {one.who, other.who}
        self._trap("wrong number", first, caller)

    def _gone(self) -> None:
        """A device is given back, and its record deleted."""
        device = self._logs_in(_key(self._any().who))
        self._tell(2, device, self._systems.device(device, None) | {"op": "D"}, None)
        self._trap("gone", device)

    def _trap(self, name: str, *records: RecordKey) -> None:
        self.traps.setdefault(name, []).extend(records)

    def _calls(self, one: Person, phone: str | None = None, act: int = 0) -> RecordKey:
        caller = self._systems.new("calls")
        self._tell(act, caller, self._systems.caller(caller, one, phone or self._systems.phone()), one.who)
        return caller

    def _logs_in(self, key: Key) -> RecordKey:
        device = self._systems.new("devices")
        self._tell(0, device, self._systems.device(device, key), f"customer {key[0]}")
        return device

    def _tell(self, act: int, record: RecordKey, row: Row, who: str | None, late: bool = False) -> None:
        self.told.append(Told(act, record, row, who, late))

    def _any(self) -> Person:
        return self._left.pop()

    def _customer(self, key: Key) -> Person:
        row = self._customers[key]
        first, _, family = str(row["name"]).partition(" ")
        born, email = row["born"], row["email"]
        return Person(
            f"customer {key[0]}", first, family, born if isinstance(born, date) else None, str(email) if email else None
        )

    def _other(self, first: str) -> str:
        return self._rng.choice([name for name in NAMES if name != first])

    def _other_family(self, family: str) -> str:
        return self._rng.choice([name for name in FAMILIES if name != family])


def _same_first_name(customers: Mapping[Key, Row], trips: Mapping[Value, int]) -> tuple[Key, Key]:
    """Two customers of one first name with an address each, and with more trips than other such pairs."""
    known: dict[str, list[Key]] = {}
    for key, row in customers.items():
        if row["email"] and trips.get(key[0]):
            known.setdefault(str(row["name"]).split()[0], []).append(key)
    pairs = [sorted(keys, key=lambda key: -trips[key[0]])[:2] for keys in known.values() if len(keys) > 1]
    best = max(pairs, key=lambda pair: min(trips[key[0]] for key in pair))
    first, second = sorted(best, key=lambda key: str(customers[key]["joined_at"]))
    return first, second


def _key(who: str) -> Key:
    return (int(who.removeprefix("customer ")),)


def _near(born: date | None, days: int) -> date | None:
    return born + timedelta(days=days) if born else None
