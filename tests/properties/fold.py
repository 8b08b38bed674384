"""A row as a fold over its events, in plain Python: what the applier stores between batches and how a batch moves it.

This is the design in miniature, to be proved before Spark is asked. Each flag switches one rule off.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headrace.changes.envelope import Change, Row
from headrace.ordering.position import LOWEST

Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Rules:
    """Which rules of the fold are on."""

    guard_updates: bool = True
    guard_deletes: bool = True
    tombstones: bool = True
    truncate_watermark: bool = True
    carried_values: bool = True
    floor_nulls_carried: bool = True
    reduce_by_column: bool = True


@dataclass
class Stored:
    """A stored row: values, its own position, and the position of every value."""

    values: Row
    position: str
    carried: dict[str, str]


@dataclass
class Fold:
    """One table between batches."""

    key: Sequence[str]
    columns: Sequence[str]
    rules: Rules = Rules()
    rows: dict[Key, Stored] = field(default_factory=dict)
    tombstones: dict[Key, str] = field(default_factory=dict)
    watermark: str = LOWEST

    def apply(self, batch: Sequence[Change]) -> None:
        """Move the table by one batch: floors first, then the rows of the touched keys."""
        below: str = LOWEST
        for change in batch:
            if change.op == "truncate":
                below = max(below, change.position)
        if self.rules.truncate_watermark:
            self.watermark = max(self.watermark, below)
        for key in self._truncated(below):
            self._lay_floor(key, below)
        by_key: dict[Key, list[Change]] = {}
        for change in batch:
            if change.op != "truncate":
                by_key.setdefault(tuple(change.after.get(column) for column in self.key), []).append(change)
        for key, changes in by_key.items():
            deletes = [change.position for change in changes if change.op == "delete"]
            upserts = [change for change in changes if change.op == "upsert"]
            self._apply_key(key, max([below, *deletes]), upserts)

    def _truncated(self, below: str) -> list[Key]:
        return list(self.rows) if below else []

    def _apply_key(self, key: Key, floor: str, upserts: list[Change]) -> None:
        if self.rules.tombstones:
            floor = self.tombstones[key] = max(floor, self.tombstones.get(key, LOWEST))
        if self.rules.truncate_watermark:
            floor = max(floor, self.watermark)
        self._lay_floor(key, floor)
        above = [change for change in upserts if change.position > floor]
        if not self.rules.reduce_by_column and above:
            above = [max(above, key=lambda change: change.position)]
        for change in sorted(above, key=lambda change: change.position):
            self._merge(key, change)

    def _lay_floor(self, key: Key, floor: str) -> None:
        row = self.rows.get(key)
        if row is None or not floor:
            return
        if row.position < floor or not self.rules.guard_deletes:
            del self.rows[key]
        elif self.rules.floor_nulls_carried:
            for column, position in row.carried.items():
                if position < floor:
                    row.values[column], row.carried[column] = None, LOWEST

    def _merge(self, key: Key, change: Change) -> None:
        nobody = Stored(dict.fromkeys(self.columns), LOWEST, dict.fromkeys(self.columns, LOWEST))
        row = self.rows.setdefault(key, nobody)
        newest = change.position > row.position
        if not self.rules.guard_updates or newest:
            row.position = change.position
        for column in self.columns if change.sent is None else change.sent:
            better = change.position > row.carried[column] if self.rules.carried_values else newest
            if better or not self.rules.guard_updates:
                row.values[column], row.carried[column] = change.after.get(column), change.position


def folded(batches: Iterable[Sequence[Change]], key: Sequence[str], columns: Sequence[str], rules: Rules) -> Fold:
    """The table after all batches."""
    fold = Fold(key, columns, rules)
    for batch in batches:
        fold.apply(batch)
    return fold
