"""The records of one range: exactly those, whenever it is read, or an error."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headrace.errors import Fatal, Unreachable
from headrace.stores.kinesis.api import Kinesis, OutOfReach, Record
from headrace.stores.kinesis.positions import END, next_record, reached, within

_PATIENCE = 60.0
"""Seconds of empty pages, with an end ahead that is known to be there, before a range is given up."""


def records(
    kinesis: Kinesis, shard: str, start: str, end: str, page: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[list[Record]]:
    """The records from `start` to `end`, page by page.

    Raises:
        Fatal: the first record is gone, or the shard ended before the range did.
        Unreachable: the end does not come.
    """
    expected, last_sign = next_record(start), clock()
    try:
        for found in kinesis.pages(shard, start, page):
            if not found.records:
                stuck = found.next is not None and (end != END or found.behind == 0)
                if stuck and clock() - last_sign > _PATIENCE:
                    raise _unreachable(kinesis, shard, end)
                continue
            last_sign = clock()
            if expected and found.records[0].sequence != expected:
                raise _gone(kinesis, shard, expected)
            expected = None
            inside = [one for one in found.records if within(int(one.sequence), end)]
            if inside:
                yield inside
            if reached(int(found.records[-1].sequence), end):
                return
    except OutOfReach as error:
        raise _gone(kinesis, shard, start) from error
    if end != END or expected:
        raise _gone(kinesis, shard, expected or end)


def _unreachable(kinesis: Kinesis, shard: str, end: str) -> Unreachable:
    return Unreachable(
        where=kinesis.place.where,
        expected=f"shard {shard} to give its records up to {end}",
        found=f"only empty pages for {_PATIENCE:.0f} seconds",
        todo="The batch is tried again at the next start; nothing was passed over.",
    )


def _gone(kinesis: Kinesis, shard: str, place: str) -> Fatal:
    return Fatal(
        where=kinesis.place.where,
        expected=f"record {place} of shard {shard}, which this batch must read",
        found="a shard that does not hold it any more: the stream's retention deleted it",
        todo=(
            "The batch cannot be read again as it was logged. Send the missing changes again from their origin and "
            "start with a new checkpoint. A longer retention of the stream leaves more time."
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
