"""The table of measures as series over time: read by SQL, made into values with their intervals by pure functions."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.conversations.latency import percentile
from headrace.conversations.measures import Measure, value
from headrace.conversations.rates import LEAST, rate
from headrace.pipelines.tables_view import LakeView
from headrace.ports_measures import AHEAD, day_sql, written
from headrace.stores.delta_reader import ROWS, literal, quoted

TABLE = "measures"
MOST_SLICES = 6
WINDOWS: Mapping[str, tuple[timedelta, timedelta]] = {
    "3h": (timedelta(hours=3), timedelta(minutes=5)),
    "24h": (timedelta(hours=24), timedelta(minutes=30)),
    "7d": (timedelta(days=7), timedelta(hours=4)),
    "30d": (timedelta(days=30), timedelta(days=1)),
}
"""By name, how far back, and how much time a point stands for."""
EVERYTHING = "all"
_TYPE = 'Timestamp(Microsecond, Some("UTC"))'


@dataclass(frozen=True, slots=True)
class Sums:
    """The parts of one slice in one span of time; they can be added."""

    at: datetime
    slice: str
    numerator: float
    denominator: float
    buckets: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """A value. `low`, `high`: the interval of a share. `percentiles`: of a spread p50, p95, p99."""

    at: datetime | None
    value: float | None
    low: float | None = None
    high: float | None = None
    among: float = 0
    enough: bool = True
    percentiles: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One slice: its points in order of time, and the whole window as one."""

    name: str
    points: tuple[Point, ...]
    whole: Point


def series(sums: Iterable[Sums], measure: Measure, most: int = MOST_SLICES) -> tuple[Series, ...]:
    """The slices, those with most behind them first."""
    by_slice: dict[str, list[Sums]] = defaultdict(list)
    for one in sums:
        by_slice[one.slice].append(one)
    made = [
        Series(name, tuple(point(measure, one, one.at) for one in sorted(parts, key=lambda each: each.at)),
               point(measure, _added(parts), None))
        for name, parts in by_slice.items()
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: (-one.whole.among, one.name))[:most])


def point(measure: Measure, parts: Sums, at: datetime | None) -> Point:
    """The value of some parts."""
    numerator, denominator = parts.numerator, parts.denominator
    if measure.kind == "share" and 0 <= numerator <= denominator:
        found = rate(numerator, denominator)
        return Point(at, found.value, found.low, found.high, found.among, found.enough)
    percentiles = tuple(percentile(parts.buckets, q) for q in (0.5, 0.95, 0.99)) if measure.kind == "spread" else ()
    enough = denominator >= LEAST
    return Point(at, value(numerator, denominator), None, None, denominator, enough, percentiles)


def read(
    view: LakeView, measure: Measure, by: str | None, tenant: str | None, now: datetime, window: str
) -> list[Sums]:
    """The sums of a measure in the window that ends now, by span of time and by the values of a dimension.

    A minute may lie a little ahead of now, as far as clocks of senders are apart, and no more.

    Args:
        tenant: only rows of this tenant; None for all.
    """
    back, width = WINDOWS[window]
    slice_of = f"coalesce({quoted(by)}, '(none)')" if by else literal(EVERYTHING)
    # Whole spans, so that the first point is no smaller than the others.
    since = datetime.fromtimestamp((now - back).timestamp() // width.total_seconds() * width.total_seconds(), UTC)
    bins = f"date_bin(INTERVAL '{int(width.total_seconds())} seconds', minute)"
    span = f"arrow_cast({bins}, '{_TYPE}')"
    until = now + AHEAD
    days = f"day >= {day_sql(since)} AND day <= {day_sql(until)}"
    minutes = f"minute >= {_moment(since)} AND minute <= {_moment(until)}"
    where = f"measure = {literal(measure.name)} AND {days} AND {minutes}"
    if tenant is not None:
        where += f" AND tenant = {literal(tenant)}"
    sums = f"SELECT {span} AS at, {slice_of} AS slice, sum(numerator) AS numerator, sum(denominator) AS denominator"
    rows = view.query(TABLE, f"{sums} FROM {ROWS} WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2")
    buckets = _buckets(view, span, slice_of, where) if measure.kind == "spread" else {}
    return [
        Sums(row["at"], row["slice"], row["numerator"], row["denominator"], buckets.get((row["at"], row["slice"]), {}))
        for row in rows
    ]


def _buckets(view: LakeView, span: str, slice_of: str, where: str) -> dict[tuple[datetime, str], dict[int, int]]:
    inner = f"SELECT {span} AS at, {slice_of} AS slice, unnest(map_entries(buckets)) AS entry FROM {ROWS} WHERE {where}"
    sql = f"SELECT at, slice, entry['key'] AS bucket, sum(entry['value']) AS n FROM ({inner}) GROUP BY 1, 2, 3"
    found: dict[tuple[datetime, str], dict[int, int]] = defaultdict(dict)
    for row in view.query(TABLE, sql):
        found[row["at"], row["slice"]][int(row["bucket"])] = int(row["n"])
    return found


def _moment(at: datetime) -> str:
    return f"arrow_cast('{written(at)}', '{_TYPE}')"


def _added(parts: Sequence[Sums]) -> Sums:
    buckets: dict[int, int] = defaultdict(int)
    for one in parts:
        for bucket, count in one.buckets.items():
            buckets[bucket] += count
    return Sums(parts[0].at, parts[0].slice, sum(one.numerator for one in parts), sum(one.denominator for one in parts),
                buckets)  # fmt: skip


def plain(every: Iterable[Series]) -> Iterator[dict[str, Any]]:
    """Series as JSON values."""
    for one in every:
        points = [_point(each) for each in one.points]
        yield {"slice": one.name, "whole": _point(one.whole), "points": points}


def _point(one: Point) -> dict[str, Any]:
    names = ("p50", "p95", "p99")
    told = {"value": one.value, "low": one.low, "high": one.high, "among": one.among, "enough": one.enough}
    at = {"at": one.at.isoformat()} if one.at else {}
    result: dict[str, Any] = json.loads(json.dumps(at | told | dict(zip(names, one.percentiles, strict=False))))
    return result
