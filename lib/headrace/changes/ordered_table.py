"""One ordered table: the steps a batch takes into it."""

import logging
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from headrace.changes import carried, dumps, history, moves
from headrace.changes.columns import col, key_text
from headrace.changes.facts import TableFacts
from headrace.changes.schema import TableSchema, ensure_table, system_columns
from headrace.changes.stored_key import key_property
from headrace.changes.table_rows import REASON, Shape, Typing
from headrace.config import Table
from headrace.errors import ExpectationStopped
from headrace.lake import Lake, quoted
from headrace.ordering.collapse import (
    FLOOR,
    KEY,
    NEWEST,
    POSITION,
    PROBLEM,
    REFUSED,
    UNHEARD,
    WARNED,
    above_floors,
    collapse,
)
from headrace.ordering.floors import Floors, TableFloor, add_table_floors, add_tombstones, with_known_floors
from headrace.ordering.guarded_merge import Merged, first_load, merge
from headrace.tables import CARRIED, TABLES

log = logging.getLogger(__name__)

DEFAULT_PROPERTIES = {"delta.enableDeletionVectors": "true"}


@dataclass(slots=True)
class Outcome:
    """What became of one table's part of a batch.

    Attributes:
        changed: frames of `key, position`: every key the batch touched.
        refused: frames of `Typing.rows` with a problem.
        unresolved: frames of envelope rows that were applied but for a value the source left out.
    """

    sent: int = 0
    applied: int = 0
    stale: int = 0
    rejected: int = 0
    ignored: int = 0
    warned: int = 0
    changed: list[DataFrame] = field(default_factory=list)
    refused: list[DataFrame] = field(default_factory=list)
    unresolved: list[DataFrame] = field(default_factory=list)


@dataclass(slots=True)
class Prepared:
    """A table's part of a batch, typed and reduced; nothing is written yet.

    `told`: the rows that are news to the history, where these are others than `rows`.
    """

    facts: TableFacts
    events: DataFrame
    rows: DataFrame
    shape: Shape
    typing: Typing
    reduced: DataFrame
    summary: Row
    truncates: list[TableFloor]
    dump_floor: TableFloor | None = None
    told: DataFrame | None = None
    unresolved: DataFrame | None = None
    replayed: bool = False


class OrderedTable:
    """Applies batches to one table. Not safe for two batches at a time."""

    def __init__(self, name: str, table: Table, floors: Floors) -> None:
        self.name, self._table, self._floors = name, table, floors
        self._path = TABLES.format(table=name)
        self._typing: Typing | None = None
        self._shape: Shape | None = None
        self._rows: int | None = None
        self._cached: list[DataFrame] = []

    def prepare(
        self, lake: Lake, envelopes: DataFrame, facts: TableFacts, schema: TableSchema, replayed: bool, gaps: bool
    ) -> Prepared:
        """Type and reduce this table's events. Raises ExpectationStopped before anything is written.

        Args:
            replayed: rows of a full dump are single ones of it.
            gaps: messages of the batch could not be read, so that any row may be missing in a full dump.
        """
        mine = envelopes.where(F.col("table") == self.name)
        truncates = self._truncates(mine) if facts.truncates else []
        events = mine.where(F.col("op").isin("upsert", "delete"))
        unresolved = None
        if facts.moved:
            events, unresolved = moves.resolve(lake, self._path, events, self._table, schema)
        typing = self._typing
        if typing is None or typing.schema != schema:
            typing = self._typing = Typing(self.name, self._table, schema)
        rows, shape = typing.rows(events)
        dump_floor = told = None
        if facts.dump:
            rows, told, dump_floor = self._dump(lake, self._keep(rows), shape, not replayed, gaps)
        marks = self._floors.of(self.name)
        for position, _ in truncates:
            marks.floor = max(marks.floor, position)
        grouped = collapse(rows, shape.names, shape.key, shape.partial)
        floored = with_known_floors(lake, self._floors, self.name, grouped, facts.oldest_upsert)
        # Not persist(): MERGE refuses a cached source. A checkpoint is read three times and computed once all the same.
        reduced = above_floors(floored, shape.names, shape.key, shape.partial).localCheckpoint(eager=False)
        summary = reduced.agg(
            F.count(KEY).alias("keys"), F.count(POSITION).alias("upserts"), F.count(FLOOR).alias("deletes"),
            F.max(FLOOR).alias("newest_delete"), F.coalesce(F.sum(REFUSED), F.lit(0)).alias("refused"),
            F.coalesce(F.sum(WARNED), F.lit(0)).alias("warned"),
        ).collect()[0]  # fmt: skip
        prepared = Prepared(
            facts, events, rows, shape, typing, reduced, summary, truncates, dump_floor, told, unresolved, replayed
        )
        self._stop_if_asked(prepared)
        return prepared

    def apply(self, lake: Lake, prepared: Prepared) -> Outcome:
        """Write a prepared batch: floors, rows, truncates, history, the floor of a dump; in this order."""
        facts, summary, shape = prepared.facts, prepared.summary, prepared.shape
        if shape.key_known:
            self._ensure(lake, shape)
        if summary["deletes"]:
            add_tombstones(lake, self._floors, self.name, prepared.reduced, summary["newest_delete"])
        if prepared.truncates:
            add_table_floors(lake, self._floors, self.name, "truncate", prepared.truncates)
        merged = self._write(lake, prepared) if summary["keys"] else Merged()
        outcome = Outcome(sent=facts.sent, rejected=int(summary["refused"]), warned=int(summary["warned"]))
        truncated = self._truncate(lake, prepared, outcome) if prepared.truncates and shape.key_known else 0
        if self._table.history is not None and shape.key_known:
            told = prepared.rows if prepared.told is None else prepared.told
            history.record(
                lake, self.name, self._table, prepared.typing, prepared.events, told, prepared.truncates,
                self._floors.of(self.name).next_dump(prepared.dump_floor),
            )  # fmt: skip
        dump = prepared.dump_floor
        if dump and not prepared.replayed and dump[0] not in self._floors.of(self.name).dumps:
            # Last: what is at a floor already is taken for a further part of the same dump.
            add_table_floors(lake, self._floors, self.name, "snapshot", [dump])
        outcome.applied = min(merged.applied, facts.upserts + facts.deletes) + min(truncated, facts.truncates)
        outcome.stale = max(0, facts.changes - outcome.rejected - outcome.applied)
        outcome.changed.append(
            prepared.reduced.where(F.col(KEY).isNotNull()).select(
                F.col(KEY).alias("key"), F.col(NEWEST).alias("position")
            )
        )
        if outcome.rejected:
            outcome.refused.append(prepared.rows.where(F.col(PROBLEM).isNotNull()))
        if prepared.unresolved is not None:
            outcome.unresolved.append(prepared.unresolved)
        return outcome

    def rows(self, lake: Lake) -> int:
        """How many rows the table holds; 0 where there is none."""
        if self._rows is None:
            self._rows = lake.read(self._path).count() if lake.exists(self._path) else 0
        return self._rows

    def release(self) -> None:
        """Let go of what the batch cached."""
        for cached in self._cached:
            cached.unpersist()
        self._cached.clear()

    def _keep(self, rows: DataFrame) -> DataFrame:
        cached = rows.persist()
        self._cached.append(cached)
        return cached

    def _truncates(self, mine: DataFrame) -> list[TableFloor]:
        found = mine.where(F.col("op") == "truncate").groupBy("position").agg(F.max("changed_at").alias("changed_at"))
        return sorted(((row["position"], row["changed_at"]) for row in found.collect()), key=lambda one: one[0])

    def _dump(
        self, lake: Lake, rows: DataFrame, shape: Shape, complete: bool, gaps: bool
    ) -> tuple[DataFrame, DataFrame | None, TableFloor | None]:
        """What a dump changes in the table and in its history, and its floor.

        For the table an older dump is stale row by row; the history compares it with what was known as of it. Nothing
        is deleted where a row is missing or has no readable key, which may be any row's; nor by a further file of a
        dump that was applied.
        """
        marks = self._floors.of(self.name)
        dump = dumps.newest(rows)
        if not dump.floor:
            return rows, None, None
        if complete and (dump.keyless or gaps):
            log.warning("table=%s: this full dump deletes no row: some of its rows could not be read", self.name)
        whole = complete and not gaps and not dump.keyless and dump.floor not in marks.dumps
        told = None
        if self._table.history is not None:
            # Compared by itself: after a crash between the two the table has nothing left to tell the history.
            then = history.as_of(lake, self.name, dumps.end(dump.floor))
            told = dumps.as_changes(rows, shape, then, dump, whole).localCheckpoint()
        if dump.floor >= marks.floor:
            current = lake.read(self._path) if lake.exists(self._path) else None
            rows = dumps.as_changes(rows, shape, current, dump, whole)
        return rows, told, (dump.floor, dump.changed_at)

    def _stop_if_asked(self, prepared: Prepared) -> None:
        if not prepared.summary["refused"] or not any(rule.on_fail == "stop" for rule in self._table.expect):
            return
        first = prepared.rows.where(F.col(REASON) == "expectation stopped").select(PROBLEM, KEY).first()
        if first is not None:
            raise ExpectationStopped(
                where=f"table {self.name}",
                expected=str(first[PROBLEM]).removeprefix("expected "),
                found=f"a row that breaks it, key {first[KEY]}",
                todo="Nothing of this batch was applied. Mend the source, or change on_fail, and start again.",
            )

    def _ensure(self, lake: Lake, shape: Shape) -> None:
        if shape == self._shape:
            return
        properties = {**DEFAULT_PROPERTIES, **_statistics(shape), **self._table.properties}
        properties |= key_property(self._table.key)
        before = lake.read(self._path).columns if lake.exists(self._path) else []
        if CARRIED in before:
            # Before the columns are added: after a crash in between they still count as new.
            for name in shape.partial:
                if name not in before and name != UNHEARD:
                    carried.first_heard(lake, self._path, name)
        ensure_table(lake, self._path, list(shape.columns), system_columns(bool(shape.partial)), properties)
        self._shape = shape

    def _write(self, lake: Lake, prepared: Prepared) -> Merged:
        shape, summary = prepared.shape, prepared.summary
        before = self.rows(lake)
        self._rows = None  # unknown until the write is known to have ended
        if before == 0:
            lake.append(first_load(prepared.reduced, shape.names, shape.partial), self._path)
            merged = Merged(inserted=int(summary["upserts"]))
        else:
            merged = merge(
                lake.table(self._path),
                # Not isNotNull(): Spark takes this for selective and makes no Bloom filter otherwise (join_settings).
                prepared.reduced.where(F.col(KEY) > ""),
                key=shape.key,
                columns=shape.names,
                partial=shape.partial,
                inserts=bool(summary["upserts"]),
            )
        self._rows = before + merged.inserted - merged.deleted
        return merged

    def _truncate(self, lake: Lake, prepared: Prepared, outcome: Outcome) -> int:
        """Delete the rows below the newest truncate; how many truncates that makes effective."""
        newest, _ = prepared.truncates[-1]
        gone = lake.read(self._path).where(F.col(POSITION) < newest)
        keys = gone.select(key_text([col(name) for name in prepared.shape.key]).alias("key"))
        kept = self._keep(keys.withColumn("position", F.lit(newest)))
        count = kept.count()
        if count:
            lake.table(self._path).delete(F.col(POSITION) < newest)
            outcome.changed.append(kept)
            self._rows = None
        if prepared.shape.partial:
            carried.forget_older(lake, self._path, prepared.shape.partial, newest)
        return 1 if count else 0


def _statistics(shape: Shape) -> dict[str, str]:
    """Statistics on key and position only: what the guard and the floors read."""
    return {"delta.dataSkippingStatsColumns": ",".join(quoted(name) for name in [*shape.key, POSITION])}
