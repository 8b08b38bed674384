"""What happens at the travel company, decided by one seed."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from headrace.travel.columns import Key, Row
from headrace.travel.database import Database
from headrace.travel.hotels import describe
from headrace.travel.words import AIRPORTS, AMENITIES, CITIES, COUNTRIES, FAMILIES, NAMES

SEASON = date(2027, 1, 1)


class Agency:
    """Runs the company for a while and leaves its `database` behind.

    Args:
        seed: the same seed gives the same history.
        began: when the log begins, UTC.
        steps: transactions after the first snapshot.
    """

    def __init__(
        self, seed: int = 7, *, began: datetime = datetime(2026, 3, 1, 6, tzinfo=UTC), steps: int = 1_000
    ) -> None:
        self._rng = random.Random(seed)
        # Of their own: the questions of tests/data/travel_questions.yaml ask for what these hotels say.
        self._hotel_rng = random.Random(f"hotels {seed}")
        self._gone: list[Row] = []
        self._numbers = {"customers": 1_000, "flights": 200, "bookings": 50_000, "hotels": 10}
        self.database = Database(began)
        self._open()
        self.database.snapshot()
        for step in range(steps):
            self.database.begin(timedelta(seconds=self._rng.randint(1, 6), microseconds=self._rng.randint(0, 999_999)))
            if step == steps * 2 // 5:
                self._new_season()
            else:
                self._one_transaction()

    def _open(self) -> None:
        database = self.database
        database.load("customers", [self._customer() for _ in range(140)])
        database.load("flights", [self._flight() for _ in range(60)])
        names = [(family, city) for family in FAMILIES for city in CITIES]
        database.load("hotels", [self._hotel(*name) for name in self._hotel_rng.sample(names, 40)])
        database.load("prices", [row for key in database.rows["hotels"] for row in self._prices(key)])
        database.load("bookings", [self._booking() for _ in range(160)])

    def _one_transaction(self) -> None:
        happenings: dict[Callable[[], None], int] = {
            self._book: 24,
            self._pay_or_cancel: 20,
            self._delay_or_cancel_flight: 10,
            self._change_price: 14,
            self._fill_hotel: 10,
            self._earn_points: 8,
            self._rebook: 5,
            self._forget_customer: 3,
            self._merge_customers: 3,
            self._new_customer: 3,
        }
        (happening,) = self._rng.choices(list(happenings), list(happenings.values()))
        happening()

    def _book(self) -> None:
        booking = self._booking()
        self.database.insert("bookings", booking)
        flight = self.database.rows["flights"][(booking["flight_id"],)]
        self.database.update("flights", (booking["flight_id"],), seats_left=_one_less(flight["seats_left"]))

    def _pay_or_cancel(self) -> None:
        key = self._any("bookings")
        booking = self.database.rows["bookings"][key]
        if booking["status"] == "held":
            self.database.update("bookings", key, status="paid")
        elif self._rng.random() < 0.5:
            self.database.update("bookings", key, status="cancelled", price=Decimal("0.00"))
        else:
            self._gone.append(dict(booking))
            self.database.delete("bookings", key)

    def _rebook(self) -> None:
        """A booking that was removed comes back under its old number."""
        if not self._gone:
            return self._book()
        booking = self._gone.pop(self._rng.randrange(len(self._gone)))
        customer, flight = self._any("customers")[0], self._any("flights")[0]
        self.database.insert(
            "bookings",
            booking | {"customer_id": customer, "flight_id": flight, "status": "held", "price": self._money(90, 900)},
        )

    def _delay_or_cancel_flight(self) -> None:
        key = self._any("flights")
        if self._rng.random() < 0.15:
            self.database.update("flights", key, status="cancelled", delay_minutes=None)
            for booking in self._bookings_with("flight_id", key[0]):
                self.database.update("bookings", booking, status="cancelled", price=Decimal("0.00"))
        else:
            minutes = self._rng.choice((None, 10, 25, 50, 120, 240))
            self.database.update("flights", key, status="delayed" if minutes else "on time", delay_minutes=minutes)

    def _change_price(self) -> None:
        self.database.update("prices", self._any("prices"), amount=self._money(40, 400))
        if self._rng.random() < 0.05:
            self.database.delete("prices", self._any("prices"))

    def _fill_hotel(self) -> None:
        """Mostly a new count of rooms, which leaves the large description out of the log; sometimes a new text."""
        key = self._any("hotels")
        if self._rng.random() < 0.2:
            hotel = self.database.rows["hotels"][key]
            text = describe(self._hotel_rng, str(hotel["name"]), str(hotel["city"]))
            self.database.update("hotels", key, description=text)
        else:
            self.database.update("hotels", key, rooms_left=self._rng.randint(0, 90), rating=self._rating())

    def _earn_points(self) -> None:
        key = self._any("customers")
        points = self._rng.choice((None, self._rng.randint(0, 90_000)))
        self.database.update("customers", key, points=points, vip=points is not None and points > 60_000)

    def _new_customer(self) -> None:
        self.database.insert("customers", self._customer())

    def _forget_customer(self) -> None:
        key = self._any("customers")
        for booking in self._bookings_with("customer_id", key[0]):
            self.database.delete("bookings", booking)
        self.database.delete("customers", key)

    def _merge_customers(self) -> None:
        """Two accounts of one person: one is deleted, the other gets a new number, the bookings follow."""
        kept, other = self._rng.sample(sorted(self.database.rows["customers"]), 2)
        number = self._next("customers")
        for old in (kept[0], other[0]):
            for booking in self._bookings_with("customer_id", old):
                self.database.update("bookings", booking, customer_id=number)
        self.database.delete("customers", other)
        self.database.change_key("customers", kept, (number,))

    def _new_season(self) -> None:
        """All prices go at once, and the hotels set new ones."""
        self.database.truncate("prices")
        for key in self.database.rows["hotels"]:
            for row in self._prices(key):
                self.database.insert("prices", row)

    def _customer(self) -> Row:
        first, family, number = self._rng.choice(NAMES), self._rng.choice(FAMILIES), self._next("customers")
        return {
            "customer_id": number,
            "name": f"{first} {family}",
            "email": self._rng.choice((None, f"customer{number}@example.com", f"customer{number}@example.com")),
            "country": self._rng.choice(COUNTRIES),
            "born": date(1940, 1, 1) + timedelta(days=self._rng.randint(0, 24_000)),
            "vip": self._rng.random() < 0.1,
            "points": self._rng.randint(0, 60_000),
            "joined_at": self.database.now - timedelta(days=self._rng.randint(1, 3_000)),
        }

    def _flight(self) -> Row:
        origin, destination = self._rng.sample(AIRPORTS, 2)
        number = self._next("flights")
        return {
            "flight_id": number,
            "number": f"HR {number}",
            "origin": origin,
            "destination": destination,
            "departs_at": self.database.now + timedelta(minutes=self._rng.randint(60, 20_000)),
            "status": "on time",
            "delay_minutes": None,
            "seats_left": self._rng.randint(20, 220),
        }

    def _hotel(self, family: str, city: str) -> Row:
        name = f"{family} {city}"
        return {
            "hotel_id": self._next("hotels"),
            "name": name,
            "city": city,
            "rating": self._rating(),
            "rooms_left": self._rng.randint(0, 90),
            "amenities": self._rng.choice((None, list(self._rng.sample(AMENITIES, self._rng.randint(0, 4))))),
            "description": describe(self._hotel_rng, name, city),
        }

    def _booking(self) -> Row:
        hotel = self._rng.choice((None, self._any("hotels")[0]))
        return {
            "booking_id": self._next("bookings"),
            "customer_id": self._any("customers")[0],
            "flight_id": self._any("flights")[0],
            "hotel_id": hotel,
            "nights": None if hotel is None else self._rng.randint(1, 14),
            "status": self._rng.choice(("held", "held", "paid")),
            "price": self._money(90, 1_900),
            "booked_at": self.database.now,
        }

    def _prices(self, hotel: Key) -> list[Row]:
        return [
            {
                "hotel_id": hotel[0],
                "night": SEASON + timedelta(days=night),
                "amount": self._money(40, 400),
                "currency": self._rng.choice(("EUR", "GBP", None)),
            }
            for night in range(6)
        ]

    def _rating(self) -> float:
        return round(self._rng.uniform(1, 5), 3)

    def _money(self, low: int, high: int) -> Decimal:
        return Decimal(self._rng.randint(low * 100, high * 100)).scaleb(-2)

    def _next(self, table: str) -> int:
        self._numbers[table] += 1
        return self._numbers[table]

    def _any(self, table: str) -> Key:
        return self._rng.choice(list(self.database.rows[table]))

    def _bookings_with(self, column: str, value: object) -> list[Key]:
        return [key for key, row in self.database.rows["bookings"].items() if row[column] == value]


def _one_less(value: object) -> int:
    return value - 1 if isinstance(value, int) else 0
