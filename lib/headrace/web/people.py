"""One person's record as the page shows it: what may be shown of the profile, where it comes from, and who they are."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from headrace.context.plain import CHARACTERS, clean
from headrace.context.profile import Profile
from headrace.context.profile_consent import Shown, shown
from headrace.context.profile_text import Section, sections
from headrace.errors import NotThere
from headrace.pipelines.explain import PersonStory, explain
from headrace.web.readers import Who
from headrace.web.refused import Refused, not_there
from headrace.web.world import World


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a profile that was agreed to, and the record it is from.

    Attributes:
        value: a JSON value; long texts are cut.
        age: seconds; None where nobody knows.
    """

    name: str
    value: Any
    record: str
    key: str
    age: float | None


@dataclass(frozen=True, slots=True)
class Person:
    """The whole. `stories`: none where the lake has no identity."""

    person: str
    asked: str
    version: int
    fields: tuple[Field, ...]
    sections: tuple[Section, ...]
    ages: Mapping[str, float | None]
    granted: tuple[str, ...]
    refused: tuple[str, ...]
    left_out: int
    story: PersonStory | None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def read(world: World, who: Who, whom: str) -> Person:
    """A person's record; a line in the audit says that it was read.

    Raises:
        Refused: nobody, several, or another tenant's; nobody learns which.
    """
    if not world.has_people:
        raise not_there("person")
    profile = one_person(world, who, whom)
    world.audit.read(world.now(), who.name, profile.person, "person")
    return person_of(profile, _story(world, profile.person), world.now())


def one_person(world: World, who: Who, whom: str) -> Profile:
    """The one person whom this reader may see. Raises Refused."""
    try:
        found = [one for one in world.find(whom) if may_see(who, one.document, world.config.web.tenant_field)]
    except NotThere:
        found = []
    if len(found) > 1:
        raise Refused(409, f"{len(found)} people share this identifier. Ask by a person's id.")
    if not found:
        raise not_there("person")
    return found[0]


def may_see(who: Who, document: Mapping[str, Any], tenant_field: str | None) -> bool:
    """Whether a profile is of the reader's tenant. A reader without one sees all."""
    if who.sight.tenant is None:
        return True
    field = document["fields"].get(tenant_field)
    return field is not None and field["value"] == who.sight.tenant


def person_of(profile: Profile, story: PersonStory | None, now: datetime) -> Person:
    """What is shown of a profile: only what was agreed to."""
    seen = shown(profile.document, None, now)
    return Person(
        person=profile.person,
        asked=profile.asked,
        version=profile.version,
        fields=tuple(_fields(seen, now)),
        sections=tuple(one for one in sections(seen, now) if one.place != "fields"),
        ages=profile.ages(now),
        granted=seen.granted,
        refused=seen.refused,
        left_out=seen.without_consent,
        story=story,
    )


def _fields(seen: Shown, now: datetime) -> Iterator[Field]:
    for name, one in seen.fields.items():
        changed = one["changed_at"]
        age = (now - datetime.fromisoformat(changed)).total_seconds() if changed else None
        yield Field(name, clean(one["value"], CHARACTERS), one["record"], one["key"], age)


def _story(world: World, person: str) -> PersonStory | None:
    try:
        return explain(world.config, person, view=world.view())[0]
    except NotThere:
        return None
