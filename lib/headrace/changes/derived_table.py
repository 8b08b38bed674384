"""One derived table: which of its rows a batch may have changed, and how they are written.

A row's position says which write of its table made it (`derived_rows.Positions`). So it grows with every change of the
row, even where the change is that a base row went; and a repeat, which changes nothing, leaves it.
"""

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from headrace.changes import derive_query, derived_rows, reached
from headrace.changes.derive_settings import Derivation, Fitted, fitted
from headrace.changes.derived_rows import Difference, Positions
from headrace.changes.some_keys import Keys
from headrace.lake import Lake
from headrace.ordering.join_settings import BROADCAST, join_settings
from headrace.tables import TABLES

log = logging.getLogger("headrace")

MADE_OF = "headrace.derive"
"""The property with the fingerprint of the settings that all rows of the table were computed by."""
_METHOD = 1
"""Raised when the same SQL gives other rows."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a derived table in a batch.

    Attributes:
        changed: `key, position` of its rows that changed; None where there are none.
        refused: `key, reason, detail` of results that are no row; None where there are none.
    """

    changed: DataFrame | None = None
    refused: DataFrame | None = None


class DerivedTable:
    """Keeps one derived table. Not safe for two batches at a time."""

    def __init__(self, one: Derivation, broadcast: str) -> None:
        self.one, self._broadcast = one, broadcast
        self._path = TABLES.format(table=one.name)
        self._schemas: dict[str, StructType] = {}
        self._fitted: Fitted | None = None
        self._made: bool | None = None
        self._all_told: bool | None = None
        self._rows: int | None = None
        self._positions: Positions | None = None

    @property
    def name(self) -> str:
        return self.one.name

    def waits_for(self, lake: Lake) -> list[str]:
        """Base tables that are not there yet. Raises ConfigError where they all are and the SQL does not fit them."""
        schemas = {base: derive_query.base_schema(lake, base) for base in self.one.bases}
        there = {base: schema for base, schema in schemas.items() if schema is not None}
        if len(there) == len(schemas) and there != self._schemas:
            self._fitted = fitted(lake.spark, self.one, there)
            self._schemas = there
        return [base for base in schemas if base not in there]

    def apply(
        self, lake: Lake, changed: Mapping[str, DataFrame], whole: Collection[str], changed_at: datetime | None
    ) -> Told:
        """Bring the rows that a batch may have changed up to the base tables' current rows.

        All of them where the settings are other ones than the rows were computed by.

        Args:
            changed: by table, the keys that changed (column `key`).
            whole: tables any row of which may have changed, or gone without a trace.
            changed_at: the newest time of change at the source; now where it is not known.
        """
        mine = {base: changed[base] for base in self.one.bases if base in changed}
        everything = any(base in whole for base in self.one.bases)
        if (self._made and not mine and not everything) or self.waits_for(lake):
            return Told()
        self._made = self._made or self._is_made(lake)
        fits = self._fits(lake)
        if not self._made or everything or not fits:
            return self._compute_all(lake, changed_at, rewritten=not fits)
        return self._compute(lake, mine, changed_at) if mine else Told()

    def owed(self, lake: Lake) -> DataFrame | None:
        """`key, position` of rows that were written and not told of, as the driver died in between; None for none."""
        if self._all_told:
            return None
        owed = derived_rows.untold(lake, self.name)
        self._all_told = owed is None
        return owed

    def told(self) -> None:
        """What was written, and what was owed, is in `changed_keys` now."""
        self._all_told = True

    def _compute(self, lake: Lake, mine: Mapping[str, DataFrame], changed_at: datetime | None) -> Told:
        lake.spark.conf.set(BROADCAST, self._broadcast)
        keys = {base: self._base_keys(base, texts) for base, texts in mine.items()}
        touched = derive_query.touched(lake, self.one, self._fit, self._schemas, keys)
        told = Told()
        if touched.count:
            wanted = touched.among(derive_query.rows(lake, self.one, self._schemas))
            told = self._write(lake, wanted, touched, changed_at)
        self._remember(lake, keys)
        return told

    def _compute_all(self, lake: Lake, changed_at: datetime | None, *, rewritten: bool) -> Told:
        log.info("table=%s is computed as a whole", self.name)
        self._made = False
        lake.spark.conf.set(BROADCAST, self._broadcast)
        wanted = derive_query.rows(lake, self.one, self._schemas)
        told = self._write(lake, wanted, None, changed_at, rewritten=rewritten)
        self._remember(lake, None)
        # Last: after a crash before it all is computed once more.
        derived_rows.mark(lake, self._path, MADE_OF, self._fingerprint())
        self._made = True
        return told

    def _write(
        self,
        lake: Lake,
        wanted: DataFrame,
        touched: Keys | None,
        changed_at: datetime | None,
        *,
        rewritten: bool = False,
    ) -> Told:
        schema = self._fit.schema
        key = derive_query.key_columns(schema, self.one.key)
        found = Difference.between(lake, self._path, wanted, schema, key, touched, rewritten=rewritten)
        if not found.rows and not rewritten:
            return Told(None, found.refused())
        before = self._count(lake)
        for setting, value in join_settings(before, found.rows, self._broadcast).items():
            lake.spark.conf.set(setting, value)
        self._all_told = self._rows = None  # unknown until the write is known to have ended
        self._positions = self._positions or Positions(lake, self._path)
        at = self._positions.next()
        found.write(lake, self.name, schema, key, at, changed_at, empty=before == 0)
        self._all_told, self._rows = False, before + found.inserted - found.gone
        return Told(found.keys(at), found.refused())

    def _remember(self, lake: Lake, keys: Mapping[str, Keys] | None) -> None:
        for base, columns in self._fit.remembered.items():
            if keys is None or base in keys:
                key = derive_query.key_columns(self._schemas[base], self.one.keys[base])
                some = None if keys is None else keys[base]
                reached.remember(lake, self.name, base, self._schemas[base], columns, key, some)

    def _base_keys(self, base: str, texts: DataFrame) -> Keys:
        return derive_query.base_keys(self._schemas[base], self.one, base, texts)

    @property
    def _fit(self) -> Fitted:
        assert self._fitted is not None, "waits_for() comes first"
        return self._fitted

    def _is_made(self, lake: Lake) -> bool:
        return lake.exists(self._path) and lake.properties(self._path).get(MADE_OF) == self._fingerprint()

    def _fits(self, lake: Lake) -> bool:
        key = derive_query.key_columns(self._fit.schema, self.one.key)
        return derived_rows.fits(lake, self._path, self._fit.schema, key, same_key=bool(self._made))

    def _count(self, lake: Lake) -> int:
        if self._rows is None:
            self._rows = lake.read(self._path).count()
        return self._rows

    def _fingerprint(self) -> str:
        reach = {base: sql for base, (sql, _) in sorted(self.one.reach.items())}
        told = json.dumps([_METHOD, self.one.sql, list(self.one.key), reach])
        return hashlib.sha256(told.encode()).hexdigest()[:32]
