"""What is remembered of a rule: the newest alert, whom it must still be told, and those told lately."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.ports_alerts import Alert

RECENT = 20
"""Alerts of a rule that are remembered for those who look."""
GIVE_UP = timedelta(days=1)
"""An alert that could not be told for so long is not told any more."""


@dataclass(frozen=True, slots=True)
class Open:
    """An alert, and the outputs that did not take it yet."""

    alert: Alert
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """Of one rule.

    Attributes:
        last: the window's end of the newest alert; None before the first.
        recent: the newest alerts, newest first.
    """

    last: datetime | None = None
    open: tuple[Open, ...] = ()
    recent: tuple[Alert, ...] = ()


def decided(state: State, alert: Alert, outputs: Sequence[str]) -> State:
    """With a new alert that is to be told. It is written down before anybody is told: a crash loses none."""
    waiting = (*state.open, Open(alert, tuple(outputs)))
    return State(alert.at, waiting, (alert, *state.recent)[:RECENT])


def taken(state: State, alert: Alert, output: str) -> State:
    """After an output took an alert."""
    left = [
        replace(one, to=tuple(name for name in one.to if name != output)) if one.alert.id == alert.id else one
        for one in state.open
    ]
    return replace(state, open=tuple(one for one in left if one.to))


def without_old(state: State, now: datetime) -> State:
    """Without alerts that nobody took for a day."""
    return replace(state, open=tuple(one for one in state.open if now - one.alert.at < GIVE_UP))


def to_json(state: State) -> str:
    """As it is stored."""
    stored = {
        "last": state.last and state.last.isoformat(),
        "open": [{"alert": one.alert.as_dict(), "to": list(one.to)} for one in state.open],
        "recent": [one.as_dict() for one in state.recent],
    }
    return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> State:
    """What was stored. Raises ValueError for anything else."""
    try:
        stored = json.loads(text)
        return State(
            _time(stored["last"]) if stored["last"] else None,
            tuple(Open(_alert(one["alert"]), tuple(map(str, one["to"]))) for one in stored["open"]),
            tuple(map(_alert, stored["recent"])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _alert(stored: dict[str, Any]) -> Alert:
    return Alert(**stored | {"at": _time(stored["at"])})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
