"""Turns and ratings as events, as docs/conversation-events.md describes them; written from that page alone."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

Event = dict[str, Any]
_CONTENT = {"turn": ("question", "answer", "outcome", "person"), "rating": ("value", "text")}


def turn_event(conversation: str, turn: int, at: datetime, values: Mapping[str, Any]) -> Event:
    """A turn, with the values that are not left out."""
    return {
        "schema": 1,
        "event": "turn",
        "operation": "upsert",
        "event_id": _digest(conversation, turn),
        "conversation": conversation,
        "turn": turn,
        "at": _utc(at),
        "revision": 0,
        **values,
    }


def rating_event(
    conversation: str,
    turn: int | None,
    at: datetime,
    kind: str,
    value: int | None = None,
    text: str | None = None,
    by: str = "person",
    rater: str | None = None,
) -> Event:
    """A rating of a turn, or of the whole conversation."""
    return {
        "schema": 1,
        "event": "rating",
        "operation": "upsert",
        "rating_id": _digest(conversation, turn, by, rater, kind),
        "conversation": conversation,
        "turn": turn,
        "at": _utc(at),
        "revision": 0,
        "by": by,
        "kind": kind,
        "rater": rater,
        "value": value,
        "text": text,
    }


def changed(event: Event, **values: Any) -> Event:
    """The next revision, with other values."""
    return {**event, **values, "revision": event["revision"] + 1}


def withdrawn(event: Event) -> Event:
    """The next revision, which takes the event back and holds no content."""
    left_out = _CONTENT[event["event"]] + ("items", "citations", "tries", "purposes")
    kept = {name: value for name, value in event.items() if name not in left_out}
    return changed(kept, operation="delete")


def identity(event: Event) -> str:
    """The same for all revisions of a turn or a rating."""
    return str(event["event_id"] if event["event"] == "turn" else event["rating_id"])


def moment(event: Event) -> datetime:
    """When it was asked or given."""
    return datetime.fromisoformat(event["at"])


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _digest(*parts: str | int | None) -> str:
    return sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:32]


def as_line(event: Event) -> str:
    """An event as JSON."""
    return json.dumps(event, ensure_ascii=False)
