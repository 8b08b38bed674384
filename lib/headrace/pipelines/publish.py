"""Follows an outbox and writes what it says to one store: the one mechanism behind every store.

A row's store version is `epoch << 40 | version of the outbox commit`; each store refuses an older one with its own
primitive, so rows may come twice and late. How far a store has come is kept in the lake, after its rows are written.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace

from pyspark.sql import DataFrame, Row

from headrace.lake import Lake
from headrace.ports import Failed, Projected, Projection, Written
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
EPOCH_BITS = 40
ROWS_AT_ONCE = 2_000
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a store has followed an outbox: the outbox table's id, the epoch, the last commit written."""

    outbox: str = ""
    epoch: int = 0
    version: int = -1


@dataclass(slots=True)
class _Late:
    """A row the store did not take yet."""

    row: Projected
    attempts: int
    next_try: float


@dataclass(slots=True)
class Publisher:
    """Brings one store in step with one outbox. One per store and outbox in the whole deployment.

    Attributes:
        name: of the store, in the settings.
        owner: of the store's rows: the lake they come from.
        outbox: relative path of the outbox table.
        wanted: narrows the outbox to the rows meant for this store.
        snapshot: every row the store should hold now, in the outbox's columns; for a store that has to be rebuilt.
        attempts: tries before a row is given to `park`.
        park: takes rows that will not be tried again, with the reason.
    """

    name: str
    owner: str
    lake: Lake
    files: LakeFiles
    store: Projection
    outbox: str
    wanted: Callable[[DataFrame], DataFrame]
    snapshot: Callable[[], DataFrame]
    park: Callable[[list[Failed]], None]
    attempts: int = 8
    progress: Progress = field(default_factory=Progress)
    _late: dict[str, _Late] = field(default_factory=dict)
    _written: int = -1
    _opened: bool = False
    _rebuild: bool = False

    def open(self) -> None:
        """Claim the store and find out how far it has come. Raises Fatal where it cannot be used."""
        self.store.open(self.owner)
        found = self.files.read_text(self._place)
        known = Progress(**json.loads(found)) if found else None
        outbox = self.lake.table_id(self.outbox)
        if known is not None and known.outbox == outbox:
            self.progress = known
        else:
            # Commits of another outbox count from 0 again: only a higher epoch lets them pass.
            before = (
                known.epoch if known else max((held.version for held in self.store.held()), default=-1) >> EPOCH_BITS
            )
            self.progress = Progress(outbox, before + 1, -1)
            self._rebuild = before >= 0
        self._written = self.progress.version
        self._opened = True

    def run(self) -> Written:
        """Write what the outbox has beyond what the store holds; what became of the rows.

        Rows the store did not take are tried again in later calls, with a pause that doubles.

        Raises:
            Retryable: the store is away; nothing is lost.
            Fatal: a person must act.
        """
        if not self._opened:
            self.open()
        newest = self.lake.version(self.outbox)
        done = self._again()
        if newest > self._written or self._rebuild:
            rows = None if self._rebuild else self._since(self._written + 1, newest)
            done += self.rebuild() if rows is None else self._write(self._projected(rows))
            self._written = newest
        self._remember()
        return done

    def rebuild(self) -> Written:
        """Write every row there is at the outbox's present version, then take away all that is older."""
        # Read first: what the outbox tells later is in the table already, and comes again with a higher version.
        version = self._version(self.lake.version(self.outbox))
        log.info("store=%s is filled from the whole table", self.name)
        rows = self.snapshot().select("key", "deleted", "body")
        done = self._write(Projected(row["key"], version, row["deleted"], _body(row)) for row in rows.toLocalIterator())
        self._rebuild = bool(self._late)
        if not self._late:
            self.store.sweep(version)
        return done

    def _since(self, first: int, last: int) -> DataFrame | None:
        """The outbox's rows of some commits; None where it does not hold them any more."""
        try:
            feed = self.lake.appended(self.outbox, first, last)
            return self.wanted(feed).orderBy("_commit_version", "deleted", "key")
        except self.lake.Missing:
            return None

    def _projected(self, rows: DataFrame) -> Iterator[Projected]:
        for row in rows.toLocalIterator():
            yield Projected(row["key"], self._version(row["_commit_version"]), row["deleted"], _body(row))

    def _version(self, commit: int) -> int:
        return self.progress.epoch << EPOCH_BITS | commit

    def _write(self, rows: Iterator[Projected]) -> Written:
        done = Written()
        batch: list[Projected] = []
        for row in rows:
            batch.append(row)
            if len(batch) == ROWS_AT_ONCE:
                done += self._send(batch)
                batch = []
        return done + self._send(batch) if batch else done

    def _send(self, rows: list[Projected]) -> Written:
        newest = {row.key: row for row in rows}
        result = self.store.write(list(newest.values()))
        given_up: list[Failed] = []
        for failure in result.failed:
            late = self._late.get(failure.key)
            attempts = late.attempts + 1 if late and late.row.version == failure.version else 1
            if not failure.retry or attempts >= self.attempts:
                given_up.append(failure)
                self._late.pop(failure.key, None)
                continue
            pause = min(2.0**attempts, LONGEST_PAUSE)
            self._late[failure.key] = _Late(newest[failure.key], attempts, time.monotonic() + pause)
        failed = {failure.key for failure in result.failed}
        for key in newest.keys() - failed:
            self._late.pop(key, None)
        if given_up:
            self.park(given_up)
        return replace(result, failed=tuple(given_up))

    def _again(self) -> Written:
        now = time.monotonic()
        due = [late.row for late in self._late.values() if late.next_try <= now]
        return self._send(due) if due else Written()

    @property
    def late(self) -> int:
        """Rows that are to be tried again."""
        return len(self._late)

    @property
    def _place(self) -> str:
        return f"publishers/{self.name}.json"

    def _remember(self) -> None:
        # After a crash all that was still to be tried comes again.
        mask = (1 << EPOCH_BITS) - 1
        oldest = min((late.row.version & mask for late in self._late.values()), default=self._written + 1)
        reached = replace(self.progress, version=min(oldest - 1, self._written))
        if reached != self.progress:
            self.files.replace_text(self._place, json.dumps(asdict(reached)))
            self.progress = reached


def _body(row: Row) -> dict[str, object] | None:
    return None if row["deleted"] else json.loads(row["body"])
