"""What `build_profiles` does between batches: upkeep of its tables, and of what stores remember of deletes."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from headrace.config_profiles import Profiles
from headrace.errors import NotThere, Retryable
from headrace.pipelines.profile_progress import FOLDER
from headrace.pipelines.publish import Publisher
from headrace.pipelines.upkeep import Upkeep
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
EVERY = timedelta(days=1)
"""A purge reads a store whole."""
LONGEST = timedelta(days=28)
"""Delta knows for 30 days when a row of the outbox was told."""
PLACE = f"{FOLDER}/purged-at"


class ProfileUpkeep:
    """Looks after tables, and once a day after stores that do not forget by themselves.

    When it last did is kept in the lake, so that short scheduled runs do their share.
    """

    def __init__(self, tables: Upkeep, files: LakeFiles, settings: Profiles, publishers: Sequence[Publisher]) -> None:
        self._tables, self._files = tables, files
        self._keep = [
            (publisher, min(one.keep_deleted, LONGEST))
            for publisher in publishers
            if not (one := settings.stores[publisher.name]).forgets_by_itself
        ]
        self._next: datetime | None = None

    def run(self, now: datetime | None = None, *, tables: int | None = None) -> None:
        """Do what is due.

        Args:
            tables: look after so many tables at most, the next call goes on.
        """
        now = now or datetime.now(UTC)
        self._tables.run(now, tables=tables)
        if self._keep and self._is_due(now):
            for publisher, keep in self._keep:
                self._forget(publisher, now - keep)
            self._files.replace_text(PLACE, now.isoformat())
            self._next = now + EVERY

    def _is_due(self, now: datetime) -> bool:
        if self._next is None:
            last = self._files.read_text(PLACE)
            if last is None:
                self._files.replace_text(PLACE, now.isoformat())
            self._next = (datetime.fromisoformat(last) if last else now) + EVERY
        return now >= self._next

    def _forget(self, publisher: Publisher, before: datetime) -> None:
        try:
            forgotten = publisher.forget(before)
        except (Retryable, NotThere) as error:
            log.warning("store=%s %s", publisher.name, error)
        else:
            log.info("store=%s forgot=%s", publisher.name, forgotten)
