"""Looks into Kinesis streams without Spark: do they answer, how far behind is a reader, a few records."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from headrace.config_sources import KinesisSource
from headrace.stores.kinesis.api import Kinesis, Record, Stream
from headrace.stores.kinesis.faults import OutOfReach
from headrace.stores.kinesis.options import Place
from headrace.stores.kinesis.positions import END, TRIM_HORIZON
from headrace.stores.kinesis_places import places


class KinesisLook:
    """A short-lived, read-only client of a source's streams.

    Args:
        seconds: how long one call may take, and how long it is tried again.

    Raises (every method): Unreachable, Retryable where Kinesis does not answer; Fatal where it refuses.
    """

    def __init__(self, source: KinesisSource, seconds: float = 5.0) -> None:
        self._source = source
        quick = [replace(one, call_seconds=seconds, give_up_seconds=seconds) for one in places(source)]
        self._streams = {place.name: Kinesis(place) for place in quick}

    @property
    def places(self) -> list[Place]:
        """Where the streams are, in the order a checkpoint knows them by."""
        return [one.place for one in self._streams.values()]

    def tried(self) -> dict[str, Stream]:
        """What describes each stream, after one read of it: every call a reader makes was allowed."""
        found = {}
        for name, kinesis in self._streams.items():
            found[name] = kinesis.describe()
            for shard in list(kinesis.shards())[:1]:
                kinesis.first_page(shard, TRIM_HORIZON, 1)
        return found

    def sample(self, most: int) -> list[tuple[str, Record]]:
        """(stream, record): up to `most` of the oldest records of each stream."""
        found: list[tuple[str, Record]] = []
        for name, kinesis in self._streams.items():
            own: list[Record] = []
            for shard in kinesis.shards():
                if len(own) < most:
                    own += kinesis.first_page(shard, TRIM_HORIZON, most - len(own)).records
            found += [(name, record) for record in own]
        return found

    def behind(self, taken: Sequence[Mapping[str, str]]) -> int:
        """Age of the oldest record that is not read, in milliseconds; 0 where all are.

        Args:
            taken: how far each stream was read, by shard; none where nothing was read yet.
        """
        if not taken and self._source.first_position == "latest":
            return 0
        read = [*taken, *({} for _ in range(len(self._streams) - len(taken)))]
        return max(_behind(kinesis, places) for kinesis, places in zip(self._streams.values(), read, strict=False))


def _behind(kinesis: Kinesis, taken: Mapping[str, str]) -> int:
    slowest = 0
    for shard in kinesis.shards():
        place = taken.get(shard, TRIM_HORIZON)
        if place != END:
            slowest = max(slowest, _shard_behind(kinesis, shard, place))
    return slowest


def _shard_behind(kinesis: Kinesis, shard: str, place: str) -> int:
    try:
        page = kinesis.first_page(shard, place, 1)
    except OutOfReach:
        # Its record is deleted: at least as far behind as the oldest there is.
        page = kinesis.first_page(shard, TRIM_HORIZON, 1)
    age = round(time.time() * 1000) - page.records[0].arrived if page.records else 0
    return max(page.behind, age)
