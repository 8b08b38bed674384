"""Upkeep between batches, inside the job that owns the tables: compaction, retention, tombstone purge, VACUUM."""

import logging
import time
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
SMALL_FILE = 64 * 1024 * 1024
VACUUMED = "headrace.vacuumed_at"
PURGED = "headrace.purged_at"


class Upkeep:
    """Looks after one deployment's tables, at most every five minutes."""

    def __init__(self, lake: Lake, config: Config) -> None:
        self._lake, self._config = lake, config
        self._next = time.monotonic() + EVERY.total_seconds()

    def run(self, *, force: bool = False) -> None:
        """Do what is due. A failure is logged and tried again later: upkeep never stops the stream."""
        if not force and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY.total_seconds()
        for relative, settings in self._owned():
            try:
                if self._lake.exists(relative):
                    self._look_after(relative, settings)
            except Exception as error:
                log.warning("upkeep of %s failed, will be tried again: %s", relative, str(error).splitlines()[0])

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

    def _look_after(self, relative: str, settings: TableMaintenance) -> None:
        now = datetime.now(UTC)
        self._expire(relative, settings, now)
        detail = self._lake.table(relative).detail().select("numFiles", "sizeInBytes").collect()[0]
        if detail["numFiles"] >= settings.compact_at_files and detail["sizeInBytes"] / detail["numFiles"] < SMALL_FILE:
            self._lake.table(relative).optimize().executeCompaction()
        if self._due(relative, VACUUMED, settings.vacuum_every, now):
            self._lake.table(relative).vacuum(settings.vacuum_keep.total_seconds() / 3600)
            self._mark(relative, VACUUMED, now)

    def _expire(self, relative: str, settings: TableMaintenance, now: datetime) -> None:
        """Retention of the log and the rejects by whole days; tombstones by the time they were written."""
        keep = {
            CHANGES_LOG.path: self._config.log.keep,
            REJECTS.path.format(job="apply_changes"): self._config.rejects.keep,
        }
        if relative in keep:
            self._lake.table(relative).delete(F.col("day") < F.lit((now - keep[relative]).date()))
        elif relative.startswith("tombstones/") and self._due(relative, PURGED, settings.vacuum_every, now):
            self._lake.table(relative).delete(F.col("deleted_at") < F.lit(now - settings.purge_tombstones_after))
            self._mark(relative, PURGED, now)

    def _due(self, relative: str, mark: str, every: timedelta, now: datetime) -> bool:
        last = self._lake.properties(relative).get(mark)
        return last is None or now - datetime.fromisoformat(last) >= every

    def _mark(self, relative: str, mark: str, now: datetime) -> None:
        name = self._lake.sql_name(relative)
        self._lake.execute(f"ALTER TABLE {name} SET TBLPROPERTIES ('{mark}' = '{now.isoformat(timespec='seconds')}')")
