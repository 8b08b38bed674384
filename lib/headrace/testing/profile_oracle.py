"""What a profile must look like, told slowly and plainly from all rows and all single events.

Nothing here is shared with `headrace.profiles` but the shapes of its inputs. Behaviour is computed from the events
themselves, numbers are fractions, and a document that is too long is shortened one item at a time.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headrace.config_profiles import Profiles
from headrace.profiles.buckets import Event
from headrace.profiles.inputs import Inputs, RecordRow, RelatedRow
from headrace.testing.profile_behaviour import behaviour_truth, whole_hours, within
from headrace.testing.profile_consent import consent_truth
from headrace.testing.profile_cuts import shortened
from headrace.testing.profile_values import BEGINNING, Refused, blank, clean, kind, length, moment, sortable, written


def profile_truth(
    settings: Profiles, inputs: Inputs, events: Mapping[str, Sequence[Event]], now: datetime, counted: int = 1_000
) -> tuple[dict[str, Any], set[Refused]]:
    """The document and what was refused.

    Args:
        inputs: its buckets are not looked at.
        events: every event by feed.
        counted: different values an hour counts by name.
    """
    limit, refused = settings.max_field_bytes, set[Refused]()
    fields = _fields(settings, inputs, limit, refused)
    needed = {f"fields.{name}": rule.purpose for name, rule in settings.fields.items() if name in fields}
    needed |= {f"related.{name}": one.purpose for name, one in settings.related.items()}
    needed |= {f"behaviour.{name}": one.purpose for name, one in settings.behaviour.items()}
    document = {
        "schema": 1,
        "person": inputs.person,
        "fields": fields,
        "records": [
            {"record": record, "key": key} for record, key in sorted((r.record, r.key) for r in inputs.records)
        ],
        "record_count": len(inputs.records),
        "related": {name: _related(settings, name, inputs, limit, refused) for name in settings.related},
        "consent": consent_truth(settings, inputs, now, limit, refused),
        "behaviour": {
            name: behaviour_truth(settings, name, one, events.get(name, ()), now, limit, refused, counted)
            for name, one in settings.behaviour.items()
        },
        "sources": _sources(settings, inputs, events, now),
        "purposes": {place: purpose for place, purpose in needed.items() if purpose},
        "cut": False,
    }
    document, gone = shortened(document, settings.max_bytes)
    return document, refused | gone


def truth_digest(document: dict[str, Any]) -> str:
    """SHA-256 of the document."""
    return hashlib.sha256(written(document)).hexdigest()


def _newer(settings: Profiles, one: RecordRow, other: RecordRow) -> bool:
    names = list(settings.records)
    left = (one.changed_at or BEGINNING, one.position)
    right = (other.changed_at or BEGINNING, other.position)
    if left != right:
        return left > right
    return (names.index(one.record), one.own, one.record, one.key) < (
        names.index(other.record), other.own, other.record, other.key,
    )  # fmt: skip


def _fields(settings: Profiles, inputs: Inputs, limit: int, refused: set[Refused]) -> dict[str, Any]:
    names = {*settings.fields} | {name for record in settings.records.values() for name in record.fields}
    fields = {}
    for name in names:
        found: list[tuple[Any, RecordRow]] = []
        for row in inputs.records:
            value = clean(row.fields.get(name))
            if row.record not in settings.records or blank(value):
                continue
            if length(value) > limit:
                refused.add(("records", row.record, row.key, name, length(value), limit))
                continue
            place = 0
            while place < len(found) and _newer(settings, found[place][1], row):
                place += 1
            found.insert(place, (value, row))
        if found:
            value, row = found[_choice(settings, name, found)]
            fields[name] = {
                "value": value,
                "record": row.record,
                "key": row.key,
                "position": row.position,
                "changed_at": moment(row.changed_at),
            }
    return fields


def _choice(settings: Profiles, name: str, found: list[tuple[Any, RecordRow]]) -> int:
    """The place of the best value among those from the newest to the oldest."""
    rule = settings.fields.get(name)
    choose = rule.choose if rule else "newest"
    merits = []
    for value, row in found:
        if choose == "source" and rule:
            merits.append(-list(rule.order).index(row.record) if row.record in rule.order else -len(rule.order))
        elif choose == "longest":
            merits.append(len(value) if isinstance(value, str) else len(written(value).decode()))
        elif choose == "most_frequent":
            merits.append(sum(written(value) == written(other) for other, _ in found))
        else:
            merits.append(0)
    return merits.index(max(merits))


def _related(settings: Profiles, feed: str, inputs: Inputs, limit: int, refused: set[Refused]) -> dict[str, Any]:
    one = settings.related[feed]
    found: list[RelatedRow] = []
    for row in (row for row in inputs.related if row.feed == feed):
        place = 0
        while place < len(found) and _before(one.sort, found[place], row):
            place += 1
        found.insert(place, row)
    rows = []
    for row in found[: one.most]:
        values = {}
        for name in one.columns or row.values:
            values[name] = clean(row.values.get(name))
            if length(values[name]) > limit:
                refused.add(("related", feed, row.key, name, length(values[name]), limit))
                values[name] = None
        rows.append({"key": row.key, "changed_at": moment(row.changed_at), "values": values})
    return {"rows": rows, "count": len(found)}


def _before(sort: Sequence[str], one: RelatedRow, other: RelatedRow) -> bool:
    for column in sort:
        name, down = column.lstrip("-"), column[0] == "-"
        left: Any = one.values.get(name)
        right: Any = other.values.get(name)
        no_left, no_right = blank(sortable(left)), blank(sortable(right))
        if no_left or no_right:
            if no_left != no_right:
                return no_right
            continue
        kinds = (kind(left), kind(right))
        if kinds[0] != kinds[1]:
            return (kinds[0] < kinds[1]) != down
        if kinds[0] == 3:
            left, right = written(clean(left)), written(clean(right))
        if left != right:
            return bool(left < right) != down
    return one.key < other.key


def _sources(
    settings: Profiles, inputs: Inputs, events: Mapping[str, Sequence[Event]], now: datetime
) -> dict[str, dict[str, Any]]:
    told: dict[str, list[tuple[datetime, str]]] = {}
    for record in inputs.records:
        if record.record in settings.records:
            table = settings.records[record.record].table
            told.setdefault(table, []).append((record.changed_at or BEGINNING, record.position))
    related = [row for row in inputs.related if row.feed in settings.related]
    seen = [(row.table, row.changed_at, row.position) for row in related]
    seen += [(row.table, row.changed_at, row.position) for row in inputs.statements]
    for table, changed_at, position in seen:
        told.setdefault(table, []).append((changed_at or BEGINNING, position))
    for feed, one in settings.behaviour.items():
        for event in within(events.get(feed, ()), whole_hours(one.keep), now):
            told.setdefault(one.table, []).append((event.at, ""))
    found = {}
    for table, changes in told.items():
        at, position = max(changes)
        found[table] = {"changed_at": None if at == BEGINNING else moment(at), "position": position or None}
    return found
