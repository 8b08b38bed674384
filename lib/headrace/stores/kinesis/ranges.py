"""The records of one range: exactly those, whenever it is read, or an error."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from headrace.errors import Fatal, Unreachable
from headrace.stores.kinesis.api import Kinesis, Page, Record
from headrace.stores.kinesis.faults import Gone, OutOfReach
from headrace.stores.kinesis.positions import END, TRIM_HORIZON, next_record, reached, within

log = logging.getLogger("headrace")
_PATIENCE = 60.0
"""Seconds of empty pages, with an end ahead that is known to be there, before a range is given up."""


class Ranges:
    """Reads ranges of one stream.

    Args:
        page: records asked for in one call.
        on_lost: what happens where retention deleted records after the range was planned: `fail` raises Fatal,
            `continue` warns and leaves them out.
    """

    def __init__(
        self,
        kinesis: Kinesis,
        page: int,
        on_lost: Literal["fail", "continue"] = "fail",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinesis, self._page, self._on_lost, self._clock = kinesis, page, on_lost, clock

    def records(self, shard: str, start: str, end: str) -> Iterator[list[Record]]:
        """The records from `start` to `end`, page by page.

        Raises:
            Fatal: some are gone.
            Unreachable: the end does not come.
        """
        expected = next_record(start)
        for page in self._pages(shard, start, end):
            if expected and page.records[0].sequence != expected:
                self._gone(shard, expected)
            expected = None
            inside = [one for one in page.records if within(int(one.sequence), end)]
            if inside:
                yield inside
            if reached(int(page.records[-1].sequence), end):
                return
        if end != END or expected:
            self._gone(shard, expected or end)

    def _pages(self, shard: str, start: str, end: str) -> Iterator[Page]:
        """Pages with records."""
        try:
            yield from self._filled(shard, self._kinesis.pages(shard, start, self._page), end)
        except OutOfReach:
            self._gone(shard, start)
            yield from self._filled(shard, self._kinesis.pages(shard, TRIM_HORIZON, self._page), end)
        except Gone:
            if self._on_lost == "fail":
                raise
            # The shard itself is deleted by now; `records` says so.

    def _filled(self, shard: str, pages: Iterator[Page], end: str) -> Iterator[Page]:
        last_sign = self._clock()
        for page in pages:
            if page.records:
                yield page
                last_sign = self._clock()
                continue
            stuck = page.next is not None and (end != END or page.behind == 0)
            if stuck and self._clock() - last_sign > _PATIENCE:
                raise Unreachable(
                    where=self._kinesis.place.where,
                    expected=f"shard {shard} to give its records up to {end}",
                    found=f"only empty pages for {_PATIENCE:.0f} seconds",
                    todo="The batch is tried again at the next start; nothing was passed over.",
                )

    def _gone(self, shard: str, place: str) -> None:
        if self._on_lost == "continue":
            log.warning(
                "stream=%s shard %s: record %s, which this batch was to read, is deleted by the stream's retention, "
                "with others perhaps. They were not read. onLost is `continue`: reading goes on after the gap",
                self._kinesis.place.name, shard, place,
            )  # fmt: skip
            return
        raise Fatal(
            where=self._kinesis.place.where,
            expected=f"record {place} of shard {shard}, which this batch must read",
            found="a shard that does not hold it any more: the stream's retention deleted it",
            todo=(
                "The batch cannot be read again as it was logged. Send the missing changes again from their origin and "
                "start with a new checkpoint, or set onLost (`on_lost`) to `continue` to go on without them."
            ),
        )


def columns(stream: str, shard: str, found: list[Record]) -> Mapping[str, list[Any]]:
    """The records as columns, named as Spark shows them; times in microseconds."""
    return {
        "data": [one.data for one in found],
        "streamName": [stream] * len(found),
        "partitionKey": [one.key for one in found],
        "sequenceNumber": [one.sequence for one in found],
        "approximateArrivalTimestamp": [one.arrived * 1000 for one in found],
        "shardId": [shard] * len(found),
    }
