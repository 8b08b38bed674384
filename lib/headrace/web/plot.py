"""Where the lines of a plot go: numbers for the SVG of a template, which escapes the words. Pure functions."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headrace.web.measured import Point, Series

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 28
_TIMES = 5


@dataclass(frozen=True, slots=True)
class Dot:
    """A point: where, and what it says."""

    x: float
    y: float
    says: str
    faint: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A series as drawn: `line` and `band` are paths of SVG; a gap in time breaks them."""

    number: int
    name: str
    line: str
    band: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    says: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that is drawn."""

    curves: tuple[Curve, ...]
    levels: tuple[Tick, ...]
    times: tuple[Tick, ...]


def plot(every: Sequence[Series], kind: str, since: datetime, until: datetime, width: timedelta) -> Plot:
    """The plot of some series between two times, each point standing for `width`."""
    found = [each for one in every for each in _heights(one)]
    top = _top([abs(each) for each in found], kind)
    bottom = -top if min(found, default=0.0) < 0 else 0.0
    steps = [bottom + (top - bottom) * step / 4 for step in range(5)]

    def across(at: datetime) -> float:
        share = (at - since) / (until - since)
        return round(LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT), 1)

    def down(number: float) -> float:
        share = (min(number, top) - bottom) / (top - bottom)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    curves = []
    for number, one in enumerate(every, 1):
        runs = list(_runs(one.points, width))
        line = " ".join(_path([(across(at), down(shown)) for at, shown, _, _ in run]) for run in runs)
        band = " ".join(_band(run, across, down) for run in runs)
        dots = tuple(
            Dot(across(each.at), down(shown), said(one, each, kind), not each.enough)
            for each in one.points
            if each.at is not None and (shown := height(each)) is not None
        )
        curves.append(Curve(number, one.name, line, band, dots))
    times = [since + (until - since) * step / (_TIMES - 1) for step in range(_TIMES)]
    form = "%H:%M" if until - since <= timedelta(days=1) else "%d %b"
    return Plot(
        tuple(curves),
        tuple(Tick(down(step), number_of(step, kind)) for step in steps),
        tuple(Tick(across(at), f"{at:{form}}") for at in times),
    )


def height(point: Point) -> float | None:
    """What is drawn of a point: of a spread its 95th percentile, else the value."""
    return point.percentiles[1] if point.percentiles else point.value


def said(one: Series, each: Point, kind: str) -> str:
    """A point in words."""
    at = f"{each.at:%d %b %H:%M}" if each.at else ""
    return f"{one.name}, {at} UTC: {with_interval(each, kind)}"


def with_interval(each: Point, kind: str) -> str:
    """The value, its interval or percentiles, and what it is a value of."""
    if each.percentiles:
        found = [
            f"{name} {number_of(q, kind)}" for name, q in zip(("p50", "p95", "p99"), each.percentiles, strict=True)
        ]
        return f"{', '.join(found)} (of {each.among:,.0f})"
    between = f" ({number_of(each.low, kind)} to {number_of(each.high, kind)})" if each.low is not None else ""
    few = "" if each.enough else ", few"
    return f"{number_of(each.value, kind)}{between} of {each.among:,.0f}{few}"


def number_of(number: float | None, kind: str) -> str:
    """A value for people."""
    if number is None:
        return "-"
    if kind == "share":
        return f"{100 * number:.0f} %" if number in (0, 1) or number >= 0.1 else f"{100 * number:.1f} %"
    unit = " s" if kind == "spread" else ""
    return f"{number:,.0f}{unit}" if abs(number) >= 100 else f"{number:.3g}{unit}"


def _heights(one: Series) -> Iterator[float]:
    for each in one.points:
        yield from (found for found in (height(each), each.high) if found is not None)


def _top(found: Sequence[float], kind: str) -> float:
    """The upper end of the axis: a round number."""
    most = max(found, default=0.0)
    if kind == "share":
        return next(one for one in (0.05, 0.1, 0.2, 0.5, 1.0) if most <= one)
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 4, 10) if most <= step * power * (1 + 1e-9))


Run = list[tuple[datetime, float, float | None, float | None]]


def _runs(points: Sequence[Point], width: timedelta) -> Iterator[Run]:
    """The points that follow each other without a gap."""
    run: Run = []
    for each in points:
        shown = height(each)
        if each.at is None or shown is None:
            continue
        if run and each.at - run[-1][0] > width * 1.5:
            yield run
            run = []
        run.append((each.at, shown, each.low, each.high))
    if run:
        yield run


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x} {y}" for x, y in places)


def _band(run: Run, across: Callable[[datetime], float], down: Callable[[float], float]) -> str:
    """The way along the upper ends and back along the lower ones; empty where there is no interval."""
    above = [(across(at), down(high)) for at, _, _, high in run if high is not None]
    below = [(across(at), down(low)) for at, _, low, _ in reversed(run) if low is not None]
    if not above or not below:
        return ""
    return f"{_path([*above, *below])} Z"
