"""What stores remember of deletes goes after a while, once a day, where they do not let it go by themselves."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from headrace.config_keyed_stores import KeyedStoreBase
from headrace.errors import NotThere, Retryable
from headrace.pipelines.publish import Publisher
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
EVERY = timedelta(days=1)
"""A purge reads a store whole."""
LONGEST = timedelta(days=28)
"""Delta knows for 30 days when a row was told."""


class Forgetting:
    """Has stores forget deletes that are older than their `keep_deleted`.

    When it last did is kept in the lake, so that short scheduled runs do their share.

    Args:
        place: the file that keeps it.
        settings: of every store, by name.
    """

    def __init__(
        self, files: LakeFiles, place: str, publishers: Sequence[Publisher], settings: Mapping[str, KeyedStoreBase]
    ) -> None:
        self._files, self._place = files, place
        self._keep = [
            (publisher, min(one.keep_deleted, LONGEST))
            for publisher in publishers
            if not (one := settings[publisher.name]).forgets_by_itself
        ]
        self._next: datetime | None = None

    def run(self, now: datetime | None = None, away: Collection[str] = ()) -> None:
        """Do what is due; no failure of a store keeps another from it.

        Args:
            away: names of stores not to ask.
        """
        now = now or datetime.now(UTC)
        if self._keep and self._is_due(now):
            for publisher, keep in self._keep:
                if publisher.name not in away:
                    self._forget(publisher, now - keep)
            self._files.replace_text(self._place, now.isoformat())
            self._next = now + EVERY

    def _is_due(self, now: datetime) -> bool:
        if self._next is None:
            last = self._files.read_text(self._place)
            if last is None:
                self._files.replace_text(self._place, now.isoformat())
            self._next = (datetime.fromisoformat(last) if last else now) + EVERY
        return now >= self._next

    def _forget(self, publisher: Publisher, before: datetime) -> None:
        try:
            forgotten = publisher.forget(before)
        except (Retryable, NotThere) as error:
            log.warning("store=%s %s", publisher.name, error)
        else:
            log.info("store=%s forgot=%s", publisher.name, forgotten)
