"""Where a batch ends in one shard: a sequence number, found by looking at few records and reading none of the rest.

Time only chooses: the answer is always a record that is there, or the shard's own end. So it does not matter that
arrival times may be out of order, or that a call that asks by time finds nothing.
"""

from dataclasses import dataclass

from headrace.stores.kinesis.api import Kinesis, Page, Record, Shard
from headrace.stores.kinesis.positions import END, before

PEEK = 100
"""Records looked at from the start of a range: of a shard with fewer, this one call tells everything."""
_TAIL = 1000
_LAG = 1000
"""Milliseconds by which a time that is asked for lies behind this machine's clock, which may be ahead of Kinesis'."""
_FINEST = 50
_ROWS_A_MS, _BYTES_A_MS = 1.0, 1048.576
"""What a shard takes in at most: 1,000 records and 1 MiB a second."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one shard may give to a batch. `until`: as in `options.ReadOptions`."""

    milliseconds: float
    rows: float
    size: float
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """The records of one shard in one batch, from a record that is there to an end that can be reached."""

    start: str
    end: str


class Bounds:
    """Finds ranges.

    Args:
        now: this machine's clock, in milliseconds since 1970.
    """

    def __init__(self, kinesis: Kinesis, now: int) -> None:
        self._kinesis, self._now = kinesis, now

    def of(self, shard: Shard, page: Page, limits: Limits) -> Range | None:
        """The range that starts with a page's first record; None where that is for a later run.

        Args:
            page: the first with records, `PEEK` asked for.
        """
        first, last = page.records[0], page.records[-1]
        if limits.until is not None and first.arrived > limits.until:
            return None
        fit = _fitting(page.records, limits)
        if fit < len(page.records):
            return Range(before(first.sequence), before(page.records[fit].sequence))
        if end := self._at_tip(shard, page, PEEK):
            return Range(before(first.sequence), end)
        return Range(before(first.sequence), self._ahead(shard, page, last, limits))

    def _at_tip(self, shard: Shard, page: Page, asked: int) -> str | None:
        """The end, where the page holds the newest record there is."""
        # A full page proves nothing: some servers say 0 for every page.
        if page.next is not None and (page.behind or len(page.records) >= asked):
            return None
        return END if shard.closed or page.next is None else page.records[-1].sequence

    def _ahead(self, shard: Shard, page: Page, last: Record, limits: Limits) -> str:
        ends = [self._now - _LAG, page.records[0].arrived + _span(page.records, limits)]
        cut = int(min([*ends, *([] if limits.until is None else [limits.until])]))
        if cut <= last.arrived:
            return before(last.sequence)
        found = self._kinesis.first_since(shard.id, cut)
        if found:
            return before(_later(found, last).sequence)
        return END if shard.closed else self._tip(shard, last, cut)

    def _tip(self, shard: Shard, last: Record, latest: int) -> str:
        """The end, where nothing arrived since `latest`: the newest record, or one not far before it."""
        newest, early, step = last, last.arrived, 1000
        while latest - step > early:
            found = self._kinesis.first_since(shard.id, latest - step)
            if found:
                newest, early = _later(found, newest), latest - step
                break
            latest, step = latest - step, 2 * step
        while True:
            page = self._kinesis.first_page(shard.id, before(newest.sequence), _TAIL)
            if not page.records:
                return before(newest.sequence)
            if end := self._at_tip(shard, page, _TAIL):
                return end
            newest = page.records[-1]
            early = max(early, newest.arrived)
            if latest - early <= _FINEST:
                return before(newest.sequence)
            newest, early, latest = self._halved(shard, newest, early, latest)

    def _halved(self, shard: Shard, newest: Record, early: int, latest: int) -> tuple[Record, int, int]:
        while latest - early > _FINEST:
            middle = (early + latest) // 2
            found = self._kinesis.first_since(shard.id, middle)
            if found:
                return _later(found, newest), middle, latest
            latest = middle
        return newest, early, latest


def _fitting(records: list[Record], limits: Limits) -> int:
    """How many of the records a batch may hold: one at least."""
    size, fit = 0, 0
    for record in records:
        size += len(record.data)
        if fit and (fit >= limits.rows or size > limits.size):
            break
        fit += 1
    return fit


def _span(records: list[Record], limits: Limits) -> float:
    """Milliseconds of the stream that hold about as much as a batch may, judged by some of its first records."""
    lasted = max(records[-1].arrived - records[0].arrived, 1)
    rows = min(len(records) / lasted, _ROWS_A_MS)
    size = min(rows * sum(len(record.data) for record in records) / len(records), _BYTES_A_MS)
    return min(limits.milliseconds, limits.rows / rows, limits.size / max(size, 1e-9))


def _later(one: Record, other: Record) -> Record:
    return one if int(one.sequence) > int(other.sequence) else other
