"""Tomorrow's flight is cancelled at the source, and the news of it travels badly."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from headrace.travel.channel import Delivery
from headrace.travel.columns import Key, Row
from headrace.travel.database import Database, Event
from headrace.travel.debezium import lines

AHEAD = timedelta(hours=24)
WAVE = 3
"""After the three that tell of everything before."""
OTHERS = 12
"""Changes of other rows that come about later and arrive before."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What the log holds of it.

    Attributes:
        delayed: an earlier change of the flight, which says that it is late.
        cancelled: the flight and its bookings.
        others: what happened after, elsewhere.
    """

    delayed: Event
    cancelled: tuple[Event, ...]
    others: tuple[Event, ...]

    def arrivals(self) -> list[Delivery]:
        """As they arrive: first what is newer, then the cancellation, then it once more, the delay last."""
        return [
            *_sent(self.others, late=False),
            *_sent(self.cancelled, late=True),
            *_sent(self.cancelled, late=True, copy=True),
            *_sent([self.delayed], late=True),
        ]


def next_flight(database: Database) -> Row:
    """A flight that is on time and that somebody has paid for: the one that leaves nearest to this time tomorrow.

    By the database's clock: how long it took to get here decides nothing.
    """
    paid = {row["flight_id"] for row in database.rows["bookings"].values() if row["status"] == "paid"}
    rows = database.rows["flights"].values()

    def away(row: Row) -> timedelta:
        departs = row["departs_at"]
        assert isinstance(departs, datetime)
        return abs(departs - database.now - AHEAD)

    return min((row for row in rows if row["status"] == "on time" and row["flight_id"] in paid), key=away)


def cancel(database: Database, flight: Key, seed: int = 7) -> Cancellation:
    """Delay the flight, cancel it and its bookings, and let some prices change after that."""
    rng = random.Random(f"cancellation {seed}")
    start = len(database.log)
    database.begin(timedelta(seconds=3))
    database.update("flights", flight, status="delayed", delay_minutes=25)
    middle = len(database.log)
    database.begin(timedelta(seconds=40))
    database.update("flights", flight, status="cancelled", delay_minutes=None)
    for key, row in database.rows["bookings"].items():
        if row["flight_id"] == flight[0] and row["status"] != "cancelled":
            database.update("bookings", key, status="cancelled", price=Decimal("0.00"))
    end = len(database.log)
    for key in rng.sample(sorted(database.rows["prices"]), OTHERS):
        database.begin(timedelta(seconds=2))
        database.update("prices", key, amount=Decimal(rng.randint(4_000, 40_000)).scaleb(-2))
    (delayed,) = database.log[start:middle]
    return Cancellation(delayed, tuple(database.log[middle:end]), tuple(database.log[end:]))


def _sent(events: Sequence[Event], late: bool, copy: bool = False) -> list[Delivery]:
    return [Delivery(event, line, WAVE, late, copy) for event in events for line in lines(event)]
