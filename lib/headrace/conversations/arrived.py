"""One message -> one event with its key and position, or the reason why it is none. No Spark."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from headrace.conversations.events import Event, Turn, WrongEvent, checked
from headrace.conversations.facts import facts
from headrace.ordering.position import number, position

MOST_BYTES = 8 * 1024 * 1024
"""Of one event."""
AHEAD = timedelta(days=1)
"""How far after its arrival an event may say that it happened: clocks are apart, and those of zones by hours."""
_LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TODO = "Send it as docs/conversation-events.md describes."


class Refused(NamedTuple):
    """Why a message is not used."""

    reason: str
    detail: str


class Arrived(NamedTuple):
    """An event ready to be ordered.

    Attributes:
        kind: `turn` or `rating`.
        deleted: it withdraws.
        key: JSON array of what identifies the turn or rating.
        values: columns of `turns` or `ratings`; of a withdrawal those only that identify it.
    """

    kind: str
    deleted: bool
    key: str
    position: str
    values: dict[str, Any]


def arrived(message: bytes | None, at: datetime | None = None) -> Arrived | Refused:
    """What a message holds. A refusal names properties, never their text.

    Args:
        at: when it arrived, as far as the transport tells. A turn or rating that says it is of later than `AHEAD` after
            that is refused, as its sender's clock is wrong; a withdrawal is not.
    """
    if message is None or len(message) > MOST_BYTES:
        found = "nothing" if message is None else f"{len(message)} bytes"
        return Refused(
            "unreadable event", f"expected a JSON object of at most {MOST_BYTES} bytes; found {found}. {_TODO}"
        )
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        return Refused("unreadable event", f"expected a JSON object; found {len(message)} bytes that are none. {_TODO}")
    try:
        one = _placed(checked(told))
    except WrongEvent as error:
        return Refused("wrong event", str(error))
    except (OverflowError, ValueError):
        expected = f"days that exist, whole numbers up to {_LARGEST} and others up to 1.7e308"
        return Refused("wrong event", f"expected {expected}; found another day or larger numbers. {_TODO}")
    if at is not None and not one.deleted and one.values["at"] > at + AHEAD:
        return Refused("wrong event", _of_the_future(one.values["at"], at))
    return one


def _of_the_future(said: datetime, arrived_at: datetime) -> str:
    expected = f"at most {AHEAD.days} day after it arrived, {arrived_at:%Y-%m-%d %H:%M} UTC"
    return f"at lies in the future: expected {expected}; found {said:%Y-%m-%d %H:%M}. Set the sender's clock right."


def _placed(event: Event) -> Arrived:
    values = event.to_json()
    deleted = values["operation"] == "delete"
    kind = values["event"]
    whole = [values.get(name) or 0 for name in _WHOLE]
    if max(whole) > _LARGEST:
        raise OverflowError
    parts = [number(Decimal(event.revision)), number(Decimal((event.at - _EPOCH) // timedelta(microseconds=1)))]
    content = json.dumps(values, sort_keys=True).encode()
    identity = [event.conversation, event.turn] if isinstance(event, Turn) else [event.rating_id]
    key = json.dumps(identity, ensure_ascii=False)
    row = _turn(event, values) if isinstance(event, Turn) else _rating(values)
    if deleted:
        row = {name: row[name] for name in ("conversation", "turn", "rating_id") if name in row}
    place = position(parts, "delete" if deleted else "upsert", content)
    return Arrived(kind, deleted, _plain(key), place, {name: _plain(each) for name, each in row.items()})


_WHOLE = ("turn", "revision", "regenerates", "input_tokens", "output_tokens", "cached_tokens")


def _turn(turn: Turn, values: dict[str, Any]) -> dict[str, Any]:
    row = {name: each for name, each in values.items() if name not in ("schema", "event", "operation", "event_id")}
    row |= {name: json.dumps(row[name], ensure_ascii=False) for name in ("items", "gaps", "tries")}
    row |= {name: _float(row[name]) for name in ("cost", "seconds", "seconds_to_first")}
    day = row["price_as_of"]
    return (
        row
        | {"at": turn.at, "price_as_of": datetime.fromisoformat(day).date() if day else None}
        | facts(turn)._asdict()
    )


def _rating(values: dict[str, Any]) -> dict[str, Any]:
    row = {name: each for name, each in values.items() if name not in ("schema", "event", "operation")}
    return row | {"at": datetime.fromisoformat(values["at"]), "value": _float(values["value"])}


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _plain(value: Any) -> Any:
    """Half of a surrogate pair, as a cut answer may end with, is taken by no store."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return [_plain(one) for one in value] if isinstance(value, list) else value
