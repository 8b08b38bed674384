"""The tables of identity: `people` with its index `identifiers`, `aliases`, `identity_events`, `quarantine`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.identifiers.normalise import Value
from headrace.lake import Assignments, Lake, local_rows
from headrace.profiles.identity import Outcome, Person
from headrace.profiles.links import Node, Ref
from headrace.profiles.records import values
from headrace.tables import ALIASES, IDENTIFIERS, IDENTITY_EVENTS, PEOPLE, QUARANTINE, TableContract

LITERALS = 500
"""As many values go into the plan as literals, so that Delta skips files and Parquet skips pages; more are joined."""


def picked(rows: DataFrame, column: str, wanted: Collection[str]) -> DataFrame:
    """The rows whose column is one of these."""
    if len(wanted) <= LITERALS:
        return rows.where(F.col(column).isin(list(wanted)))
    some = local_rows(rows.sparkSession, [(one,) for one in wanted], f"{column} string")
    return rows.join(F.broadcast(some), column, "left_semi")


class LakePeople:
    """What the lake knows of records, and the writing of what a batch changes."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def having(self, wanted: Collection[Value], most: int) -> Mapping[Value, Collection[Ref]]:
        """Records that may have each value: all that do, or `most` of them where more do."""
        index = picked(self._read(IDENTIFIERS), "hash", {value.hash for value in wanted})
        some = F.slice(F.collect_set(F.struct("record", "key")), 1, most).alias("refs")
        found: dict[Value, Collection[Ref]] = {}
        for row in index.groupBy("kind", "hash").agg(some).toArrow().to_pylist():
            found[Value(row["kind"], row["hash"])] = [Ref(ref["record"], ref["key"]) for ref in row["refs"]]
        return {value: found[value] for value in wanted if value in found}

    def records(self, refs: Collection[Ref]) -> Mapping[Ref, Person]:
        """The records that are known."""
        if not refs:
            return {}
        rows = picked(self._read(PEOPLE), "key", {ref.key for ref in refs})
        found = persons(rows)
        return {ref: found[ref] for ref in refs if ref in found}

    def leading_to(self, persons: Collection[str]) -> Mapping[str, str | None]:
        """The aliases among these ids, and those that lead to one of them."""
        if not self._lake.exists(ALIASES.path) or not persons:
            return {}
        rows = self._read(ALIASES)
        found = picked(rows, "person", persons).union(picked(rows.withColumnRenamed("now", "_now"), "_now", persons))
        return {row["person"]: row["now"] for row in found.toDF(*rows.columns).collect()}

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
            lake.append(local_rows(lake.spark, rows, IDENTIFIERS.schema), lake.ensure(IDENTIFIERS))
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
        told = local_rows(self._lake.spark, rows, PEOPLE.schema)
        if outcome.stored or again:
            merge(self._lake, PEOPLE, told)
        else:
            self._lake.append(told, self._lake.ensure(PEOPLE))

    def _lead(self, outcome: Outcome, batch: int, now: datetime) -> None:
        rows = [(alias, target, batch, now) for alias, target in outcome.aliases.items()]
        told = local_rows(self._lake.spark, rows, ALIASES.schema)
        merge(self._lake, ALIASES, told, delete="s.now <=> ''")

    def _quarantine(self, outcome: Outcome, batch: int, now: datetime) -> None:
        rows = [(*value, count, batch, now) for value, count in outcome.hubs.items()]
        told = local_rows(self._lake.spark, rows, QUARANTINE.schema)
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
        self._lake.append(told, self._lake.ensure(IDENTITY_EVENTS))

    def _forget(self, outcome: Outcome) -> None:
        rows = [(*value, *ref) for value, ref in outcome.removed]
        entries = local_rows(self._lake.spark, rows, "kind string, hash string, record string, key string")
        remove_entries(self._lake, entries)


def merge(lake: Lake, contract: TableContract, rows: DataFrame, delete: str = "") -> None:
    """Update the rows that are there, by the contract's key, and insert the others.

    Args:
        delete: SQL over a row `s`: what it holds for is deleted instead.
    """
    relative = lake.ensure(contract)
    every: Assignments = {column: f"s.{column}" for column in rows.columns}
    with lake.writing(relative):
        builder = lake.table(relative).alias("t").merge(rows.alias("s"), _same_key(contract))
        if delete:
            builder = builder.whenMatchedDelete(delete)
        builder = builder.whenMatchedUpdate(set=every)
        builder.whenNotMatchedInsert(f"NOT ({delete or False})", values=every).execute()


def remove_entries(lake: Lake, entries: DataFrame) -> None:
    """Take entries, columns as the key of `identifiers`, out of the index."""
    relative = lake.ensure(IDENTIFIERS)
    with lake.writing(relative):
        builder = lake.table(relative).alias("t").merge(entries.distinct().alias("s"), _same_key(IDENTIFIERS))
        builder.whenMatchedDelete().execute()


def _same_key(contract: TableContract) -> str:
    return " AND ".join(f"t.{column} = s.{column}" for column in contract.key)


def persons(rows: DataFrame) -> dict[Ref, Person]:
    """Rows of `people` as plain values."""
    columns: Sequence[str | Column] = ("record", "key", "own", "person", "identifiers", "deleted")
    found: dict[Ref, Person] = {}
    for row in rows.select(*columns).toArrow().to_pylist():
        ref = Ref(row["record"], row["key"])
        found[ref] = Person(Node(ref, row["own"], values(row["identifiers"]) or ()), row["person"], row["deleted"])
    return found
