"""Why somebody is one person: the records, what links them, and every merge and split with its cause. No Spark."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from headrace.config import Config
from headrace.config_profiles import Profiles
from headrace.errors import ConfigError, NotThere
from headrace.identifiers.normalise import Normaliser, TooLong, Value, normaliser
from headrace.pipelines.tables_view import LakeView, by_key
from headrace.profiles.person_ids import began
from headrace.stores.delta_reader import ROWS, NeedsSpark, literal
from headrace.tables import ALIASES, IDENTIFIERS, IDENTITY_EVENTS, PEOPLE, QUARANTINE, TABLES

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A value that a record is known by. `shown`: the clear value, masked, or a part of its hash."""

    kind: str
    shown: str
    hash: str
    links: bool
    quarantined: bool


@dataclass(frozen=True, slots=True)
class RecordOf:
    """A record of the person."""

    record: str
    key: str
    since: datetime | None
    known_by: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of identity."""

    at: datetime
    kind: str
    person: str
    others: tuple[str, ...]
    cause: str
    position: str | None
    by: tuple[str, ...]
    records: tuple[str, ...]
    why: str | None


@dataclass(frozen=True, slots=True)
class PersonStory:
    """Everything that is known of who somebody is.

    Attributes:
        asked: ids that lead to the person since.
    """

    person: str
    asked: tuple[str, ...] = ()
    records: tuple[RecordOf, ...] = ()
    events: tuple[Happened, ...] = ()
    notes: tuple[str, ...] = ()
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def explain(config: Config, who: str, kind: str | None = None, view: LakeView | None = None) -> list[PersonStory]:
    """The story of everybody that an id, or an identifier, leads to.

    Args:
        who: a person's id, now or earlier, or the value of an identifier.
        kind: of the identifier; any where not given.
        view: what reads the lake; a new one where not given.

    Raises:
        ConfigError: the settings have no profiles, or no such kind.
        NotThere: nobody is known.
    """
    teller, found = _found(config, who, kind, view)
    return [teller.story(person) for person in found]


def people(config: Config, who: str, view: LakeView | None = None) -> list[str]:
    """The ids of everybody that an id, or an identifier, leads to. Raises as `explain` does."""
    return _found(config, who, None, view)[1]


def _found(config: Config, who: str, kind: str | None, view: LakeView | None) -> "tuple[_Teller, list[str]]":
    settings = config.profiles
    if settings is None:
        raise ConfigError(
            where="profiles", expected="records about people", found="nothing", todo="See docs/profiles.md."
        )
    kinds = settings.found_by()
    if kind is not None and kind not in kinds:
        raise ConfigError(where="--kind", expected=f"one of {', '.join(kinds)}", found=kind, todo="Name one of these.")
    teller = _Teller(view or LakeView(config), config, settings)
    found = [] if kind else teller.by_id(who)
    found = found or teller.by_identifier(who, [kind] if kind else kinds)
    if not found:
        raise NotThere(
            where=who if kind is None else kind,
            expected="a person's id, or an identifier that somebody has",
            found="nobody",
            todo=f"Identifiers are looked up by {', '.join(kinds)}; `build_profiles` must have run.",
        )
    return teller, found


class _Teller:
    """Reads the tables of identity."""

    def __init__(self, view: LakeView, config: Config, settings: Profiles) -> None:
        self._view, self._config, self._settings = view, config, settings
        self._hashing: Normaliser = normaliser(settings)

    def by_id(self, who: str) -> list[str]:
        """The person of an id, or of the one it leads to."""
        if self._rows(PEOPLE.path, f"person = {literal(who)} AND NOT deleted LIMIT 1"):
            return [who]
        leads = self._rows(ALIASES.path, f"person = {literal(who)}")
        return [row["now"] for row in leads if row["now"]]

    def by_identifier(self, who: str, kinds: Sequence[str]) -> list[str]:
        """Everybody who has this identifier."""
        for kind in kinds:
            try:
                plain = self._hashing.plain(kind, who)
            except TooLong:
                continue
            if not plain:
                continue
            hashed = self._hashing.hashed(kind, plain)
            rows = self._rows(IDENTIFIERS.path, f"hash = {literal(hashed)} LIMIT 50")
            records = [f"(record = {literal(row['record'])} AND `key` = {literal(row['key'])})" for row in rows]
            if records:
                people = self._rows(PEOPLE.path, f"NOT deleted AND ({' OR '.join(records)})")
                return sorted({row["person"] for row in people})
        return []

    def story(self, person: str) -> PersonStory:
        """One person's."""
        people = self._rows(PEOPLE.path, f"person = {literal(person)} AND NOT deleted")
        led = self._rows(ALIASES.path, f"`now` = {literal(person)}")
        records = tuple(self._record(row) for row in sorted(people, key=lambda row: row["own"]))
        ids = [person, *(row["person"] for row in led)]
        names = {one.hash: f"{one.kind} {one.shown}" for record in records for one in record.known_by}
        events = tuple(self._happened(row, names) for row in self._events(ids))
        notes = () if records else ("Nobody is left under this id.",)
        return PersonStory(person, tuple(ids[1:]), records, events, notes, links(records))

    def _events(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        wanted = ", ".join(map(literal, ids))
        others = " OR ".join(f"array_has(others, {literal(one)})" for one in ids)
        order = f"ORDER BY batch, at LIMIT {MOST_EVENTS}"
        rows = self._rows(IDENTITY_EVENTS.path, f"person IN ({wanted}) OR {others} {order}")
        return list({row["event"]: row for row in rows}.values())

    def _happened(self, row: Mapping[str, Any], names: Mapping[str, str]) -> Happened:
        by = tuple(names.get(one["hash"], f"{one['kind']} #{one['hash'][:8]}") for one in row["identifiers"] or ())
        records = tuple(f"{one['record']} {_plain(one['key'])}" for one in row["records"] or ())
        cause = f"{row['record']} {_plain(row['key'])}"
        return Happened(
            row["at"], row["kind"], row["person"], tuple(row["others"] or ()), cause, row["position"] or None, by,
            records, row["why"],
        )  # fmt: skip

    def _record(self, row: Mapping[str, Any]) -> RecordOf:
        clear = self._clear(row["record"], row["key"])
        hubs = self._quarantined([one["hash"] for one in row["identifiers"]])
        known = tuple(
            Known(
                one["kind"], clear.get(Value(one["kind"], one["hash"]), f"#{one['hash'][:8]}"), one["hash"],
                self._hashing.kinds[one["kind"]].links if one["kind"] in self._hashing.kinds else False,
                one["hash"] in hubs,
            )
            for one in row["identifiers"]
        )  # fmt: skip
        return RecordOf(row["record"], _plain(row["key"]), began(row["own"]), known)

    def _quarantined(self, hashes: Iterable[str]) -> set[str]:
        wanted = ", ".join(map(literal, hashes))
        rows = self._rows(QUARANTINE.path, f"hash IN ({wanted})") if wanted else []
        return {row["hash"] for row in rows}

    def _clear(self, record: str, key: str) -> dict[Value, str]:
        """Masked values of the identifiers that are columns, by what they are kept as."""
        settings = self._settings.records.get(record)
        if settings is None:
            return {}
        relative = TABLES.format(table=settings.table)
        columns = dict(self._view.columns(relative))
        try:
            rows = by_key(self._view, relative, self._config.keys()[settings.table], [key], "_position")
        except NeedsSpark:  # and there is none: hashes are shown instead
            return {}
        found: dict[Value, str] = {}
        for row in rows[:1]:
            for kind, text in settings.identifiers.items():
                if text in columns and row[text] is not None and kind in self._hashing.kinds:
                    found |= self._masked(kind, str(row[text]))
        return found

    def _masked(self, kind: str, text: str) -> dict[Value, str]:
        try:
            plain = self._hashing.plain(kind, text)
        except TooLong:
            return {}
        return {Value(kind, self._hashing.hashed(kind, plain)): masked(plain)} if plain else {}

    def _rows(self, relative: str, rest: str) -> list[dict[str, Any]]:
        return self._view.query(relative, f"SELECT * FROM {ROWS} WHERE {rest}")


def masked(text: str) -> str:
    """Enough of a value to recognise it: its first letter, of an e-mail address that of each part, and its end."""
    if "@" in text:
        name, _, host = text.partition("@")
        return f"{name[:1]}***@{host[:1]}***.{host.rpartition('.')[2]}"
    return f"{text[:1]}***{text[-2:]}" if len(text) > 4 else f"{text[:1]}***"


def links(records: Sequence[RecordOf]) -> dict[str, tuple[str, ...]]:
    """What several records have in common, each with these records: different values have different names."""
    names: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for record in records:
        for one in record.known_by:
            if one.links and not one.quarantined:
                names[one.hash] = f"{one.kind} {one.shown}"
                found.setdefault(one.hash, []).append(f"{record.record} {record.key}")
    alike = Counter(names.values())
    # Two values may look the same behind the mask.
    told = {value: name + (f" #{value[:8]}" if alike[name] > 1 else "") for value, name in names.items()}
    return {told[value]: tuple(some) for value, some in found.items() if len(some) > 1}


def _plain(key: str) -> str:
    values = json.loads(key)
    return str(values[0]) if len(values) == 1 else key
