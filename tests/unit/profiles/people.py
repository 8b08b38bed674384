"""One small person to change in tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.config_profiles import Profiles
from headrace.profiles.buckets import Bucket, Event, buckets
from headrace.profiles.document import Built, build
from headrace.profiles.inputs import Inputs, RecordRow, RelatedRow, Statement

NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
RECORDS = ("shop", "calls", "devices")


def settings(**changes: Any) -> Profiles:
    """Three records with a name, bookings, clicks and consent; `changes` by the keys of the settings."""
    shape: dict[str, Any] = {
        "records": {
            name: {"table": f"t_{name}", "identifiers": {"email": "mail"}, "fields": {"name": "n", "city": "c"}}
            for name in RECORDS
        },
        "related": {"bookings": {"table": "t_bookings", "by": {"shop": "c"}, "sort": ["-day"]}},
        "consent": {"table": "t_consent", "by": {"shop": "c"}, "default": ["contract"]},
        "behaviour": {
            "web": {
                "table": "t_clicks", "by": {"shop": "c"}, "at": "at",
                "sums": {"spent": "amount"}, "top": {"page": "page"}, "last": ["page"],
            }
        },
        "stores": {"file": {"store": "sqlite", "path": "./profiles.db"}},
        "hash_key": "x" * 16,
    }  # fmt: skip
    return Profiles.model_validate(shape | changes)


def record(name: str, value: Any, hours: float = 1, **changes: Any) -> RecordRow:
    """A record with a name that changed some hours ago."""
    row = {"key": "1", "own": "o1", "position": "1", "changed_at": NOW - hours * HOUR, "fields": {"name": value}}
    return RecordRow(name, **(row | changes))


def booking(key: str, **values: Any) -> RelatedRow:
    """A booking."""
    return RelatedRow("bookings", "t_bookings", key, "1", NOW - HOUR, values)


def said(purpose: str | None, granted: bool | None, hours: float = 1, **changes: Any) -> Statement:
    """A statement from some hours ago."""
    row = {"key": "1", "position": "1", "basis": "consent", "at": NOW - hours * HOUR, "until": None}
    return Statement(
        "t_consent", changed_at=NOW - hours * HOUR, purpose=purpose, granted=granted, **(row | changes)
    )  # fmt: skip


def click(key: str, at: datetime, spent: Any = None, page: Any = "/", last: Any = None) -> Event:
    """An event."""
    return Event(key, at, {"spent": spent}, {"page": page}, {"page": last or page})


def clicks(*events: Event, **changes: Any) -> list[Bucket]:
    """Their buckets."""
    return buckets(events, settings(**changes).behaviour["web"])


def profile(*rows: RecordRow | RelatedRow | Statement | Bucket, now: datetime = NOW, **changes: Any) -> Built:
    """The profile of these rows."""
    found = {kind: [row for row in rows if isinstance(row, kind)] for kind in (RecordRow, RelatedRow, Statement)}
    web = [row for row in rows if isinstance(row, Bucket)]
    inputs = Inputs("p1", found[RecordRow], found[RelatedRow], found[Statement], {"web": web})  # type: ignore[arg-type]
    return build(settings(**changes), inputs, now)
