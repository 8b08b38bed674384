"""Keeps a store in step with the table `measures`, after each batch of `track_feedback`. No Spark of its own."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from headrace.conversations.published import DAYS, beside, document, documents_sql, id_of, ids_sql, whole_day
from headrace.conversations.published_since import Fresh, touched
from headrace.errors import Fatal, HeadraceError, NotThere, Retryable
from headrace.pipelines import publish_progress
from headrace.pipelines.publish_progress import Reached
from headrace.ports_measures import MeasureStore, Progress, Span
from headrace.stores.delta_commits import Commits, commits_of
from headrace.stores.files import LakeFiles
from headrace.tables import MEASURES

Rows = Callable[[str], Iterable[Mapping[str, Any]]]
"""Rows of a query over the table `measures`, called `rows` in it."""
AGAIN_AFTER = 30.0
"""Seconds until a store that did not answer is asked again. Batches go on meanwhile."""
_PASSING = (Retryable, NotThere, OSError)
"""Errors that may be over the next time."""
_CHUNK = 1_000
_SHOWN = 500
_LOG = logging.getLogger("headrace")


class NotPublished(Fatal):
    """A store does not get the measures, and trying again does not help."""

    def __init__(self, name: str, found: str) -> None:
        todo = (
            "What was read is counted, and nothing is lost: correct the store, or take it out of the settings and "
            "report what was found."
        )
        super().__init__(where=f"feedback.publish.{name}", expected="measures to be published", found=found, todo=todo)


@dataclass(slots=True)
class Published:
    """Documents that were written and removed."""

    written: int = 0
    removed: int = 0


class MeasurePublisher:
    """The one writer of a store.

    How far the store has come stands in the store itself: what was missed in an outage comes with the next batch, and
    a new or emptied store gets everything.

    Args:
        name: of the store in the settings.
        rows: reads the table's newest version.
        files: of the lake.
        clock: seconds; tests replace it.
    """

    def __init__(
        self, name: str, store: MeasureStore, rows: Rows, files: LakeFiles, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._store, self._rows, self._files, self._clock = name, store, rows, files, clock
        self._is_open = False
        self._table, self._ask_after = "", float("-inf")
        self._known: Reached | None = None

    def after_batch(self, _: datetime) -> None:
        """Publish what is new. What may be over the next time is logged; `headrace status` tells of it too.

        Raises:
            NotPublished: no later try mends it, such as a query that is wrong.
        """
        if self._clock() < self._ask_after:
            return
        try:
            done = self.publish()
        except Exception as error:
            said = str(error) if isinstance(error, HeadraceError) else f"{type(error).__name__}: {error}"
            self._told(said)
            self._ask_after = self._clock() + AGAIN_AFTER
            self.close()
            if not isinstance(error, _PASSING):
                raise NotPublished(self._name, said) from error
            _LOG.warning("measures were not published to %s, and will be later: %s", self._name, said)
            return
        if done.written or done.removed:
            _LOG.info("measures published to %s: written=%s removed=%s", self._name, done.written, done.removed)

    def publish(self) -> Published:
        """Bring the store in step with the table. Raises HeadraceError; what was done of it may then be repeated."""
        commits, done = commits_of(self._files, MEASURES.path), Published()
        if commits.newest < 0:
            return done
        if not self._is_open:
            self._store.open()
            self._table, self._is_open = commits.table_id(), True
        before = self._store.progress()
        if before == (self._table, commits.newest):
            self._reached(before)
            return done
        if before is None or not self._some(commits, before, done):
            self._table = commits.table_id()
            self._all(done)
        self._store.keep(now := Progress(self._table, commits.newest))
        self._reached(now)
        return done

    def close(self) -> None:
        """Close the store."""
        self._is_open = False
        self._store.close()

    def _reached(self, progress: Progress) -> None:
        """Keep in the lake how far the store has come, where that is news."""
        now = publish_progress.done(progress)
        if now != self._known:
            publish_progress.keep(self._files, self._name, now)
            self._known = now

    def _told(self, why: str) -> None:
        """Keep in the lake why the store is behind."""
        try:
            known = self._known or publish_progress.reached(self._files, self._name)
            self._known = replace(known, why=why.splitlines()[0][:_SHOWN] if why else "no reason")
            publish_progress.keep(self._files, self._name, self._known)
        except (OSError, HeadraceError) as error:
            _LOG.warning("why measures were not published to %s was not kept: %s", self._name, error)

    def _some(self, commits: Commits, before: Progress, done: Published) -> bool:
        """Publish what commits changed; False where they do not tell."""
        if before.table != self._table or not commits.has_all_after(before.version):
            return False
        found = touched(commits.after(before.version))
        if found.anything:
            return False
        for fresh in found.fresh.values():
            self._put(fresh, done)
        for span in found.gone.values():
            self._remove(span, done)
        return True

    def _all(self, done: Published) -> None:
        days = [row["day"] for row in self._rows(DAYS)]
        for day in days:
            self._put(Fresh(whole_day(day), None), done)
            self._remove(whole_day(day), done)
        for span in beside(days):
            self._drop(self._store.held(span), done)

    def _put(self, fresh: Fresh, done: Published) -> None:
        documents = map(document, self._rows(documents_sql(fresh.span, fresh.since)))
        while some := list(islice(documents, _CHUNK)):
            self._store.put(some)
            done.written += len(some)

    def _remove(self, span: Span, done: Published) -> None:
        held = self._store.held(span)
        if held:
            self._drop(held.difference(map(id_of, self._rows(ids_sql(span)))), done)

    def _drop(self, ids: set[str], done: Published) -> None:
        if ids:
            self._store.remove(ids)
            done.removed += len(ids)
