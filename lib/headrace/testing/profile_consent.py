"""What consent must look like, by comparing statement with statement."""

from datetime import UTC, datetime
from typing import Any

from headrace.config_profiles import Profiles
from headrace.profiles.inputs import Inputs, Statement
from headrace.testing.profile_values import BEGINNING, Refused, moment

END = datetime(9999, 12, 31, tzinfo=UTC)


def _start(statement: Statement) -> datetime:
    return statement.at or statement.changed_at or BEGINNING


def _outranks(one: Statement, other: Statement) -> bool:
    if _start(one) != _start(other):
        return _start(one) > _start(other)
    if bool(one.granted) != bool(other.granted):
        return not one.granted
    if one.until != other.until:
        longer = (one.until or END) > (other.until or END)
        return longer != bool(one.granted)
    if one.position != other.position:
        return one.position > other.position
    return (one.table, one.key) < (other.table, other.key)


def consent_truth(
    settings: Profiles, inputs: Inputs, now: datetime, limit: int, refused: set[Refused]
) -> dict[str, dict[str, Any]]:
    """The state of every purpose; not made for more than 50 that the settings do not name."""
    default = settings.consent.default if settings.consent else ()
    purposes = {*default}
    for group in (settings.fields, settings.related, settings.behaviour):
        purposes |= {rule.purpose for rule in group.values() if rule.purpose}
    said: dict[str, list[Statement]] = {purpose: [] for purpose in purposes}
    for each in inputs.statements:
        purpose = (each.purpose or "").strip()
        if len(purpose.encode()) > limit:
            refused.add(("consent", each.table, each.key, "purpose", len(purpose.encode()), limit))
        elif purpose:
            found = said.setdefault(purpose, [])
            place = 0
            while place < len(found) and _outranks(found[place], each):
                place += 1
            found.insert(place, each)
    return {purpose: _state(found, purpose in default, now, limit, refused) for purpose, found in said.items()}


def _state(found: list[Statement], default: bool, now: datetime, limit: int, refused: set[Refused]) -> dict[str, Any]:
    def basis(each: Statement) -> str | None:
        text = (each.basis or "").strip()
        if len(text.encode()) <= limit:
            return text or None
        refused.add(("consent", each.table, each.key, "basis", len(text.encode()), limit))
        return None

    begun = [each for each in found if _start(each) <= now]
    counts = begun[0] if begun else None
    over = bool(counts and counts.until and counts.until <= now)
    state = "expired" if over else "default" if default else "none"
    if counts and not over:
        state = "granted" if counts.granted else "refused"
    thresholds = [_start(each) for each in found] + [
        counts.until for each in [counts] if each and counts and counts.until
    ]
    later = [at for at in thresholds if at > now]
    return {
        "granted": state == "granted" or (default and state != "refused"),
        "state": state,
        "basis": basis(counts) if counts else None,
        "at": moment(counts.at or counts.changed_at) if counts else None,
        "until": moment(counts.until) if counts else None,
        "changes_at": moment(min(later)) if later else None,
        "history": [
            {
                "granted": each.granted,
                "basis": basis(each),
                "at": moment(each.at or each.changed_at),
                "until": moment(each.until),
            }
            for each in found[:20]
        ],
        "statements": len(found),
    }
