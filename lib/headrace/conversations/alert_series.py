"""Minutes of one measure in one slice, and what any window of them adds up to."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from headrace.conversations.latency import Buckets, merged, percentile
from headrace.conversations.rates import rate

MINUTE = timedelta(minutes=1)


class Minute(NamedTuple):
    """The parts of a measure in one minute.

    Attributes:
        at: its beginning, UTC.
        n: rows that were counted.
        buckets: counts by `latency.bucket`, of a measure with percentiles.
    """

    at: datetime
    numerator: float
    denominator: float
    n: float
    buckets: Buckets = MappingProxyType({})


class Found(NamedTuple):
    """A measure over a window.

    Attributes:
        value: None where nothing was counted.
        low, high: of a share its interval of 95 %, else the value itself.
    """

    value: float | None
    n: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether it has an interval."""
        return self.low < self.high


@dataclass(frozen=True, slots=True)
class Look:
    """How a window is read.

    Attributes:
        share: each row counts as one or not at all.
        percentile: instead of the mean.
    """

    share: bool = False
    percentile: float | None = None


@dataclass(slots=True)
class Series:
    """Minutes in order; those in which nothing was counted are not there."""

    minutes: list[Minute]
    _starts: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        self.minutes = _added(self.minutes)
        self._starts = [one.at for one in self.minutes]

    def window(self, end: datetime, length: timedelta) -> list[Minute]:
        """The minutes that begin in the `length` before `end`."""
        return self.minutes[bisect_left(self._starts, end - length) : bisect_left(self._starts, end)]

    def found(self, end: datetime, length: timedelta, look: Look) -> Found:
        """The measure over that window."""
        return found(self.window(end, length), look)


def found(minutes: Iterable[Minute], look: Look) -> Found:
    """The measure over some minutes."""
    some = list(minutes)
    n = sum(one.n for one in some)
    if look.percentile is not None:
        exact = percentile(merged(one.buckets for one in some), look.percentile)
        return Found(exact, n, exact or 0.0, exact or 0.0)
    numerator, denominator = sum(one.numerator for one in some), sum(one.denominator for one in some)
    if not denominator:
        return Found(None, n, 0.0, 0.0)
    value = numerator / denominator
    # A measure of the user's own may call itself a share and count more than there is.
    if look.share and 0 <= numerator <= denominator:
        known = rate(numerator, denominator)
        return Found(value, n, known.low, known.high)
    return Found(value, n, value, value)


def whole_minute(at: datetime) -> datetime:
    """The minute that a time lies in. A time without an offset is UTC."""
    there = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return there.replace(second=0, microsecond=0)


def _added(minutes: Iterable[Minute]) -> list[Minute]:
    """Rows of one minute, such as those of several slices, as one; in order."""
    by_minute: dict[datetime, list[Minute]] = {}
    for one in minutes:
        by_minute.setdefault(whole_minute(one.at), []).append(one)
    return [_sum(at, some) for at, some in sorted(by_minute.items())]


def _sum(at: datetime, some: list[Minute]) -> Minute:
    buckets: Mapping[int, int] = some[0].buckets if len(some) == 1 else merged(one.buckets for one in some)
    return Minute(
        at,
        sum(one.numerator for one in some),
        sum(one.denominator for one in some),
        sum(one.n for one in some),
        buckets,
    )
