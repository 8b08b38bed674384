"""The tables of identity: `people` with its index `identifiers`, `aliases`, `identity_events`, `quarantine`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.identifiers.normalise import Value
from headrace.lake import Lake, local_rows
from headrace.profiles.identity import Outcome, Person
from headrace.profiles.links import Node, Ref
from headrace.profiles.records import values
from headrace.profiles.some_rows import (
    FROM_THE_DRIVER,
    LITERALS,
    any_of,
    merge,
    picked,
    put,
    remove_entries,
    remove_some_entries,
)
from headrace.tables import ALIASES, IDENTIFIERS, IDENTITY_EVENTS, PEOPLE, QUARANTINE, TableContract

LARGEST_PERSON = 5000
"""Records that one person may have by any settings (`profiles.largest`)."""


class LakePeople:
    """What the lake knows of records, and the writing of what a batch changes.

    Within a batch a record is read once: nobody else writes these tables.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._held: dict[Ref, Person | None] = {}
        self._having: dict[Value, set[Ref]] = {}
        self._aliases: set[str] | None = None

    def begin(self) -> None:
        """Forget what the last batch read."""
        self._held, self._having, self._aliases = {}, {}, None

    def having(self, wanted: Collection[Value], most: int) -> Mapping[Value, Collection[Ref]]:
        """Records that may have each value: all that do, or `most` of them where more do."""
        unread = {value for value in wanted if value not in self._having}
        found = self._indexed({value.hash for value in unread}, most) if unread else {}
        # Where no more may be left out, all are known for the rest of the batch.
        self._having |= {value: refs for value in unread if len(refs := found.get(value, set())) < most}
        told = {value: self._having.get(value) or found.get(value) for value in wanted}
        return {value: refs for value, refs in told.items() if refs}

    def _indexed(self, hashes: Collection[str], most: int) -> dict[Value, set[Ref]]:
        index = picked(self._read(IDENTIFIERS), "hash", hashes)
        some = F.slice(F.collect_set(F.struct("record", "key")), 1, most).alias("refs")
        rows = index.groupBy("kind", "hash").agg(some).toArrow().to_pylist()
        return {
            Value(row["kind"], row["hash"]): {Ref(ref["record"], ref["key"]) for ref in row["refs"]} for row in rows
        }

    def records(self, refs: Collection[Ref]) -> Mapping[Ref, Person]:
        """The records that are known."""
        unread = {ref for ref in refs if ref not in self._held}
        if unread:
            found = persons(picked(self._read(PEOPLE), "key", {ref.key for ref in unread}))
            # Records of other names with these keys were read too.
            self._held |= {ref: one for ref, one in found.items() if ref not in self._held}
            self._held |= {ref: None for ref in unread - found.keys()}
        return {ref: one for ref in refs if (one := self._held[ref]) is not None}

    def leading_to(self, persons: Collection[str]) -> Mapping[str, str | None]:
        """The aliases among these ids, and those that lead to one of them."""
        if not self._lake.exists(ALIASES.path) or not persons:
            return {}
        rows = self._read(ALIASES).select("person", "now")
        found = rows.where(any_of(F.col("person"), persons) | any_of(F.col("now"), persons))
        if len(persons) > LITERALS:
            found = picked(rows, "person", persons).union(picked(rows, "now", persons).select("person", "now"))
        leads = {row["person"]: row["now"] for row in found.toArrow().to_pylist()}
        self._aliases = leads.keys() & set(persons)
        return leads

    def leads(self, persons: Collection[str]) -> Mapping[str, str]:
        """Where these ids lead, of those that are an alias of somebody."""
        if not persons:
            return {}
        rows = picked(self._read(ALIASES), "person", persons).where("now IS NOT NULL")
        return {row["person"]: row["now"] for row in rows.toArrow().to_pylist()}

    def everybody(self) -> Mapping[Ref, Person]:
        """All records that are known."""
        return persons(self._read(PEOPLE))

    def write(self, outcome: Outcome, batch: int, again: bool = False) -> None:
        """Write what a batch changes. Cut off anywhere, it is made whole by the same outcome written `again`.

        The index gets its entries before a record has the values and keeps them until it has lost them: it may tell of
        too many records, never of too few.
        """
        lake, now = self._lake, datetime.now(UTC)
        if outcome.added:
            rows = [(*value, *ref, batch) for value, ref in outcome.added]
            lake.append(local_rows(lake.spark, rows, IDENTIFIERS.schema).coalesce(1), lake.ensure(IDENTIFIERS))
        if outcome.events:
            self._tell(outcome, batch, now)
        if outcome.hubs:
            self._quarantine(outcome, batch, now)
        if outcome.aliases:
            self._lead(outcome, batch, now)
        if outcome.people:
            self._keep(outcome, batch, again)
        if outcome.removed:
            self._forget(outcome)
        self._held |= outcome.people
        for value, ref in outcome.added:
            self._having.get(value, set()).add(ref)
        for value, ref in outcome.removed:
            self._having.get(value, set()).discard(ref)

    def start(self) -> int:
        """Remove what a crash left in the index; the highest number of a batch so far, -1 for none."""
        lake = self._lake
        newest = [self._newest(table) for table in (PEOPLE, ALIASES, IDENTITY_EVENTS, IDENTIFIERS)]
        if newest[3] > newest[0]:
            held = self._read(PEOPLE).select("record", "key", F.explode("identifiers").alias("_one"))
            held = held.select("record", "key", "_one.kind", "_one.hash")
            keys = list(IDENTIFIERS.key)
            left = self._read(IDENTIFIERS).where(F.col("batch") > newest[0]).join(held, keys, "left_anti")
            remove_entries(self._lake, left.select(*keys))
        return max(newest, default=-1) if lake.exists(PEOPLE.path) else -1

    def persons_of(self, refs: Collection[Ref]) -> dict[Ref, str]:
        """Whose the living ones of these records are."""
        return {ref: found.person for ref, found in self.records(refs).items() if not found.deleted}

    def persons_having(self, wanted: Collection[Value], most: int) -> dict[Value, list[str]]:
        """Of each value the people that have it, lowest ids first; one more than `most` where more have it."""
        if not wanted:
            return {}
        # No more records can belong to so many people.
        having = self.having(wanted, (most + 1) * LARGEST_PERSON)
        whose = self.persons_of({ref for refs in having.values() for ref in refs})
        found = {value: sorted({whose[ref] for ref in refs if ref in whose}) for value, refs in having.items()}
        return {value: some[: most + 1] for value, some in found.items() if some}

    def _read(self, contract: TableContract) -> DataFrame:
        return self._lake.read(self._lake.ensure(contract))

    def _newest(self, contract: TableContract) -> int:
        newest = self._read(contract).agg(F.max("batch")).collect()[0][0]
        return -1 if newest is None else int(newest)

    def _keep(self, outcome: Outcome, batch: int, again: bool) -> None:
        rows = [
            (*ref, one.node.own, one.person, [value._asdict() for value in one.node.values], one.deleted, batch)
            for ref, one in outcome.people.items()
        ]
        if outcome.stored or again:
            put(self._lake, PEOPLE, rows)
        else:
            told = local_rows(self._lake.spark, rows, PEOPLE.schema)
            self._lake.append(told.coalesce(1), self._lake.ensure(PEOPLE))

    def _lead(self, outcome: Outcome, batch: int, now: datetime) -> None:
        rows = [(alias, target, batch, now) for alias, target in outcome.aliases.items()]
        if self._aliases is not None and self._aliases.isdisjoint(outcome.aliases):
            told = local_rows(self._lake.spark, rows, ALIASES.schema)
            self._lake.append(told.coalesce(1), self._lake.ensure(ALIASES))
        else:
            put(self._lake, ALIASES, rows, delete="s.now <=> ''")

    def _quarantine(self, outcome: Outcome, batch: int, now: datetime) -> None:
        rows = [(*value, count, batch, now) for value, count in outcome.hubs.items()]
        told = local_rows(self._lake.spark, rows, QUARANTINE.schema)
        with self._lake.setting(FROM_THE_DRIVER):
            merge(self._lake, QUARANTINE, told, delete="s.records = 0")

    def _tell(self, outcome: Outcome, batch: int, now: datetime) -> None:
        rows = [
            (
                one.id, one.kind, one.person, list(one.others), *one.cause, one.position, one.why or None,
                [value._asdict() for value in one.values], [ref._asdict() for ref in one.records], batch, now,
                now.date(),
            )
            for one in outcome.events
        ]  # fmt: skip
        told = local_rows(self._lake.spark, rows, IDENTITY_EVENTS.schema)
        self._lake.append(told.coalesce(1), self._lake.ensure(IDENTITY_EVENTS))

    def _forget(self, outcome: Outcome) -> None:
        remove_some_entries(self._lake, [(*value, *ref) for value, ref in outcome.removed])


def persons(rows: DataFrame) -> dict[Ref, Person]:
    """Rows of `people` as plain values."""
    columns: Sequence[str | Column] = ("record", "key", "own", "person", "identifiers", "deleted")
    found: dict[Ref, Person] = {}
    for row in rows.select(*columns).toArrow().to_pylist():
        ref = Ref(row["record"], row["key"])
        found[ref] = Person(Node(ref, row["own"], values(row["identifiers"]) or ()), row["person"], row["deleted"])
    return found
