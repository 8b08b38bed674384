"""One micro-batch of envelopes -> ordered tables, tombstones, history, changed_keys.

The order of the writes is what makes a repeat safe: floors before rows, rows before `changed_keys`. After a crash at
any line the same batch, or any batch that holds its events again, brings the lake to the same state.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.changes import freeze, journal
from headrace.changes.derive import Derivations, Derived, keys_of
from headrace.changes.facts import TableFacts, batch_facts
from headrace.changes.formats.declared import declared
from headrace.changes.mend import mend
from headrace.changes.ordered_table import OrderedTable, Outcome
from headrace.changes.schema import SchemaRegistry, TableSchema
from headrace.config import Config
from headrace.lake import Lake, Transaction
from headrace.ordering.floors import Floors
from headrace.ordering.join_settings import BROADCAST, join_settings

Untold = Callable[[Collection[str]], AbstractContextManager[object]]


@dataclass(slots=True)
class BatchResult:
    """What became of one batch, by table; rows that belong to no table stand under "".

    Attributes:
        derived: by derived table, what changed in it.
        newest_changed_at: by the sources' own clocks. oldest_arrived_at: by the transport's.
    """

    tables: dict[str, Outcome] = field(default_factory=dict)
    derived: dict[str, Derived] = field(default_factory=dict)
    newest_changed_at: datetime | None = None
    oldest_arrived_at: datetime | None = None

    def total(self, count: str) -> int:
        """Sum of `sent`, `applied`, `stale`, `rejected` or `ignored` over the tables."""
        return sum(getattr(outcome, count) for outcome in self.tables.values())


class Applier:
    """The one writer of a deployment's ordered tables.

    Args:
        spark: the driver's session.
        config: the settings.
        lake: where to write; the settings' lake by default.
        untold: around a batch that may delete rows of these tables without a trace, should the driver die in it, until
            `changed_keys` tells of them.
    """

    def __init__(
        self, spark: SparkSession, config: Config, lake: Lake | None = None, untold: Untold | None = None
    ) -> None:
        self._untold: Untold = untold or nullcontext
        self._config = config
        self._lake = lake or Lake(spark, config.lake)
        types = {
            name: {column: declared(text)[0] for column, text in table.types.items()}
            for name, table in config.tables.items()
        }
        self._registry = SchemaRegistry(self._lake, config.tables, types)
        self._floors = Floors.load(self._lake, list(config.tables))
        self._progress = journal.load_progress(self._lake, list(config.tables))
        self._tables = {name: OrderedTable(name, table, self._floors) for name, table in config.tables.items()}
        self._broadcast = str(spark.conf.get(BROADCAST))
        self._one_at_a_time = threading.Lock()
        self._derivations = Derivations(spark, config)
        self._derivations.start(self._lake, self._mend())

    def bases(self) -> dict[str, tuple[str, ...]]:
        """By derived table, the tables its SQL reads."""
        return self._derivations.bases()

    def known(self) -> dict[str, dict[str, str]]:
        """Types learned so far, for the decoder."""
        return self._registry.known()

    def apply(
        self, envelopes: DataFrame, batch: str, exact: Transaction | None = None, *, replayed: bool = False
    ) -> BatchResult:
        """Apply one batch; a second one, of another source, waits until it is done.

        So what is derived from both is computed from rows that both have written, by whichever comes last.

        Args:
            envelopes: schema `ENVELOPE`.
            batch: names the batch in `changed_keys`, the log and `batches`: `<source>/<number>`.
            exact: given where a repeat of the batch holds exactly the same rows; log and rejects then skip a repeat.
            replayed: these are messages the lake keeps: they are not logged again, and are no whole dump.

        Returns:
            Counts by table: applied + stale + rejected + ignored = sent.

        Raises:
            Frozen: the source's positions fell behind (see `freeze`).
            ExpectationStopped: a rule with `on_fail: stop` was broken; nothing of the batch was applied.
        """
        with self._one_at_a_time:
            return self._apply(envelopes, batch, exact, replayed)

    def _apply(self, envelopes: DataFrame, batch: str, exact: Transaction | None, replayed: bool) -> BatchResult:
        started = datetime.now(UTC)
        clock = time.monotonic()
        session = envelopes.sparkSession
        # The reduced batch is checkpointed; Delta's own copy of it would double the work.
        session.conf.set("spark.databricks.delta.merge.materializeSource", "none")
        lake = self._lake.on(session)
        envelopes = envelopes.persist()
        try:
            facts = batch_facts(envelopes)
            self._learn(lake, envelopes, facts)
            with self._untold([name for name, found in facts.items() if found.truncates or found.dump]):
                outcomes = self._apply_tables(lake, envelopes, facts, batch, exact, replayed)
                changed = [one.newest_changed_at for one in facts.values() if one.newest_changed_at]
                arrived = [one.oldest_arrived_at for one in facts.values() if one.oldest_arrived_at]
                newest = max(changed, default=None)
                touched = keys_of({name: outcome.changed for name, outcome in outcomes.items()})
                # After all rows: whatever of them belongs together is seen together.
                derived = self._derivations.apply(lake, touched, facts, newest)
                result = BatchResult(outcomes, derived, newest, min(arrived, default=None))
                # In any order: a batch that stops between them comes again and writes them all.
                with ThreadPoolExecutor(3) as pool:
                    journals = [
                        pool.submit(journal.append_rejects, lake, envelopes, facts, outcomes, derived, batch, exact),
                        pool.submit(journal.append_changed_keys, lake, {**outcomes, **derived}, batch),
                        pool.submit(
                            journal.append_batches, lake, outcomes, facts, batch, started, time.monotonic() - clock
                        ),
                    ]
                    for written in journals:
                        written.result()
            self._derivations.told()
        finally:
            for table in self._tables.values():
                table.release()
            envelopes.unpersist()
        self._check_frozen(batch, facts, outcomes)
        return result

    def _mend(self) -> dict[str, DataFrame]:
        """Delete rows below their floors; their keys, by table."""
        mended = {}
        for name, table in self._config.tables.items():
            gone = mend(self._lake, name, table, self._floors)
            if gone is not None:
                journal.append_changed_keys(self._lake, {name: Outcome(changed=[gone])}, "mend/0")
                mended[name] = gone
        return mended

    def _apply_tables(
        self,
        lake: Lake,
        envelopes: DataFrame,
        facts: Mapping[str, TableFacts],
        batch: str,
        exact: Transaction | None,
        replayed: bool,
    ) -> dict[str, Outcome]:
        names = [name for name in facts if name in self._tables and facts[name].changes]
        gaps = any(found.unread for found in facts.values())
        with ThreadPoolExecutor(self._config.apply.parallel_tables) as pool:
            # All of them before anything is written: one may stop the batch.
            ready = [
                pool.submit(
                    self._tables[name].prepare, lake, envelopes, facts[name], self._registry.get(name), replayed, gaps
                )
                for name in names
            ]
            prepared = {name: future.result() for name, future in zip(names, ready, strict=True)}
            rows = max((self._tables[name].rows(lake) for name in names), default=0)
            keys = max((facts[name].changes for name in names), default=0)
            for setting, value in join_settings(rows, keys, self._broadcast).items():
                lake.spark.conf.set(setting, value)
            logged = (
                [pool.submit(journal.append_log, lake, envelopes, batch, exact)]
                if self._config.log.enabled and not replayed
                else []
            )
            running = {name: pool.submit(self._tables[name].apply, lake, prepared[name]) for name in names}
            outcomes = {name: future.result() for name, future in running.items()}
            for future in logged:
                future.result()
        for name, found in facts.items():
            if name not in outcomes:
                outcomes[name] = Outcome(sent=found.sent)
            outcomes[name].rejected += found.rejected
            outcomes[name].ignored += found.ignored
        return outcomes

    def _learn(self, lake: Lake, envelopes: DataFrame, facts: Mapping[str, TableFacts]) -> None:
        changed: dict[str, TableSchema] = {}
        for name, found in facts.items():
            if name not in self._tables:
                continue
            schema = self._registry.get(name)
            newer = schema.with_partial(()) if found.partial else schema
            if found.news:
                newer = newer.learn(_news(envelopes, name))
            if found.partial:
                newer = newer.with_partial(_left_out(envelopes, name, newer))
            if newer is not schema:
                changed[name] = newer
        self._registry.save(lake, changed)

    def _check_frozen(self, batch: str, facts: Mapping[str, TableFacts], outcomes: Mapping[str, Outcome]) -> None:
        for name, outcome in outcomes.items():
            found = facts[name]
            if name in self._progress and found.changes:
                seen = freeze.Seen(found.changes, outcome.stale, found.newest_position, found.newest_changed_at)
                source = self._config.tables[name].source
                freeze.check(self._progress[name], seen, name, source, self._config.apply)


def _news(envelopes: DataFrame, table: str) -> list[tuple[str, str]]:
    """New (column, type) pairs: columns in the payload's order, of one column the most frequent type first.

    So one odd value in the first batch does not decide what a column is.
    """
    told = envelopes.where((F.col("table") == table) & F.col("types").isNotNull())
    entries = told.select(F.posexplode(F.map_entries(F.from_json("types", "map<string, string>"))))
    pairs = entries.groupBy("col.key", "col.value").agg(F.min("pos").alias("place"), F.count(F.lit(1)).alias("rows"))
    found = pairs.collect()
    places: dict[str, int] = {}
    for row in found:
        places[row["key"]] = min(row["place"], places.get(row["key"], row["place"]))
    in_order = sorted(found, key=lambda row: (places[row["key"]], row["key"], -row["rows"], row["value"]))
    return [(row["key"], row["value"]) for row in in_order]


def _left_out(envelopes: DataFrame, table: str, schema: TableSchema) -> set[str]:
    partial = envelopes.where((F.col("table") == table) & F.col("sent").isNotNull())
    everything = {column.source for column in schema.columns}
    left_out = (everything - set(row["sent"]) for row in partial.select("sent").distinct().collect())
    return reduce(lambda one, other: one | other, left_out, set())
