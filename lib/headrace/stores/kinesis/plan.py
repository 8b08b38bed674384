"""From one offset to the next.

    {"shards": {shard: place}, "from": {shard: place}, "at": 1764000000000, "created": 1760000000}

`shards` says how far every shard is read. `from` says where this very batch starts in each shard it reads: a batch that
runs again after a crash needs nothing but its own offset, not even the first one, whose start `latest` would be later
by then. `at` is when the offset was made, `created` when the stream was. See `positions` for a place.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from headrace.errors import Fatal
from headrace.stores.kinesis.api import Kinesis, Shard, Stream
from headrace.stores.kinesis.bounds import Bounds, Limits, Range
from headrace.stores.kinesis.gaps import Gaps, Known
from headrace.stores.kinesis.options import ReadOptions, Start
from headrace.stores.kinesis.positions import END, TRIM_HORIZON, before

Offset = dict[str, Any]
UNSTARTED: Offset = {"shards": {}}
"""The offset of a query that has read nothing: the first batch decides where it starts, and logs it."""
_ALIVE = 4
"""An offset is made anew when it is a quarter of the retention old, so that a restart knows what cannot be gone."""
_THREADS = 8
_ALL = float("inf")


class Planner:
    """Makes the offsets of one stream.

    Args:
        now: this machine's clock, in milliseconds since 1970.
    """

    def __init__(self, kinesis: Kinesis, options: ReadOptions, now: Callable[[], int]) -> None:
        self._kinesis, self._options, self._now = kinesis, options, now
        self._described: tuple[int, Stream] | None = None

    def next(
        self, base: Offset, *, until: int | None = None, rows: int | None = None, size: int | None = None
    ) -> Offset:
        """The offset after `base`; the same object where there is nothing new.

        Args:
            until: leave what arrived later, in milliseconds since 1970.
            rows, size: about the most records and bytes a batch may hold, where less than the options say.
        """
        now = self._now()
        stream = self._stream(now, base)
        shards = self._kinesis.shards()
        if not base["shards"]:
            return self._first(shards, stream, now, until, rows, size)
        known = Known(base["at"], stream.retention, now)
        gaps = Gaps(self._kinesis, self._options.on_lost, known, shards)
        places = self._places(base["shards"], shards, gaps)
        ranges = self._ranges(places, base["shards"], shards, gaps, now, self._limits(until, rows, size))
        moved = {shard: one.end for shard, one in ranges.items()}
        starts = {shard: one.start for shard, one in ranges.items() if one.start != END}
        found = {**places, **moved}
        if found == base["shards"] and now - base["at"] < stream.retention / _ALIVE:
            return base
        return {"shards": found, "from": starts, "at": now, "created": stream.created}

    def _first(
        self, shards: Mapping[str, Shard], stream: Stream, now: int, until: int | None, rows: int | None,
        size: int | None,
    ) -> Offset:  # fmt: skip
        places = started(self._kinesis, self._options.start, shards, now)
        offset: Offset = {"shards": places, "from": {}, "at": now, "created": stream.created}
        return self.next(offset, until=until, rows=rows, size=size)

    def _stream(self, now: int, base: Offset) -> Stream:
        if self._described is None or now - self._described[0] > 3_600_000:
            self._described = (now, self._kinesis.describe())
        stream = self._described[1]
        if base.get("created", stream.created) != stream.created:
            raise Fatal(
                where=self._kinesis.place.where,
                expected="the stream that the checkpoint was made with",
                found="a stream of the same name that was created later",
                todo="Start with a new checkpoint; raise `epoch` where positions start again with the stream.",
            )
        return stream

    def _places(self, base: Mapping[str, str], shards: Mapping[str, Shard], gaps: Gaps) -> dict[str, str]:
        """How far each shard is read before this batch: shards that are gone left out, new ones added."""
        places = {}
        for shard, place in base.items():
            if shard in shards:
                places[shard] = place
            elif place != END:
                gaps.lost(shard, None)
        for new in shards.values():
            if new.id not in places and _ready(new, base, shards):
                if any(parent not in shards for parent in new.parents):
                    # The parent's records are all deleted: the first of this shard may be as old.
                    gaps.lost(new.id, self._kinesis.first_page(new.id, TRIM_HORIZON, 1))
                places[new.id] = TRIM_HORIZON
        return places

    def _ranges(
        self, places: Mapping[str, str], base: Mapping[str, str], shards: Mapping[str, Shard], gaps: Gaps, now: int,
        limits: Limits,
    ) -> dict[str, Range]:  # fmt: skip
        readable = [shard for shard, place in places.items() if place != END and _ready(shards[shard], base, shards)]
        count = max(1, sum(not shards[shard].closed for shard in readable))
        each = replace(limits, rows=limits.rows / count, size=limits.size / count)
        bounds = Bounds(self._kinesis, now)

        def range_of(shard: str) -> Range | None:
            page = gaps.first_page(shards[shard], places[shard])
            if page.records:
                return bounds.of(shards[shard], page, each)
            # Closed, and nothing more to read: the next batch may read the children.
            return Range(END, END) if shards[shard].closed or page.next is None else None

        with ThreadPoolExecutor(min(_THREADS, max(1, len(readable)))) as pool:
            found = zip(readable, pool.map(range_of, readable), strict=True)
            return {shard: one for shard, one in found if one is not None}

    def _limits(self, until: int | None, rows: int | None, size: int | None) -> Limits:
        options = self._options
        ends = [end for end in (until, options.until) if end is not None]
        return Limits(
            options.max_seconds * 1000,
            min(options.max_rows, rows or options.max_rows),
            min(options.max_bytes, size or options.max_bytes),
            min(ends, default=None),
        )


def started(kinesis: Kinesis, start: Start, shards: Mapping[str, Shard], now: int) -> dict[str, str]:
    """Where a query without a checkpoint starts in each shard.

    `latest` and a time are looked up here, once: the first record that arrived since, or the newest there is.
    """
    moment = now if start.at == "latest" else start.at
    unknown = sorted(set(start.shards) - set(shards))
    if unknown:
        raise Fatal(
            where=kinesis.place.where,
            expected=f"shards of the stream in startingPosition: {', '.join(sorted(shards))}",
            found=unknown[0],
            todo="Correct the shard's name; a shard is listed as long as it holds records.",
        )

    def place(shard: Shard) -> str:
        if shard.id in start.shards:
            return start.shards[shard.id]
        return TRIM_HORIZON if moment == "trim_horizon" else _since(kinesis, shard, int(moment), now)

    return {shard.id: place(shard) for shard in shards.values()}


def _since(kinesis: Kinesis, shard: Shard, moment: int, now: int) -> str:
    found = kinesis.first_since(shard.id, min(moment, now), sure=True)
    if found:
        return before(found.sequence)
    if shard.closed:
        return END
    page = kinesis.first_page(shard.id, TRIM_HORIZON, 2)
    if not page.records:
        return TRIM_HORIZON
    # Everything there is older: the end of a range that starts at the oldest record is the newest.
    place = page.records[0].sequence
    while True:
        page = kinesis.first_page(shard.id, place, 100)
        if not page.records:
            return place
        if page.records[0].arrived >= moment:
            return before(page.records[0].sequence)
        found_range = Bounds(kinesis, now).of(shard, page, Limits(_ALL, _ALL, _ALL))
        assert found_range is not None  # as no time is named to stop at
        place = found_range.end
        if not place.startswith("<"):
            return place


def _ready(shard: Shard, base: Mapping[str, str], shards: Mapping[str, Shard]) -> bool:
    """Whether a shard may be read: all parents that are still listed were read to their end in an earlier batch."""
    return all(parent not in shards or base.get(parent) == END for parent in shard.parents)
