"""What a person agreed to, for each purpose, at a moment.

The newest statement that has begun counts, alone. Of several at the same time a refusal counts before a grant, the
refusal that lasts longest, the grant that ends first. A statement whose `until` has passed says nothing any more, and
brings no older one back: without a valid statement only the purposes that need none are allowed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.profiles.inputs import Statement
from headrace.profiles.values import OLDEST, Refusal, iso, plain, size, sooner

HISTORY = 20
"""Statements a profile shows for each purpose."""

PURPOSES = 50
"""Purposes a profile shows beside those the settings name."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Agreed:
    """By purpose its state, as `schema.py` describes it.

    Attributes:
        due_at: when a state changes by time alone; None for never.
        cut: purposes were left out.
        refused: what was too long; one and the same may come twice.
    """

    states: dict[str, dict[str, Any]]
    due_at: datetime | None
    cut: bool
    refused: list[Refusal]


def agreed(
    statements: Sequence[Statement], named: Collection[str], default: Collection[str], now: datetime, limit: int
) -> Agreed:
    """The state of every purpose the settings name, and of the 50 others with the newest statements.

    Args:
        named: purposes that fields and sections need.
        default: purposes that are allowed unless refused.
        limit: bytes of a purpose or a basis; a longer one is refused.
    """
    refused: list[Refusal] = []
    by_purpose: dict[str, list[Statement]] = {purpose: [] for purpose in sorted({*named, *default})}
    fixed = len(by_purpose)
    for each in statements:
        purpose = _text(each, "purpose", limit, refused)
        if purpose:
            by_purpose.setdefault(purpose, []).append(each)
    ordered = {purpose: _in_order(found) for purpose, found in by_purpose.items()}
    if cut := len(ordered) - fixed > PURPOSES:
        ordered = _newest_purposes(ordered, fixed)
    states = {}
    due_at = None
    for purpose, found in ordered.items():
        states[purpose], changes_at = _state(found, purpose in default, now, limit, refused)
        due_at = sooner(due_at, changes_at)
    return Agreed(states, due_at, cut, refused)


def _newest_purposes(ordered: dict[str, list[Statement]], fixed: int) -> dict[str, list[Statement]]:
    names = list(ordered)
    others = sorted(sorted(names[fixed:]), key=lambda name: _begun(ordered[name][0]), reverse=True)
    return {name: ordered[name] for name in [*names[:fixed], *others[:PURPOSES]]}


def _begun(statement: Statement) -> datetime:
    return statement.at or statement.changed_at or OLDEST


def _in_order(statements: list[Statement]) -> list[Statement]:
    """The first one that has begun counts."""
    if len(statements) < 2:
        return statements
    found = sorted(statements, key=lambda each: (each.table, each.key))
    found.sort(key=lambda each: each.position, reverse=True)
    found.sort(key=_ends)
    found.sort(key=_begun, reverse=True)
    return found


def _ends(statement: Statement) -> tuple[bool, timedelta]:
    lasts = (statement.until or _NEVER) - OLDEST
    return (True, lasts) if statement.granted else (False, -lasts)


def _state(
    ordered: Sequence[Statement], default: bool, now: datetime, limit: int, refused: list[Refusal]
) -> tuple[dict[str, Any], datetime | None]:
    """A purpose's state, and when it changes by time alone."""
    counts = next((each for each in ordered if _begun(each) <= now), None)
    state = "default" if default else "none"
    if counts:
        state = "granted" if counts.granted else "refused"
        if counts.until and counts.until <= now:
            state = "expired"
    begins = [_begun(each) for each in ordered if _begun(each) > now]
    ends = counts.until if counts and state != "expired" else None
    changes_at = sooner(ends, *begins)
    shown = {
        "granted": state == "granted" or (default and state != "refused"),
        "state": state,
        "basis": _text(counts, "basis", limit, refused) if counts else None,
        "at": iso(counts.at or counts.changed_at) if counts else None,
        "until": iso(counts.until) if counts else None,
        "changes_at": iso(changes_at),
        "history": [_entry(each, limit, refused) for each in ordered[:HISTORY]],
        "statements": len(ordered),
    }
    return shown, changes_at


def _entry(statement: Statement, limit: int, refused: list[Refusal]) -> dict[str, Any]:
    return {
        "granted": statement.granted,
        "basis": _text(statement, "basis", limit, refused),
        "at": iso(statement.at or statement.changed_at),
        "until": iso(statement.until),
    }


def _text(statement: Statement, field: str, limit: int, refused: list[Refusal]) -> str | None:
    """The text without space around it; None for none and for one that is too long."""
    value = getattr(statement, field)
    text = plain(value).strip() if isinstance(value, str) else ""
    if (length := size(text)) > limit:
        refused.append(Refusal("consent", statement.table, statement.key, field, length, limit))
        return None
    return text or None
