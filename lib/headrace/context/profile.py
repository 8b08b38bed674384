"""Who a person is, at prompt time: by id or by any identifier, from whichever store holds the profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from headrace.errors import Fatal
from headrace.identifiers.normalise import Normaliser, TooLong
from headrace.ports import Found, KeyedReader

MOST = 10
"""Ids of one identifier that are read."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's profile.

    Attributes:
        person: the id it is kept under now.
        version: the store's, to tell two states apart.
        document: as `docs/profile-schema.md` describes it.
        asked: the id that was asked for, where it leads to this one; empty otherwise.
    """

    person: str
    version: int
    document: Mapping[str, Any] = field(repr=False)
    asked: str = ""

    def ages(self, now: datetime | None = None) -> dict[str, float | None]:
        """By table, the seconds since the newest change that this profile holds; None where nobody knows."""
        moment = now or datetime.now(UTC)
        return {table: _age(one["changed_at"], moment) for table, one in self.document["sources"].items()}


@dataclass(frozen=True, slots=True)
class Known:
    """One person who has been looked up, in the place of `Profiles`: nothing is read again."""

    profile: Profile

    def of(self, person: str) -> Profile | None:
        """The profile of this id; None for anybody else's."""
        return self.profile if person == self.profile.person else None


class Profiles:
    """Looks people up in one store.

    Args:
        normaliser: of the same settings and the same secret as the job's.
        kinds: of identifiers to look for, in this order, where nobody says which.
    """

    def __init__(self, reader: KeyedReader, normaliser: Normaliser, kinds: Sequence[str]) -> None:
        self._reader, self._normaliser, self._kinds = reader, normaliser, tuple(kinds)

    def of(self, person: str) -> Profile | None:
        """The profile of an id, or of the one it leads to since two people were found to be one; None for nobody."""
        return self._of([person]).get(person)

    def having(self, kind: str, value: str) -> list[Profile]:
        """The people that have an identifier: one, none, or several where they share it.

        Raises:
            Fatal: no identifier is of this kind.
        """
        if kind not in self._kinds:
            known = ", ".join(self._kinds)
            raise Fatal(expected=f"one of {known}", found=kind, todo="Name a kind of the settings.", where="identifier")
        key = self._key(kind, value)
        held = self._reader.read([key]) if key else {}
        persons = list(held[key].body["persons"])[:MOST] if key in held else []
        found = {one.person: one for one in self._of(persons).values()}
        return [found[person] for person in sorted(found)]

    def find(self, who: str) -> list[Profile]:
        """The people that an id or an identifier of any kind leads to."""
        found = self.of(who)
        if found is not None:
            return [found]
        for kind in self._kinds:
            if some := self.having(kind, who):
                return some
        return []

    def close(self) -> None:
        """Give back the connection."""
        self._reader.close()

    def _key(self, kind: str, value: str) -> str:
        try:
            plain = self._normaliser.plain(kind, value)
        except TooLong:
            return ""
        return f"i:{kind}:{self._normaliser.hashed(kind, plain)}" if plain else ""

    def _of(self, persons: Sequence[str]) -> dict[str, Profile]:
        if not persons:
            return {}
        held = self._reader.read([f"p:{person}" for person in persons])
        leads = {one: _leads(held.get(f"p:{one}")) for one in persons}
        targets = [target for target in leads.values() if target]
        # The survivor of a merge is written before the ids that lead to it.
        held |= self._reader.read([f"p:{target}" for target in targets]) if targets else {}
        found: dict[str, Profile] = {}
        for person, target in leads.items():
            one = held.get(f"p:{target or person}")
            if one is not None and one.body.get("kind") == "profile":
                document = one.body["profile"]
                found[person] = Profile(document["person"], one.version, document, person if target else "")
        return found


def _leads(found: Found | None) -> str:
    return str(found.body["person"]) if found is not None and found.body.get("kind") == "alias" else ""


def _age(text: str | None, now: datetime) -> float | None:
    return None if text is None else (now - datetime.fromisoformat(text)).total_seconds()
