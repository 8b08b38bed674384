"""A profile: one document that says who a person is, what belongs to them, what they agreed to, what they did.

`build` is a function of the settings, the rows and the moment; `schema.py` describes what it returns.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.config_profiles import Profiles
from headrace.profiles.behaviour import summed
from headrace.profiles.bounds import bounded
from headrace.profiles.consent import Agreed, agreed
from headrace.profiles.inputs import Inputs, RecordRow, RelatedRow
from headrace.profiles.related import related
from headrace.profiles.survivorship import newest_first, survivors
from headrace.profiles.values import OLDEST, Refusal, canonical, iso, sooner, utc

SCHEMA = 1
BUILT = ("built_at",)
"""What whoever stores a document may add to it: it says when it was built, not what it holds."""


@dataclass(frozen=True, slots=True)
class Built:
    """A profile.

    Attributes:
        document: plain dicts and lists, ready for JSON.
        refused: values that were too long, each once, sorted.
        due_at: when the document changes by the passing of time alone; None for never.
    """

    document: dict[str, Any]
    refused: tuple[Refusal, ...]
    due_at: datetime | None


Change = tuple[datetime, str]
"""When and at which position; `OLDEST` and an empty text for none."""


def build(settings: Profiles, inputs: Inputs, now: datetime) -> Built:
    """The person's profile as of a moment: the same for every order of the rows, and at most `max_bytes` as JSON.

    Rows of records and feeds that the settings do not name are passed over. What the settings alone make (windows,
    sources, states of purposes) always stays, so a limit below a few kilobytes may not hold.
    """
    now, limit, refused = utc(now), settings.max_field_bytes, []
    rows = newest_first([row for row in inputs.records if row.record in settings.records], list(settings.records))
    fields, found = survivors(rows, settings.field_rules(), limit)
    refused += found
    sections, found = _related(settings, inputs)
    refused += found
    behaviour, sources, due_at, found = _behaviour(settings, inputs, now)
    refused += found
    needs = {f"{part}.{name}": use for part, name, use in _rules(settings) if part != "fields" or name in fields}
    consent = _consent(settings, inputs, now)
    document = {
        "schema": SCHEMA,
        "person": inputs.person,
        "fields": {name: {"value": each.value, **_lineage(each.row)} for name, each in fields.items()},
        "records": _records(inputs),
        "record_count": len(inputs.records),
        "related": sections,
        "consent": consent.states,
        "behaviour": behaviour,
        "sources": _sources(settings, inputs, rows, sources),
        "purposes": needs,
        "cut": consent.cut,
    }
    document, found = bounded(document, settings.max_bytes)
    every = {*refused, *consent.refused, *found}
    return Built(document, tuple(sorted(every)) if every else (), sooner(due_at, consent.due_at))


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of what the document holds, in hex: equal exactly when nothing but the time of building differs."""
    held = {name: value for name, value in document.items() if name not in BUILT}
    return hashlib.sha256(canonical(held)).hexdigest()


def _lineage(row: RecordRow) -> dict[str, Any]:
    return {"record": row.record, "key": row.key, "position": row.position, "changed_at": iso(row.changed_at)}


def _records(inputs: Inputs) -> list[dict[str, str]]:
    return [{"record": record, "key": key} for record, key in sorted((row.record, row.key) for row in inputs.records)]


def _related(settings: Profiles, inputs: Inputs) -> tuple[dict[str, Any], list[Refusal]]:
    rows: dict[str, list[RelatedRow]] = {feed: [] for feed in settings.related}
    for row in inputs.related:
        if row.feed in rows:
            rows[row.feed].append(row)
    sections, refused = {}, []
    for feed, one in settings.related.items():
        sections[feed], found = related(feed, rows[feed], one, settings.max_field_bytes)
        refused += found
    return sections, refused


def _behaviour(
    settings: Profiles, inputs: Inputs, now: datetime
) -> tuple[dict[str, Any], dict[str, Change], datetime | None, list[Refusal]]:
    """Sections by feed, the newest event by table, when one changes by time alone, and what was too long."""
    sections, due_at = {}, None
    newest: dict[str, Change] = {}
    refused: list[Refusal] = []
    for feed, one in settings.behaviour.items():
        buckets = inputs.buckets.get(feed, ())
        result = summed(feed, buckets, one, settings.windows, now, settings.max_field_bytes)
        sections[feed] = result.section
        if result.newest_at:
            newest[one.table] = max(newest.get(one.table, (OLDEST, "")), (result.newest_at, ""))
        due_at = sooner(due_at, result.due_at)
        refused += result.refused
    return sections, newest, due_at, refused


def _rules(settings: Profiles) -> Iterator[tuple[str, str, str]]:
    """Section, name and purpose of what needs one."""
    for name, field in settings.fields.items():
        if field.purpose:
            yield "fields", name, field.purpose
    for name, rows in settings.related.items():
        if rows.purpose:
            yield "related", name, rows.purpose
    for name, events in settings.behaviour.items():
        if events.purpose:
            yield "behaviour", name, events.purpose


def _consent(settings: Profiles, inputs: Inputs, now: datetime) -> Agreed:
    named = {purpose for _, _, purpose in _rules(settings)}
    default = settings.consent.default if settings.consent else ()
    return agreed(inputs.statements, named, default, now, settings.max_field_bytes)


def _sources(
    settings: Profiles, inputs: Inputs, rows: list[RecordRow], newest: dict[str, Change]
) -> dict[str, dict[str, Any]]:
    """By table the newest change among the rows that are of this person."""
    changes = [(settings.records[row.record].table, row.changed_at, row.position) for row in rows]
    changes += [(row.table, row.changed_at, row.position) for row in inputs.related if row.feed in settings.related]
    changes += [(row.table, row.changed_at, row.position) for row in inputs.statements]
    for table, changed_at, position in changes:
        change = (changed_at or OLDEST, position)
        if table not in newest or change > newest[table]:
            newest[table] = change
    return {
        table: {"changed_at": None if at is OLDEST else iso(at), "position": position or None}
        for table, (at, position) in sorted(newest.items())
    }
