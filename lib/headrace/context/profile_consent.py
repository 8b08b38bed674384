"""What of a profile may be shown now, and to whom it was not agreed. The only place that knows the rules."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.errors import Fatal

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown of a profile, and how much may not.

    Attributes:
        person: their id.
        fields, related, behaviour: by name, as the document has them; only those that may be shown.
        granted, refused: names of purposes.
        without_consent: fields and sections that were not agreed to.
        not_asked: those that were, but not for the purposes asked for.
    """

    person: str
    fields: Mapping[str, Any]
    related: Mapping[str, Any]
    behaviour: Mapping[str, Any]
    granted: tuple[str, ...]
    refused: tuple[str, ...]
    without_consent: int
    not_asked: int


def shown(document: Mapping[str, Any], purposes: Collection[str] | None, now: datetime) -> Shown:
    """What of this profile may be shown.

    Args:
        document: a profile as a store returns it.
        purposes: shows only what needs one of these; None for all that is agreed to.
        now: when consent must hold.

    Raises:
        Fatal: the document is of another schema, or the moment has no zone.
    """
    now = with_zone(now)
    if document.get("schema") != SCHEMA:
        todo = "Read it with the version of Headrace that wrote it, or build the profiles again."
        raise Fatal(expected=f"a profile of schema {SCHEMA}", found=f"schema {document.get('schema')}", todo=todo)
    granted = {name for name, state in document["consent"].items() if _holds(state, now)}
    asked = granted if purposes is None else granted & set(purposes)
    needs: Mapping[str, str] = document["purposes"]
    parts: dict[str, dict[str, Any]] = {}
    without_consent = not_asked = 0
    for part in ("fields", "related", "behaviour"):
        parts[part] = {}
        for name, each in sorted(document[part].items()):
            purpose = needs.get(f"{part}.{name}")
            if purpose is None or purpose in asked:
                parts[part][name] = each
            elif purpose in granted:
                not_asked += 1
            else:
                without_consent += 1
    refused = tuple(sorted(set(document["consent"]) - granted))
    person = document["person"]
    return Shown(person, **parts, granted=tuple(sorted(granted)), refused=refused,
                 without_consent=without_consent, not_asked=not_asked)  # fmt: skip


def with_zone(now: datetime) -> datetime:
    """The moment in UTC. Raises Fatal where it has no zone."""
    if now.tzinfo is None:
        raise Fatal(expected="a time with a zone", found=now.isoformat(), todo="Give `now` as UTC.", where="now")
    return now.astimezone(UTC)


def _holds(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether a purpose is allowed now. The document may be older than a change that time alone has made."""
    ends = [state["changes_at"], state["until"] if state["state"] == "granted" else None]
    return bool(state["granted"]) and all(now < datetime.fromisoformat(end) for end in ends if end)
