"""Derived tables: SQL over ordered tables, kept by touched keys.

After a batch's rows are in their tables, each derived table asks which of its keys they lead to, computes these again
from the current rows and writes what differs. So joins are late-safe, and a repeat changes nothing. What changed is
told in `changed_keys` together with the batch's own keys.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from headrace.changes import journal
from headrace.changes.derive_settings import derivations
from headrace.changes.derived_table import DerivedTable, Told
from headrace.changes.facts import TableFacts
from headrace.config import Config
from headrace.lake import Lake
from headrace.ordering.join_settings import BROADCAST

log = logging.getLogger("headrace")

MEND = "derive/0"
"""The batch that `changed_keys` names for what a start computed or made good."""


@dataclass(slots=True)
class Derived:
    """What became of one derived table in a batch, in the shape `changed_keys` and the rejects are written from."""

    changed: list[DataFrame] = field(default_factory=list)
    refused: list[DataFrame] = field(default_factory=list)


class Derivations:
    """All derived tables of a deployment, in the order they depend on each other.

    Raises:
        ConfigError: something is wrong with the SQL, as far as it shows now.
    """

    def __init__(self, spark: SparkSession, config: Config) -> None:
        broadcast = str(spark.conf.get(BROADCAST))
        self._tables = [DerivedTable(one, broadcast) for one in derivations(spark, config)] if config.derive else []

    def bases(self) -> dict[str, tuple[str, ...]]:
        """By derived table, the tables its SQL reads."""
        return {table.name: table.one.bases for table in self._tables}

    def waiting(self, lake: Lake) -> dict[str, list[str]]:
        """By derived table that waits, the tables it reads that are not in the lake yet.

        Raises ConfigError where SQL does not fit those that are.
        """
        missing = {table.name: table.waits_for(lake) for table in self._tables}
        return {name: bases for name, bases in missing.items() if bases}

    def start(self, lake: Lake, mended: Mapping[str, DataFrame]) -> None:
        """Compute what is new in the settings, and what a start changed in base tables.

        Args:
            mended: by base table, keys (column `key`) of rows that were deleted.
        """
        if waiting := self.waiting(lake):
            bases = dict.fromkeys(base for missing in waiting.values() for base in missing)
            log.info("derived tables wait for rows of %s", ", ".join(bases))
        if self._tables:
            derived = self.apply(lake, mended, {}, None)
            journal.append_derived_rejects(lake, derived, MEND)
            self._tell(lake, derived)

    def apply(
        self,
        lake: Lake,
        changed: Mapping[str, DataFrame],
        facts: Mapping[str, TableFacts],
        changed_at: datetime | None,
    ) -> dict[str, Derived]:
        """Bring the derived tables up to the base tables' rows; by table, what changed.

        Args:
            changed: by base table, the keys the batch touched (column `key`).
            facts: of the batch. After a crash nothing shows which rows a truncate or a dump took away; all rows derived
                from such a table are computed again.
        """
        self._mend(lake)
        whole = {name for name, found in facts.items() if found.truncates or found.dump}
        return self._cascade(lake, self._tables, changed, whole, changed_at)

    def told(self) -> None:
        """What `apply` returned is in `changed_keys`."""
        for table in self._tables:
            table.told()

    def _mend(self, lake: Lake) -> None:
        """Tell what was written and not told.

        The last table comes first: a table that others read is told of only after they followed its rows, and what
        they were owed is told before they are written again.
        """
        for number in reversed(range(len(self._tables))):
            table = self._tables[number]
            owed = table.owed(lake)
            if owed is not None:
                log.info("table=%s: rows that were written and not told are told now", table.name)
                later = self._cascade(lake, self._tables[number + 1 :], {table.name: owed}, set(), None)
                self._tell(lake, {table.name: Derived([owed]), **later})

    def _cascade(
        self,
        lake: Lake,
        tables: Sequence[DerivedTable],
        changed: Mapping[str, DataFrame],
        whole: set[str],
        changed_at: datetime | None,
    ) -> dict[str, Derived]:
        known = dict(changed)
        derived: dict[str, Derived] = {}
        for table in tables:
            told: Told = table.apply(lake, known, whole, changed_at)
            if told.changed is not None:
                known[table.name] = told.changed
            changes = [told.changed] if told.changed is not None else []
            refused = [told.refused] if told.refused is not None else []
            if changes or refused:
                derived[table.name] = Derived(changes, refused)
        return derived

    def _tell(self, lake: Lake, derived: Mapping[str, Derived]) -> None:
        journal.append_changed_keys(lake, derived, MEND)
        for table in self._tables:
            if table.name in derived:
                table.told()


def keys_of(frames: Mapping[str, Sequence[DataFrame]]) -> dict[str, DataFrame]:
    """By table, one frame of `key`."""
    return {
        name: reduce(DataFrame.union, [rows.select("key") for rows in parts]) for name, parts in frames.items() if parts
    }
