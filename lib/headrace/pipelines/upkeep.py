"""Upkeep between batches, inside the job that owns the tables: compaction, retention, tombstone purge, VACUUM."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column

from headrace.config_maintenance import TableMaintenance
from headrace.lake import Lake

log = logging.getLogger("headrace")

EVERY = timedelta(minutes=5)
FILE_SIZES = {
    # Delta's own limit, 1 GiB, would write nearly every file of a table again at each compaction.
    "spark.databricks.delta.optimize.minFileSize": str(64 * 1024 * 1024),
    "spark.databricks.delta.optimize.maxFileSize": str(256 * 1024 * 1024),
}
SORTED = {
    # Below the size of sorted files, which stay as they are when the small ones that came since are joined.
    "spark.databricks.delta.optimize.minFileSize": str(16 * 1024 * 1024),
    # Pages of few rows: who looks for a handful of keys reads as many pages.
    "parquet.page.row.count.limit": "500",
}
SORTED_FILE_BYTES = 64 * 1024 * 1024
WORTH_SORTING_BYTES = 16 * 1024 * 1024
"""Of a table as large the first sort does not wait for files to come: a first fill leaves few, in no order."""
SORTED_ANYWAY_BYTES = 256 * 1024 * 1024
"""A table as small is sorted each time enough files have come; a larger one, which is read and written whole, daily."""
LOOKED_AFTER = "headrace.looked_after_at"
COMPACTED_TO = "headrace.compacted_to_files"
VACUUMED = "headrace.vacuumed_at"
PURGED = "headrace.purged_at"
SORTED_AT = "headrace.sorted_at"
RETENTION = "delta.deletedFileRetentionDuration"


@dataclass(frozen=True, slots=True)
class Kept:
    """A table to look after.

    Attributes:
        expired: the rows to delete at a time; None where there are none.
        every_look: whether they are looked for each time, not only when VACUUM is due; for conditions on partitions.
        sorted_by: the column that compaction sorts the rows by; empty for none.
        thin: deletes what no condition on one row tells, when VACUUM is due.
    """

    path: str
    settings: TableMaintenance = field(default_factory=TableMaintenance)
    expired: Callable[[Lake, datetime], Column | None] | None = None
    every_look: bool = False
    sorted_by: str = ""
    thin: Callable[[Lake, datetime], None] | None = None


class Upkeep:
    """Looks after the tables of one job, at most every five minutes.

    When it last did is kept in the lake, so that short scheduled runs do their share.

    Args:
        clock: the table that keeps it; nothing is looked after before there is one.
    """

    def __init__(self, lake: Lake, tables: Sequence[Kept], clock: str) -> None:
        self._lake, self._tables, self._clock = lake, tables, clock
        self._next: datetime | None = None
        self._left: list[Kept] = []

    def run(self, now: datetime | None = None, *, tables: int | None = None) -> None:
        """Do what is due. A failure is logged and tried again later: upkeep never stops the stream.

        Args:
            tables: look after so many tables at most, the next call goes on. A stream is not held up for all at once.
        """
        now = now or datetime.now(UTC)
        if not self._left and self._is_due(now):
            self._left = list(self._tables)
            self._next = now + EVERY
        done = 0
        while self._left and (tables is None or done < tables):
            done += self._try(self._left.pop(0), now)
            if not self._left:
                self._lake.set_mark(self._clock, LOOKED_AFTER, _text(now))

    def _try(self, table: Kept, now: datetime) -> bool:
        """Look after a table; whether there is one."""
        try:
            if not self._lake.exists(table.path):
                return False
            with self._lake.writing(table.path):
                self._look_after(table, now)
        except Exception as error:
            log.warning("upkeep of %s failed, will be tried again: %s", table.path, str(error).splitlines()[0])
        return True

    def _is_due(self, now: datetime) -> bool:
        if self._next is None:
            self._next = self._first(now)
        return self._next is not None and now >= self._next

    def _first(self, now: datetime) -> datetime | None:
        """When the tables are due; None as long as there is no table. A new deployment has nothing to look after."""
        if not self._lake.exists(self._clock):
            return None
        last = self._lake.mark(self._clock, LOOKED_AFTER)
        if last is None:
            self._lake.set_mark(self._clock, LOOKED_AFTER, _text(now))
        return (datetime.fromisoformat(last) if last else now) + EVERY

    def _look_after(self, table: Kept, now: datetime) -> None:
        relative, settings = table.path, table.settings
        marks, files, size = self._lake.detail(relative)
        self._expire(table, marks, now)
        came, sort = files - int(marks.get(COMPACTED_TO, 0)), _sort_is_due(table, marks, size, now)
        if came >= settings.compact_at_files or (sort and came > 0):
            self._compact(table, sort or size <= SORTED_ANYWAY_BYTES, size, now)
        if self._due(relative, VACUUMED, settings.vacuum_every, marks, now):
            # VACUUM refuses to delete younger files than the table's own property says.
            keep = f"interval {int(settings.vacuum_keep.total_seconds())} seconds"
            if marks.get(RETENTION) != keep:
                self._lake.set_mark(relative, RETENTION, keep)
            self._lake.table(relative).vacuum(settings.vacuum_keep.total_seconds() / 3600)
            self._lake.set_mark(relative, VACUUMED, _text(now))

    def _expire(self, table: Kept, marks: Mapping[str, str], now: datetime) -> None:
        if table.expired is None and table.thin is None:
            return
        if table.every_look or self._due(table.path, PURGED, table.settings.vacuum_every, marks, now):
            condition = table.expired(self._lake, now) if table.expired else None
            if condition is not None:
                self._lake.table(table.path).delete(condition)
            if table.thin:
                table.thin(self._lake, now)
            if not table.every_look:
                self._lake.set_mark(table.path, PURGED, _text(now))

    def _compact(self, table: Kept, sort: bool, size: int, now: datetime) -> None:
        """Join small files, or sort all rows of a table that is to be sorted."""
        relative, column = table.path, table.sorted_by
        with self._lake.setting(SORTED if column else FILE_SIZES):
            if column and sort:
                self._lake.sort(relative, column, max(2, size // SORTED_FILE_BYTES))
                self._lake.set_mark(relative, SORTED_AT, _text(now))
            else:
                self._lake.table(relative).optimize().executeCompaction()
        self._lake.set_mark(relative, COMPACTED_TO, str(self._lake.detail(relative)[1]))

    def _due(self, relative: str, mark: str, every: timedelta, marks: Mapping[str, str], now: datetime) -> bool:
        """Whether it was marked long ago. What has no mark is new: it is marked, and due one period later."""
        last = marks.get(mark)
        if last is None:
            self._lake.set_mark(relative, mark, _text(now))
            return False
        return now - datetime.fromisoformat(last) >= every


def _sort_is_due(table: Kept, marks: Mapping[str, str], size: int, now: datetime) -> bool:
    """Whether rows are sorted even where few files have come: a first time, and then daily.

    What is marked as gone leaves its file no sooner.
    """
    if not table.sorted_by:
        return False
    last = marks.get(SORTED_AT)
    if last is None:
        return size >= WORTH_SORTING_BYTES
    return now - datetime.fromisoformat(last) >= table.settings.vacuum_every


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
