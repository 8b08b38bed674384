"""Flights and rooms in a store of served rows, SQLite where not said, written as `apply_changes` does."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headrace.config_keyed_stores import KeyedStore, SqliteRows
from headrace.config_serve import ServedTable
from headrace.context.lookup import Lookups
from headrace.ports import Projected
from headrace.served_rows import heartbeat, heartbeat_key, row, row_key
from headrace.stores import served

NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TABLES = {
    "flights": ServedTable.model_validate(
        {
            "store": "live",
            "about": "A flight on one day, with its status.",
            "filters": {
                "number": {"about": "such as LH123", "in_question": "[A-Z]{2}[0-9]{1,4}"},
                "day": {"type": "date"},
                "seats": {"type": "integer"},
                "flight_id": {"type": "integer", "in_profile": "related.bookings.flight_id"},
                "status": {"values": ["SCHEDULED", "CANCELLED"]},
            },
            "most": 3,
        }
    ),
    "rooms": ServedTable.model_validate(
        {"store": "live", "about": "A room.", "filters": ["hotel"], "columns": ["price"], "most_bytes": 1_000}
    ),
}


class Served:
    """The store, filled."""

    def __init__(self, folder: Path, settings: KeyedStore | None = None) -> None:
        self.settings = settings or SqliteRows(path=str(folder / "live.db"))
        self.store = served.rows(self.settings)
        self.store.open("outbox-1")
        self.reader = served.row_reader(self.settings)
        self.lookups = Lookups({"live": self.reader}, TABLES)
        self._version = 0

    def put(self, table: str, key: str, **values: Any) -> None:
        """A row as it is now; it changed a minute ago."""
        body = row(table, key, values, f"pos-{self._version + 1}", NOW - MINUTE, TABLES[table].types())
        self._write(row_key(table, key), body)

    def gone(self, table: str, key: str) -> None:
        """A row is deleted."""
        self._write(row_key(table, key), None)

    def beat(self, table: str, at: datetime = NOW) -> None:
        """Rows hold what the source had sent by then."""
        self._write(heartbeat_key(table), heartbeat(table, f"pos-{self._version}", at))

    def write(self, key: str, body: Mapping[str, Any]) -> None:
        """Some other row."""
        self._write(key, body)

    def _write(self, key: str, body: Mapping[str, Any] | None) -> None:
        self._version += 1
        self.store.write([Projected(key, self._version, body is None, body)])

    def close(self) -> None:
        """Close both sides."""
        self.store.close()
        self.lookups.close()
