"""What the stream's retention deleted before it was read."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from headrace.errors import Fatal
from headrace.stores.kinesis.api import Kinesis, Page, Shard
from headrace.stores.kinesis.bounds import PEEK
from headrace.stores.kinesis.faults import OutOfReach
from headrace.stores.kinesis.positions import TRIM_HORIZON, before, last_record, next_record

log = logging.getLogger("headrace")


@dataclass(frozen=True, slots=True)
class Known:
    """What an offset tells about its places.

    Attributes:
        at: when it was made, in milliseconds since 1970: a place at a shard's tip was its tip then.
        retention: how long the stream keeps a record, in milliseconds.
        now: this machine's clock.
    """

    at: int
    retention: int
    now: int

    @property
    def fresh(self) -> bool:
        """Whether nothing that arrived since can have been deleted."""
        return self.now - self.at < self.retention


class Gaps:
    """Reads on from a place, and tells where records before the next one are gone.

    Args:
        on_lost: `fail` raises Fatal; `continue` warns and goes on with the oldest record there is.
        listed: the shards there are.
    """

    def __init__(
        self, kinesis: Kinesis, on_lost: Literal["fail", "continue"], known: Known, listed: Mapping[str, Shard]
    ) -> None:
        self._kinesis, self._on_lost, self._known, self._listed = kinesis, on_lost, known, listed

    def first_page(self, shard: Shard, place: str) -> Page:
        """The first page from a place on, after making sure that nothing before it is missing."""
        try:
            page = self._kinesis.first_page(shard.id, place, PEEK)
        except OutOfReach:
            page = self._kinesis.first_page(shard.id, TRIM_HORIZON, PEEK)
            read = last_record(place)
            # A deleted record's number may be refused: what is there now came after it. Otherwise it is no such number.
            if read and page.records and int(page.records[0].sequence) <= int(read):
                raise
        if not self._whole(shard, place, page):
            page = self._kinesis.first_page(shard.id, TRIM_HORIZON, PEEK)
            self.lost(shard.id, page)
        return page

    def _whole(self, shard: Shard, place: str, page: Page) -> bool:
        if following := next_record(place):
            return bool(page.records) and page.records[0].sequence == following
        if self._known.fresh:
            return True
        if read := last_record(place):
            return self._there(shard.id, read)
        # Nothing of it was read yet. A parent is listed as long as it holds records, and they are older.
        return any(parent in self._listed for parent in shard.parents)

    def _there(self, shard: str, sequence: str) -> bool:
        try:
            page = self._kinesis.first_page(shard, before(sequence), 1)
        except OutOfReach:
            return False
        return bool(page.records) and page.records[0].sequence == sequence

    def lost(self, shard: str, page: Page | None) -> None:
        """Say that records of a shard are, or may be, gone. Raises Fatal with `on_lost: fail`.

        Args:
            page: the oldest that is there; None for a shard that is not listed any more.
        """
        goes_on = page.records[0].arrived if page and page.records else None
        until = f"and {_moment(goes_on)}" if goes_on else "and now"
        gap = f"shard {shard}: records that arrived between {_moment(self._known.at)} {until} are deleted, or may be"
        if self._on_lost == "continue":
            log.warning(
                "stream=%s %s. They were not read. onLost is `continue`: reading goes on after the gap",
                self._kinesis.place.name, gap,
            )  # fmt: skip
            return
        raise Fatal(
            where=self._kinesis.place.where,
            expected="every record since the last batch to be still in the stream",
            found=f"{gap}: the stream keeps records for {self._known.retention // 3_600_000} hours",
            todo=(
                "Send the missing changes again from their origin (a new snapshot or full load) and start with a new "
                "checkpoint; or set onLost (`on_lost`) to `continue` to go on without them. A longer retention of the "
                "stream leaves more time."
            ),
        )


def _moment(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
