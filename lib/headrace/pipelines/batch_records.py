"""The records of one table's batches: in which order they were applied, and whether the log still tells them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.tables import BATCHES, CHANGES_LOG


@dataclass(frozen=True, slots=True)
class BatchRecords:
    """`rows`: `batch` (null for a replay), `sent`, `finished_at`; in the order they were applied."""

    rows: Sequence[dict[str, Any]]

    def place(self, batch: str, arrived_at: datetime | None) -> int:
        """Where a batch of the log stands among the records; behind them while it has none.

        A new checkpoint counts from 0 again, so a number alone does not name a batch: it is the first of that number
        that ended after the event had arrived.
        """
        _, _, number = batch.rpartition("/")
        same = [place for place, row in enumerate(self.rows) if str(row["batch"]) == number]
        if not same:
            return len(self.rows) + (int(number) if number.isdigit() else 0)
        later = (place for place in same if arrived_at is None or self.rows[place]["finished_at"] >= arrived_at)
        return next(later, same[-1])

    def place_at(self, moment: datetime | None) -> int:
        """Where the batch stands that was running at a time; -1 where nothing is known."""
        if moment is None or not self.rows:
            return -1
        return next((place for place, row in enumerate(self.rows) if row["finished_at"] >= moment), len(self.rows))

    @property
    def sent(self) -> int:
        """Messages of all batches but replays, which are not logged."""
        return sum(row["sent"] for row in self.rows if row["batch"] is not None)

    @property
    def replayed(self) -> int:
        """Messages taken in again by replays."""
        return sum(row["sent"] for row in self.rows if row["batch"] is None)


def batch_records(view: LakeView, table: str) -> BatchRecords:
    """The records of a table's batches."""
    sql = f"SELECT batch, sent, finished_at FROM {ROWS} WHERE `table` = {literal(table)} ORDER BY started_at"
    return BatchRecords(view.query(BATCHES.path, sql))


def is_complete(view: LakeView, table: str, records: BatchRecords) -> bool:
    """Whether the log still holds every message of the table that was ever taken in."""
    sql = f"SELECT count(*) AS n FROM {ROWS} WHERE `table` = {literal(table)}"
    found = view.query(CHANGES_LOG.path, sql)
    return (int(found[0]["n"]) if found else 0) >= records.sent
