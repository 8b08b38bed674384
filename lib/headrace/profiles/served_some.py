"""The served state of some people, compared and told by the driver: a handful of rows is not worth jobs of Spark.

It comes to the same as `served.serve`, which does so for all of them in Spark.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from headrace.identifiers.normalise import Value
from headrace.lake import Lake, local_rows
from headrace.profiles.links import Ref
from headrace.profiles.people_tables import LakePeople
from headrace.profiles.records import values
from headrace.profiles.served import MOST_PERSONS, PROFILES_OUTBOX, Served
from headrace.profiles.some_rows import picked, put
from headrace.tables import OUTBOX, PROFILES

Part = dict[str, Any]
_TOLD = "key string, deleted boolean, body string, urgent boolean, batch bigint, at timestamp, day date"


class Held(NamedTuple):
    """A profile as the table has it, without its document."""

    digest: str | None
    records: frozenset[Ref]
    identifiers: frozenset[Value]
    due_at: datetime | None
    deleted: bool


class Change(NamedTuple):
    """What became of a person: `grown`, `shrunk`, `gone`, `same` or `later`, as in `served`."""

    what: str
    person: str
    built: Part | None
    moved: frozenset[Value]


def held(lake: Lake, persons: Collection[str]) -> dict[str, Held]:
    """The profiles there are of these people."""
    rows = picked(lake.read(lake.ensure(PROFILES)), "person", persons)
    columns = ("person", "digest", "records", "identifiers", "due_at", "deleted")
    return {row.pop("person"): _held(**row) for row in rows.select(*columns).toArrow().to_pylist()}


def serve(
    lake: Lake,
    people: LakePeople,
    built: Sequence[Part],
    before: Mapping[str, Held],
    persons: Collection[str],
    kinds: Collection[str],
    batch: int,
) -> Served:
    """Bring the profiles of these people in step; the outbox first, as `served.serve` does.

    Args:
        built: schema `build.BUILT`, one for each of them that has a record.
        before: their profiles as they were.
        kinds: of identifiers by which people are found.
    """
    by_person = {one["person"]: one for one in built}
    changes = [_change(person, by_person.get(person), before.get(person)) for person in sorted(persons)]
    counts = Counter(one.what for one in changes)
    _append(lake, [_profile(one) for one in changes if one.what == "grown"], batch)
    rest = [_profile(one) for one in changes if one.what == "shrunk"]
    rest += _gone(people, [one.person for one in changes if one.what == "gone"])
    rest += _identifiers(people, {value for one in changes for value in one.moved if value.kind in kinds})
    _append(lake, rest, batch)
    _write(lake, changes, before, batch)
    return Served(counts["grown"] + counts["shrunk"], counts["same"] + counts["later"], counts["gone"])


def _held(
    digest: str | None,
    records: Iterable[Mapping[str, str]] | None,
    identifiers: Iterable[dict[str, str]] | None,
    due_at: datetime | None,
    deleted: bool,
) -> Held:
    refs = frozenset(Ref(one["record"], one["key"]) for one in records or ())
    return Held(digest, refs, frozenset(values(identifiers) or ()), due_at, deleted)


def _change(person: str, built: Part | None, before: Held | None) -> Change:
    theirs = before.identifiers if before else frozenset()
    if built is None:
        return Change("gone", person, None, theirs)
    now = _held(built["digest"], built["records"], built["identifiers"], built["due_at"], False)
    moved = now.identifiers ^ theirs
    if before is None or before.deleted:
        return Change("grown", person, built, moved)
    if now == before:
        return Change("same", person, built, moved)
    if now == before._replace(due_at=now.due_at):
        return Change("later", person, built, moved)
    return Change("shrunk" if before.records - now.records else "grown", person, built, moved)


Told = tuple[str, bool, str | None]
"""A row of the outbox: its key, whether it is gone, what is told."""


def _profile(one: Change) -> Told:
    assert one.built is not None
    return f"p:{one.person}", False, one.built["body"]


def _gone(people: LakePeople, gone: Collection[str]) -> list[Told]:
    """People that are nobody any more: an alias where their id leads on."""
    leads = people.leads(gone)
    told = {person: _json({"kind": "alias", "person": now}) for person, now in leads.items()}
    return [(f"p:{person}", person not in told, told.get(person)) for person in gone]


def _identifiers(people: LakePeople, moved: Collection[Value]) -> list[Told]:
    """Whose these identifiers are now."""
    having = people.persons_having(moved, MOST_PERSONS)
    rows: list[Told] = []
    for value in sorted(moved):
        persons = having.get(value, [])
        few = 1 <= len(persons) <= MOST_PERSONS
        body = _json({"kind": "identifier", "persons": persons}) if few else None
        rows.append((f"i:{value.kind}:{value.hash}", not few, body))
    return rows


def _append(lake: Lake, told: Sequence[Told], batch: int) -> None:
    if told:
        now = datetime.now(UTC)
        rows = [(*one, False, batch, now, now.date()) for one in told]
        outbox = lake.ensure(OUTBOX, table=PROFILES_OUTBOX)
        lake.append(local_rows(lake.spark, rows, _TOLD).coalesce(1), outbox)


def _write(lake: Lake, changes: Sequence[Change], before: Mapping[str, Held], batch: int) -> None:
    rows = [
        _row(one, batch)
        for one in changes
        if one.what != "same" and (one.built is not None or (one.person in before and not before[one.person].deleted))
    ]
    if not rows:
        return
    if any(row[0] in before for row in rows):
        put(lake, PROFILES, rows)
    else:
        told = local_rows(lake.spark, rows, PROFILES.schema)
        lake.append(told.coalesce(1), lake.ensure(PROFILES))


def _row(one: Change, batch: int) -> tuple[Any, ...]:
    now = one.built or {}
    told = (now.get(name) for name in ("body", "digest", "records", "identifiers", "due_at"))
    return (one.person, one.built is None, *told, None, batch)


def _json(body: Mapping[str, object]) -> str:
    return msgspec.json.encode(body).decode()
