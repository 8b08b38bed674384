"""Follows an outbox and writes what it says to one store: the one mechanism behind every store.

A row's store version is `epoch << 40 | version of the outbox commit`; each store refuses an older one with its own
primitive, so rows may come twice, late, and in any order. How far a store has come is kept in the lake, after its rows
are written.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from headrace.lake import Lake
from headrace.pipelines import progress
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.progress import EPOCH_BITS, Progress
from headrace.ports import Projected, Written
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
ROWS_AT_ONCE = 2_000
_CHECK_AGE_EVERY = 3600.0
_NOT_ASKED = 1 << EPOCH_BITS
"""Beyond every commit: before its first run a publisher counts as behind."""
_BEATS_PER_SECOND = 100
"""Times in hundredths of a second fit beside an epoch until the year 2318."""
_ORDER = ("_commit_version", "deleted", "key")

Place = tuple[int, bool, str]
"""A row of the outbox in the order rows are written: its commit, whether it is a delete, its key."""


@dataclass(frozen=True, slots=True)
class _Fill:
    """A store is written whole, as of an outbox commit.

    Attributes:
        after: the last key written.
        complete: all were written, save those that are late.
    """

    commit: int
    after: str = ""
    complete: bool = False


@dataclass(slots=True)
class Publisher:
    """Brings one store in step with one outbox. One per store and outbox in the whole deployment.

    Attributes:
        name: of the store, in the settings.
        place: the file in the lake that keeps how far it has come.
        owner: of the store's rows: the lake they come from.
        outbox: relative path of the outbox table.
        wanted: narrows the outbox to the rows meant for this store.
        snapshot: every row the store should hold now, in the outbox's columns; for a store that has to be filled.
        urgent_first: rows marked urgent overtake others, so that a backlog delays none of them. Only for a store that
            refuses an older row by itself.
        tells_keys: whether the store can say what it holds.
        by_commit: write no row before those of earlier commits are written.
        keep: how long the outbox keeps its rows; a store further behind is filled from the snapshot.
        body: makes what the store holds of a row's text.
    """

    name: str
    place: str
    owner: str
    lake: Lake
    files: LakeFiles
    delivery: Delivery
    outbox: str
    wanted: Callable[[DataFrame], DataFrame]
    snapshot: Callable[[], DataFrame]
    urgent_first: bool = True
    tells_keys: bool = True
    by_commit: bool = False
    keep: timedelta = timedelta(days=7)
    body: Callable[[str], Mapping[str, Any]] = json.loads
    progress: Progress = field(default_factory=Progress)
    _opened: bool = False
    _next: Place = (0, False, "")
    _next_urgent: Place = (0, False, "")
    _newest: int = _NOT_ASKED
    _wants_fill: bool = False
    _fill: _Fill | None = None
    _written: int = -1
    _check_age_at: float = 0.0

    def open(self) -> None:
        """Claim the store and find out how far it has come. Raises Fatal where it cannot be used."""
        store = self.delivery.store
        store.open(self.owner)
        known = progress.read(self.files, self.place)
        newest = store.newest() if self.tells_keys else None
        reached = progress.found_again(known, self.lake.table_id(self.outbox), newest)
        if reached.filling and (known is None or not known.filling):
            log.warning("store=%s does not hold what its record says, and is filled", self.name)
        self.progress = known or self.progress
        self._keep(reached)
        self._fill, self._wants_fill = None, self.progress.filling
        self._next = self._next_urgent = _begin(self.progress.version + 1)
        self._opened = True

    def run(self) -> Written:
        """Write some of what the outbox has beyond what the store holds; what became of the rows.

        Rows the store did not take are tried again in later calls, with a pause that doubles.

        Raises:
            Retryable: the store is away; nothing is lost.
            Fatal: a person must act.
        """
        if not self._opened:
            self.open()
        self._newest = self.lake.version(self.outbox)
        done = self.delivery.again()
        if self._wants_fill:
            # Read first: what the outbox tells later is in the snapshot already, and comes again with a higher version.
            self._fill, self._wants_fill = _Fill(self._newest), False
            self._next_urgent = _begin(self._newest + 1)
            log.info("store=%s is filled from the whole table", self.name)
        try:
            done += self._news()
        except self.lake.Missing:
            self._wants_fill = True
            return done
        if self._fill is not None:
            done += self._fill_some(self._fill)
        if self._fill is None:
            self._remember()
        return done

    def refill(self) -> None:
        """Let the next runs write every row there is again, whatever the store holds, and take away all others."""
        if not self._opened:
            self.open()
        # Only a higher epoch passes rows that the store holds with the outbox's present version, rightly or not. It is
        # kept before any row has it: to a lower one the store would answer that all is stale.
        self._keep(self.progress.from_the_start())
        self._wants_fill = True

    def made_again(self) -> None:
        """Make and fill a store that was found to be not there."""
        self.open()
        self._keep(replace(self.progress, filling=True))
        self._wants_fill = True

    def beat(self, bodies: Mapping[str, tuple[datetime, Mapping[str, Any]]]) -> None:
        """Write rows that the outbox does not tell of, such as heartbeats, each with its time; the later one counts.

        Their versions are times: of the epoch, and beyond all its commits.
        """
        rows = [
            Projected(key, self.progress.row_version(int(at.timestamp() * _BEATS_PER_SECOND)), False, body)
            for key, (at, body) in bodies.items()
        ]
        if rows and not self.delivery.store.write(rows).failed:
            self._written = max(self._written, *(row.version for row in rows))
            self._remember()

    def forget(self, before: datetime) -> int:
        """Let the store forget deletes that were told before a time, when no row as old can come any more."""
        commit = self.lake.version_before(self.outbox, before)
        if commit is None or self.filling or self.late:
            return 0
        forgotten = self.delivery.store.purge(self._version(min(commit, self._next[0])))
        if forgotten and self.tells_keys:
            self._keep(replace(self.progress, written=min(self.progress.written, self.delivery.store.newest())))
        return forgotten

    @property
    def filling(self) -> bool:
        """Whether the store is being written whole."""
        return self._wants_fill or self._fill is not None

    @property
    def behind(self) -> bool:
        """Whether another run would write something at once, as far as the last one knew."""
        if self._fill is not None:
            return self._wants_fill or not self._fill.complete
        return self._wants_fill or self._next[0] <= self._newest

    @property
    def late(self) -> int:
        """Rows the store did not take yet."""
        return self.delivery.late

    def _news(self) -> Written:
        """The next rows of the outbox; for a store that is being filled the urgent ones alone."""
        rows = self._rows()
        if rows is None:
            return Written()
        batch = rows.limit(ROWS_AT_ONCE).collect()
        done = self._send_news(batch)
        end = _begin(self._newest + 1)
        others = [row for row in batch if not (self.urgent_first and row["urgent"])]
        if len(batch) == ROWS_AT_ONCE:
            # Urgent ones come first in the batch: all of them were in it if one of the others is.
            self._next_urgent = end if others else _place(batch[-1])
            self._next = _place(others[-1]) if others else self._next
            return done
        self._next_urgent = end
        if self._fill is None:
            self._next = end
        return done

    def _send_news(self, batch: list[Row]) -> Written:
        if not self.by_commit:
            return self._send([self._projected(row) for row in batch])
        commits = groupby(batch, key=lambda row: row["_commit_version"])
        return sum((self._send([self._projected(row) for row in rows]) for _, rows in commits), Written())

    def _rows(self) -> DataFrame | None:
        """What is not written yet, in the order to write it. Raises Missing where the outbox has forgotten some."""
        first = self._next_urgent[0] if self._fill else min(self._next[0], self._next_urgent[0])
        if first > self._newest:
            return None
        self._check_age(first)
        feed = self.wanted(self.lake.appended(self.outbox, first, self._newest))
        place, urgent = F.struct(*_ORDER), F.coalesce("urgent", F.lit(False)) & F.lit(self.urgent_first)
        rest = urgent & (place > _literal(self._next_urgent))
        if self._fill is None:
            rest |= ~urgent & (place > _literal(self._next))
        return feed.where(rest).orderBy(F.desc(urgent), *_ORDER)

    def _check_age(self, first: int) -> None:
        """Once an hour: the outbox may lose at any time what is older than `keep`."""
        if time.monotonic() < self._check_age_at:
            return
        old = self.lake.version_before(self.outbox, datetime.now(UTC) - self.keep)
        if old is not None and first <= old:
            raise self.lake.Missing(self.outbox)
        self._check_age_at = time.monotonic() + _CHECK_AGE_EVERY

    def _fill_some(self, fill: _Fill) -> Written:
        version, done = self._version(fill.commit), Written()
        if not fill.complete:
            rows = self.snapshot().select("key", "deleted", "body").where(F.col("key") > fill.after)
            batch = rows.orderBy("key").limit(ROWS_AT_ONCE).collect()
            done = self._send([Projected(row["key"], version, row["deleted"], self._body(row)) for row in batch])
            fill = self._fill = _Fill(fill.commit, batch[-1]["key"] if batch else "", len(batch) < ROWS_AT_ONCE)
        # What is late would be missing once the older rows are swept away.
        if fill.complete and not self.late:
            self.delivery.store.sweep(version)
            self._fill, self._next = None, _begin(fill.commit + 1)
        return done

    def _send(self, rows: list[Projected]) -> Written:
        if not rows:
            return Written()
        done = self.delivery.send(rows)
        refused = {failed.key for failed in done.failed}
        taken = (row.version for row in rows if row.key not in refused and not self.delivery.waits(row.key))
        self._written = max(self._written, max(taken, default=-1))
        return done

    def _projected(self, row: Row) -> Projected:
        return Projected(row["key"], self._version(row["_commit_version"]), row["deleted"], self._body(row))

    def _body(self, row: Row) -> Mapping[str, Any] | None:
        return None if row["deleted"] else self.body(row["body"])

    def _version(self, commit: int) -> int:
        return self.progress.row_version(commit)

    def _remember(self) -> None:
        # After a crash all that was still to be tried comes again.
        written = self._next[0] - 1
        oldest = self.delivery.oldest(default=written + 1) & (1 << EPOCH_BITS) - 1
        most = max(self.progress.written, self._written)
        reached = replace(self.progress, version=min(oldest - 1, written), written=most, filling=False)
        self._keep(reached)

    def _keep(self, reached: Progress) -> None:
        if reached != self.progress:
            progress.keep(self.files, self.place, reached)
            self.progress = reached


def _begin(commit: int) -> Place:
    """Before every row of a commit."""
    return commit, False, ""


def _place(row: Row) -> Place:
    return row["_commit_version"], row["deleted"], row["key"]


def _literal(place: Place) -> Column:
    commit, deleted, key = (F.lit(value) for value in place)
    return F.struct(commit.cast("bigint").alias(_ORDER[0]), deleted.alias(_ORDER[1]), key.alias(_ORDER[2]))
