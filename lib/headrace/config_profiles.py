"""Settings of `build_profiles`: which rows are about people, what links them, what a profile holds, where it goes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import (
    Contradiction,
    Duration,
    Name,
    Names,
    Positive,
    Settings,
    Text,
    Timeout,
    shared,
    unknown_name,
)
from headrace.config_identifiers import STANDARD, Identifier, default
from headrace.config_keyed_stores import ProfileStore, one_place_each

By = Annotated[dict[Name, Text], Field(min_length=1)]
"""Whose a row is: records by name, each with the column that holds their key, or an identifier with its column. The
first that leads to a person counts."""


class Record(Settings):
    """Rows of an ordered table, each about one person.

    Attributes:
        since: the column that says when the record began: the oldest record gives a person its id. Where it is null or
            not given, the time of the change that was seen first.
        identifiers: by kind, the column with it, or SQL over the row.
        fields: by the profile's field, the column with it, or SQL over the row.
    """

    table: str
    since: str | None = None
    identifiers: Annotated[dict[Name, Text], Field(min_length=1)]
    fields: dict[Name, Text] = Field(default_factory=dict)


class ProfileField(Settings):
    """How a field's value is chosen among the records of a person; one without a value is passed over.

    Attributes:
        choose: the `newest` change, the first record of `order` that has one, the `longest` text, or the
            `most_frequent`; what is left open, the newest settles.
        order: records, most trusted first; those not named come last.
        purpose: what a person must have agreed to before a prompt shows it.
    """

    choose: Literal["newest", "source", "longest", "most_frequent"] = "newest"
    order: Names = ()
    purpose: str | None = None


class Related(Settings):
    """Rows of an ordered or derived table that belong to people, such as bookings.

    Attributes:
        columns: those a profile shows; all where not given.
        sort: columns, with `-` before those that go down.
        most: rows a profile shows; it counts the rest.
        where: SQL; other rows are left out.
        purpose: what a person must have agreed to before a prompt shows them.
    """

    table: str
    by: By
    columns: Names = ()
    sort: Names = ()
    most: Annotated[int, Field(gt=0, le=500)] = 20
    where: Text | None = None
    purpose: str | None = None


class Consent(Settings):
    """Rows that say what a person agreed to, one for each statement.

    Attributes:
        purpose, granted, basis, at: columns: what for, whether, on which lawful basis, and when. Of two statements at
            the same time the refusal counts.
        until: the column with the end of a statement.
        default: purposes that need no statement, e.g. to fulfil a contract.
    """

    table: str
    by: By
    purpose: str = "purpose"
    granted: str = "granted"
    basis: str | None = None
    at: str = "at"
    until: str | None = None
    default: Names = ()


class Behaviour(Settings):
    """Rows of an ordered table that say what people did.

    Attributes:
        at: the column with the time.
        sums: numbers to add up, by name: a column or SQL.
        top: values to count, by name: a column or SQL; the `most` most frequent are shown.
        last: columns of the newest event that are shown.
        session_gap: a pause that ends a session.
        keep: for how long events count.
    """

    table: str
    by: By
    at: str
    sums: dict[Name, Text] = Field(default_factory=dict)
    top: dict[Name, Text] = Field(default_factory=dict)
    last: Names = ()
    most: Annotated[int, Field(gt=0, le=50)] = 5
    session_gap: Timeout = timedelta(minutes=30)
    keep: Timeout = timedelta(days=30)
    purpose: str | None = None


class Profiles(Settings):
    """Records in, one profile for each person out.

    Attributes:
        rules: `standard` brings kinds of identifiers with it (docs/profiles.md); those under `identifiers` go before.
        hash_key: a secret; identifiers are kept as keyed hashes only. Another key makes all of them new.
        hub: records that share one value before it links nobody any more.
        largest: records a person may have; of more the weakest links do not hold.
        driver_links: links that are put together in the driver; more of them in Spark.
        windows: for how long behaviour is summed up, in whole hours.
        max_bytes: of a profile; the oldest related rows go first.
        max_field_bytes: of one value; a longer one is refused.
    """

    records: Annotated[dict[Name, Record], Field(min_length=1)]
    rules: Literal["standard"] | None = None
    identifiers: dict[Name, Identifier] = Field(default_factory=dict)
    fields: dict[Name, ProfileField] = Field(default_factory=dict)
    related: dict[Name, Related] = Field(default_factory=dict)
    consent: Consent | None = None
    behaviour: dict[Name, Behaviour] = Field(default_factory=dict)
    stores: Annotated[dict[Name, ProfileStore], Field(min_length=1)]
    hash_key: SecretStr
    hub: Annotated[int, Field(ge=2)] = 50
    largest: Annotated[int, Field(ge=2, le=5000)] = 500
    driver_links: Positive = 1_000_000
    windows: tuple[Duration, ...] = (timedelta(hours=1), timedelta(hours=24), timedelta(days=7), timedelta(days=30))
    max_bytes: Positive = 65_536
    max_field_bytes: Positive = 4_096
    trigger: Duration = timedelta(seconds=2)
    keep_outbox: Timeout = timedelta(days=7)

    @model_validator(mode="after")
    def _hash_key_is_long(self) -> "Profiles":
        length = len(self.hash_key.get_secret_value())
        if length < 16:
            example = "hash_key: {secret: env:HEADRACE_HASH_KEY}"
            raise Contradiction("hash_key", "a secret of at least 16 characters", f"{length} of them", example)
        return self

    def kinds(self) -> dict[str, Identifier]:
        """Every kind of identifier that records have or can make of their parts."""
        known = {**STANDARD, **self.identifiers} if self.rules == "standard" else self.identifiers
        named = {kind for record in self.records.values() for kind in record.identifiers} | set(self.identifiers)
        named |= {part for one in self.identifiers.values() for part in (*one.of, *one.agree, *one.unless)}
        made = {kind for kind, one in known.items() if one.of and named.issuperset(one.of)}
        compared = {part for kind in named & known.keys() for part in (*known[kind].agree, *known[kind].unless)}
        return {kind: known.get(kind) or default(kind) for kind in sorted(named | made | compared)}

    def found_by(self) -> list[str]:
        """The kinds of identifiers by which a person can be looked up."""
        return [kind for kind, one in self.kinds().items() if one.links and not one.of]

    def field_rules(self) -> dict[str, ProfileField]:
        """Every field of a profile."""
        named = [name for record in self.records.values() for name in record.fields]
        return {name: self.fields.get(name, ProfileField()) for name in dict.fromkeys([*self.fields, *named])}

    def tables(self) -> dict[str, list[str]]:
        """The tables it reads, each with the places of the settings that name it."""
        found: dict[str, list[str]] = {}
        for place, one in self._reads():
            found.setdefault(one, []).append(place)
        return found

    def _reads(self) -> Iterator[tuple[str, str]]:
        for group in ("records", "related", "behaviour"):
            for name, one in getattr(self, group).items():
                yield f"profiles.{group}.{name}.table", one.table
        if self.consent:
            yield "profiles.consent.table", self.consent.table

    def misfits(self, keys: Mapping[str, Sequence[str]]) -> Iterator[Contradiction]:
        """What does not fit.

        Args:
            keys: of every ordered and derived table, its key columns.
        """
        for table, places in self.tables().items():
            if table not in keys:
                yield from (unknown_name(place, table, "tables", sorted(keys)) for place in places)
        yield from self._kinds_fit()
        yield from self._owners_fit(keys)
        yield from self._orders_fit()
        yield from one_place_each("profiles.stores", self.stores)

    def _kinds_fit(self) -> Iterator[Contradiction]:
        kinds = self.kinds()
        for name in shared(self.records, kinds):
            expected = "a name that no identifier has, as `by` names both"
            yield Contradiction(f"profiles.records.{name}", expected, name, f"{name}_records: ...")
        for kind, one in kinds.items():
            for part in one.of:
                if kinds[part].of:
                    yield Contradiction(
                        f"profiles.identifiers.{kind}.of",
                        "kinds that are not made of others",
                        part,
                        "of: [family_name, born]",
                    )
        direct = {kind for record in self.records.values() for kind in record.identifiers}
        for kind in sorted(direct):
            if kinds[kind].of:
                expected = "no column of its own in records, as it is made of its parts"
                example = f"{kind}: {{normalise: text}}"
                yield Contradiction(f"profiles.identifiers.{kind}.of", expected, f"one for {kind}", example)
        if not any(one.links for one in kinds.values()):
            expected = "a kind that links; without one every record is a person"
            yield Contradiction("profiles.identifiers", expected, "none", "email: {normalise: email}")

    def _owners_fit(self, keys: Mapping[str, Sequence[str]]) -> Iterator[Contradiction]:
        kinds = self.kinds()
        for where, by in self._owners():
            for name in by:
                record = self.records.get(name)
                if record is None and name not in kinds:
                    known = sorted([*self.records, *kinds])
                    expected = f"one of the records and identifiers ({', '.join(known)})"
                    yield Contradiction(f"{where}.by.{name}", expected, name, f"by: {{{known[0]}: ...}}")
                elif record and len(keys.get(record.table, ("",))) > 1:
                    expected = "records with a key of one column"
                    yield Contradiction(
                        f"{where}.by.{name}", expected, ", ".join(keys[record.table]), "by: {email: mail}"
                    )

    def _owners(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        for group in ("related", "behaviour"):
            for name, one in getattr(self, group).items():
                yield f"profiles.{group}.{name}", one.by
        if self.consent:
            yield "profiles.consent", self.consent.by

    def _orders_fit(self) -> Iterator[Contradiction]:
        for name, field in self.fields.items():
            for record in field.order:
                if record not in self.records:
                    yield unknown_name(f"profiles.fields.{name}.order", record, "records", sorted(self.records))
        for window in self.windows:
            if window.total_seconds() % 3600 or not window:
                yield Contradiction("profiles.windows", "whole hours", str(window), "windows: [1h, 24h, 7d, 30d]")
