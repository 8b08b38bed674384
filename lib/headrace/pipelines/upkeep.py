"""Upkeep between batches, inside the job that owns the tables: compaction, retention, tombstone purge, VACUUM."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pyspark.sql import functions as F

from headrace.config import Config, TableMaintenance
from headrace.lake import Lake
from headrace.tables import (
    BATCHES,
    CHANGED_KEYS,
    CHANGES_LOG,
    HISTORY,
    REJECTS,
    SCHEMAS,
    TABLES,
    TOMBSTONES,
    TRUNCATES,
    VERSIONS,
)

log = logging.getLogger("headrace")

EVERY = timedelta(minutes=5)
FILE_SIZES = {
    # Delta's own limit, 1 GiB, would write nearly every file of a table again at each compaction.
    "spark.databricks.delta.optimize.minFileSize": str(64 * 1024 * 1024),
    "spark.databricks.delta.optimize.maxFileSize": str(256 * 1024 * 1024),
}
LOOKED_AFTER = "headrace.looked_after_at"
COMPACTED_TO = "headrace.compacted_to_files"
VACUUMED = "headrace.vacuumed_at"
PURGED = "headrace.purged_at"
RETENTION = "delta.deletedFileRetentionDuration"


class Upkeep:
    """Looks after one deployment's tables, at most every five minutes.

    When it last did is kept in the lake, so that short scheduled runs do their share.
    """

    def __init__(self, lake: Lake, config: Config) -> None:
        self._lake, self._config = lake, config
        self._next: datetime | None = None
        self._left: list[tuple[str, TableMaintenance]] = []

    def run(self, now: datetime | None = None, *, tables: int | None = None) -> None:
        """Do what is due. A failure is logged and tried again later: upkeep never stops the stream.

        Args:
            tables: look after so many tables at most, the next call goes on. A stream is not held up for all at once.
        """
        now = now or datetime.now(UTC)
        if not self._left and self._is_due(now):
            self._left = self._owned()
            self._next = now + EVERY
        done = 0
        while self._left and (tables is None or done < tables):
            done += self._try(*self._left.pop(0), now)
            if not self._left:
                self._mark(BATCHES.path, LOOKED_AFTER, _text(now))

    def _try(self, relative: str, settings: TableMaintenance, now: datetime) -> bool:
        """Look after a table; whether there is one."""
        try:
            if not self._lake.exists(relative):
                return False
            self._look_after(relative, settings, now)
        except Exception as error:
            log.warning("upkeep of %s failed, will be tried again: %s", relative, str(error).splitlines()[0])
        return True

    def _is_due(self, now: datetime) -> bool:
        if self._next is None:
            self._next = self._first(now)
        return self._next is not None and now >= self._next

    def _first(self, now: datetime) -> datetime | None:
        """When the tables are due; None as long as there is no table. A new deployment has nothing to look after."""
        if not self._lake.exists(BATCHES.path):
            return None
        last = self._lake.properties(BATCHES.path).get(LOOKED_AFTER)
        if last is None:
            self._mark(BATCHES.path, LOOKED_AFTER, _text(now))
        return (datetime.fromisoformat(last) if last else now) + EVERY

    def _owned(self) -> list[tuple[str, TableMaintenance]]:
        shared = TableMaintenance()
        owned = [
            (path, shared)
            for path in (
                CHANGES_LOG.path, REJECTS.path.format(job="apply_changes"), CHANGED_KEYS.path, BATCHES.path,
                TRUNCATES.path, SCHEMAS.path,
            )
        ]  # fmt: skip
        for name, table in self._config.tables.items():
            paths = (TABLES, HISTORY, TOMBSTONES.path, VERSIONS.path)
            owned += [(path.format(table=name), table.maintenance) for path in paths]
        return owned

    def _look_after(self, relative: str, settings: TableMaintenance, now: datetime) -> None:
        marks, files = self._lake.detail(relative)
        self._expire(relative, settings, marks, now)
        self._compact(relative, settings, marks, files)
        if self._due(relative, VACUUMED, settings.vacuum_every, marks, now):
            # VACUUM refuses to delete younger files than the table's own property says.
            keep = f"interval {int(settings.vacuum_keep.total_seconds())} seconds"
            if marks.get(RETENTION) != keep:
                self._mark(relative, RETENTION, keep)
            self._lake.table(relative).vacuum(settings.vacuum_keep.total_seconds() / 3600)
            self._mark(relative, VACUUMED, _text(now))

    def _expire(self, relative: str, settings: TableMaintenance, marks: Mapping[str, str], now: datetime) -> None:
        """Retention of the log and the rejects by whole days; tombstones by the time they were written."""
        keep = {
            CHANGES_LOG.path: self._config.log.keep,
            REJECTS.path.format(job="apply_changes"): self._config.rejects.keep,
        }
        if relative in keep:
            self._lake.table(relative).delete(F.col("day") < F.lit((now - keep[relative]).date()))
        elif relative.startswith("tombstones/") and self._due(relative, PURGED, settings.vacuum_every, marks, now):
            self._lake.table(relative).delete(F.col("deleted_at") < F.lit(now - settings.purge_tombstones_after))
            self._mark(relative, PURGED, _text(now))

    def _compact(self, relative: str, settings: TableMaintenance, marks: Mapping[str, str], files: int) -> None:
        """OPTIMIZE once enough files have come since the last time."""
        if files - int(marks.get(COMPACTED_TO, 0)) < settings.compact_at_files:
            return
        for name, size in FILE_SIZES.items():
            self._lake.spark.conf.set(name, size)
        self._lake.table(relative).optimize().executeCompaction()
        self._mark(relative, COMPACTED_TO, str(self._lake.detail(relative)[1]))

    def _due(self, relative: str, mark: str, every: timedelta, marks: Mapping[str, str], now: datetime) -> bool:
        """Whether it was marked long ago. What has no mark is new: it is marked, and due one period later."""
        last = marks.get(mark)
        if last is None:
            self._mark(relative, mark, _text(now))
            return False
        return now - datetime.fromisoformat(last) >= every

    def _mark(self, relative: str, mark: str, value: str) -> None:
        self._lake.execute(f"ALTER TABLE {self._lake.sql_name(relative)} SET TBLPROPERTIES ('{mark}' = '{value}')")


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
