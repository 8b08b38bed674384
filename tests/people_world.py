"""Records about people that change all the time: linked, corrected, deleted, late and doubled; with all they hold."""

import json
import random
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headrace.config import Config

KEYS = {"customers": "customer_id", "callers": "caller_id", "bookings": "booking_id", "consents": "consent_id",
        "clicks": "click_id"}  # fmt: skip
KINDS = ("email", "phone", "device", "mail", "name", "born")
HASH_KEY = "a secret of 16 or more"
BEGAN = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=20)
"""Events lie in the hours after: however long a test takes, all are in the window of a day."""


def settings(folder: Path) -> dict[str, Any]:
    """The rules are those of `properties.test_identity`, whose oracle tells who is one person."""
    identified = {kind: kind for kind in KINDS}
    kinds: dict[str, dict[str, Any]] = {
        "email": {"priority": 60}, "phone": {"priority": 40, "limit": 2},
        "device": {"priority": 40, "hub": 2, "unless": ["born"]}, "mail": {"priority": 50, "agree": ["name"]},
        "name": {"links": False}, "born": {"links": False, "unique": True},
    }  # fmt: skip
    text = dict.fromkeys([*KINDS, "city"], "string") | {"joined_at": "timestamp"}
    clicks = {"time": "timestamp", "caller_id": "string", "device": "string"}
    types = {"customers": text, "callers": text, "clicks": clicks}
    return {
        "lake": str(folder / "lake"),
        "sources": {"feed": {"from": "files", "path": str(folder / "in"), "format": "debezium"}},
        "tables": {
            name: {"source": "feed", "source_table": f"public.{name}", "key": [key], "types": types.get(name, {})}
            for name, key in KEYS.items()
        },
        "apply": {"trigger": "1s"},
        "profiles": {
            "hash_key": HASH_KEY, "hub": 3, "largest": 4, "trigger": "1s", "windows": ["24h", "7d"],
            "identifiers": {kind: {"normalise": "exact", **kinds[kind]} for kind in KINDS},
            "records": {
                "shop": {"table": "customers", "since": "joined_at", "identifiers": identified,
                         "fields": {"name": "name", "city": "city"}},
                "calls": {"table": "callers", "since": "joined_at", "identifiers": identified,
                          "fields": {"name": "name", "phone": "phone"}},
            },
            "fields": {"name": {"choose": "source", "order": ["shop"]}},
            "related": {"bookings": {"table": "bookings", "by": {"shop": "customer_id"}, "sort": ["-booking_id"],
                                     "columns": ["booking_id", "price"], "most": 3}},
            "consent": {"table": "consents", "by": {"shop": "customer_id"}, "at": "given_at"},
            "behaviour": {"clicks": {"table": "clicks", "by": {"calls": "caller_id", "device": "device"}, "at": "time",
                                     "sums": {"spent": "amount"}, "top": {"pages": "page"}, "last": ["page"]}},
            "stores": {"main": {"store": "sqlite", "path": str(folder / "profiles.db")}},
        },
    }  # fmt: skip


Change = dict[str, Any]
"""An event of Debezium."""


class PeopleWorld:
    """Tells of changes in files.

    Attributes:
        corrections: how often identifiers of a record that was there have been changed.
        deleted: records that were ever taken back.
    """

    def __init__(self, folder: Path, seed: int, families: int = 12) -> None:
        self.folder, self.settings, self._families = folder, settings(folder), families
        (folder / "in").mkdir(parents=True)
        self._random, self._version, self._files = random.Random(seed), 0, 0
        self._rows: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._before: list[tuple[str, str, dict[str, Any] | None]] = []
        self._late: list[Change] = []
        self._told: deque[Change] = deque(maxlen=50)
        self.corrections, self.deleted = 0, set[tuple[str, str]]()

    @property
    def config(self) -> Config:
        """The settings."""
        return Config.model_validate(self.settings)

    def records(self, count: int) -> list[Change]:
        """Changes of records: new ones, corrections, and some that are taken back."""
        return [self._record() for _ in range(count)]

    def belongings(self, count: int) -> list[Change]:
        """Changes of bookings, consents and events; they move from one owner to another too."""
        return [self._belonging() for _ in range(count)]

    def back(self, share: float) -> list[Change]:
        """Rows changed since the last call of `begin` become what they were; others are changed once more."""
        changes = []
        for table, key, before in self._before[:]:
            if self._random.random() < share:
                changes.append(self.change(table, key, before))
            elif table in ("customers", "callers"):
                changes.append(self._record(table, key))
        return changes

    def begin(self) -> None:
        """From here on `back` remembers."""
        self._before.clear()

    def write(self, changes: Iterable[Change], late: float = 0.0, doubled: float = 0.0) -> None:
        """Files of these changes, in random order: some come with a later call, some twice."""
        now = self._late
        self._late = []
        for change in changes:
            (self._late if self._random.random() < late else now).append(change)
            self._told.append(change)
        now += [each for each in self._told if self._random.random() < doubled]
        self._random.shuffle(now)
        self._files += 1
        unfinished = self.folder / "unfinished"
        unfinished.write_text("".join(json.dumps(change) + "\n" for change in now))
        unfinished.rename(self.folder / "in" / f"{self._files:05}.jsonl")

    def change(self, table: str, key: str, row: dict[str, Any] | None) -> Change:
        """A row becomes this, or nothing."""
        self._version += 1
        self._before.append((table, key, self._rows.get((table, key))))
        self._rows[table, key] = row
        if row is None:
            self.deleted.add((table, key))
        at = round(BEGAN.timestamp() + self._version) * 1_000_000
        place = {"connector": "postgresql", "schema": "public", "table": table, "lsn": self._version, "ts_us": at}
        identity = {KEYS[table]: key}
        if row is None:
            return {"op": "d", "before": identity, "after": None, "source": place}
        return {"op": "u", "before": None, "after": identity | row, "source": place}

    def _record(self, table: str = "", key: str = "") -> Change:
        rng = self._random
        table = table or rng.choice(("customers", "callers"))
        key = key or f"{rng.randrange(self._families)}-{rng.randrange(4)}"
        family = key.partition("-")[0]
        held = self._rows.get((table, key))
        if held and rng.random() < 0.15:
            return self.change(table, key, None)
        self.corrections += held is not None
        some = {kind: f"{kind} {family}{rng.choice('abc')}" for kind in rng.sample(KINDS, rng.randint(1, 4))}
        joined = BEGAN - timedelta(days=random.Random(f"{table}{key}").randrange(5000))
        row = {kind: some.get(kind) for kind in KINDS}
        return self.change(table, key, row | {"city": rng.choice("ABC"), "joined_at": joined.isoformat()})

    def _belonging(self) -> Change:
        rng = self._random
        table, key = rng.choice(("bookings", "consents", "clicks")), str(rng.randrange(60))
        if self._rows.get((table, key)) and rng.random() < 0.2:
            return self.change(table, key, None)
        family = rng.randrange(self._families)
        owner = f"{family}-{rng.randrange(4)}"
        at = (BEGAN + timedelta(hours=rng.randrange(15), minutes=rng.randrange(60))).isoformat()
        row: dict[str, Any] = {
            "bookings": {"customer_id": owner, "price": rng.randrange(900)},
            "consents": {"customer_id": owner, "purpose": rng.choice(("offers", "calls")), "given_at": at,
                         "granted": rng.random() < 0.5},
            "clicks": {"caller_id": owner if rng.random() < 0.5 else None,
                       "device": f"device {family}{rng.choice('abc')}",
                       "time": at, "amount": rng.randrange(90), "page": rng.choice("XYZ")},
        }[table]  # fmt: skip
        return self.change(table, key, row)
