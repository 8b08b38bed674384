"""The five tables and their columns, with PostgreSQL types."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Value = int | float | bool | str | Decimal | date | datetime | list[str] | None
Row = dict[str, Value]
Key = tuple[Value, ...]
Kind = Literal["smallint", "integer", "bigint", "double", "boolean", "text", "text[]", "date", "timestamp",
               "timestamptz", "numeric(10,2)"]  # fmt: skip

TOAST_BYTES = 2_000
"""PostgreSQL moves values above about 2 kB out of the row; the log leaves them out of an update that kept them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `optional` means the database allows NULL."""

    name: str
    kind: Kind
    optional: bool = True


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table of the source: its columns in order and the names of its primary key."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def key_of(self, row: Row) -> Key:
        """The primary key's values of a row."""
        return tuple(row[name] for name in self.key)


SHAPES = {
    shape.name: shape
    for shape in (
        TableShape(
            "customers",
            ("customer_id",),
            (
                Column("customer_id", "bigint", optional=False),
                Column("name", "text", optional=False),
                Column("email", "text"),
                Column("country", "text"),
                Column("born", "date"),
                Column("vip", "boolean", optional=False),
                Column("points", "integer"),
                Column("joined_at", "timestamptz"),
            ),
        ),
        TableShape(
            "flights",
            ("flight_id",),
            (
                Column("flight_id", "bigint", optional=False),
                Column("number", "text", optional=False),
                Column("origin", "text", optional=False),
                Column("destination", "text", optional=False),
                Column("departs_at", "timestamp"),
                Column("status", "text", optional=False),
                Column("delay_minutes", "integer"),
                Column("seats_left", "smallint"),
            ),
        ),
        TableShape(
            "bookings",
            ("booking_id",),
            (
                Column("booking_id", "bigint", optional=False),
                Column("customer_id", "bigint", optional=False),
                Column("flight_id", "bigint"),
                Column("hotel_id", "integer"),
                Column("nights", "smallint"),
                Column("status", "text", optional=False),
                Column("price", "numeric(10,2)"),
                Column("booked_at", "timestamptz"),
            ),
        ),
        TableShape(
            "hotels",
            ("hotel_id",),
            (
                Column("hotel_id", "integer", optional=False),
                Column("name", "text", optional=False),
                Column("city", "text", optional=False),
                Column("rating", "double"),
                Column("rooms_left", "integer"),
                Column("amenities", "text[]"),
                Column("description", "text"),
            ),
        ),
        TableShape(
            "prices",
            ("hotel_id", "night"),
            (
                Column("hotel_id", "integer", optional=False),
                Column("night", "date", optional=False),
                Column("amount", "numeric(10,2)"),
                Column("currency", "text"),
            ),
        ),
    )
}
