"""How fresh everything is: sources, jobs, tables and stores as lines with a verdict. Pure functions over a status."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from headrace.pipelines.status import DERIVED, SourceStatus, Status
from headrace.web.words import counted

State = Literal["ok", "behind", "stale", "unknown"]
Kind = Literal["source", "job", "table", "store"]
Trend = Literal["growing", "shrinking", "steady"]
_WORST: tuple[State, ...] = ("stale", "behind", "unknown", "ok")
_TREND_OVER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted at one look: by kind and name."""

    at: datetime
    numbers: Mapping[tuple[Kind, str], int]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing.

    Attributes:
        state: `ok`; `behind` and at work; `stale`: behind and silent; `unknown`.
        behind: how far, in words.
        trend: what it did lately; None before the second look.
        last: seconds since it last did something.
        about: what else there is to know.
    """

    kind: Kind
    name: str
    state: State
    behind: str
    trend: Trend | None = None
    last: float | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Rows that were refused for one reason."""

    table: str
    reason: str
    count: int
    newest: float | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """The whole. `state`: the worst of all."""

    at: datetime
    state: State
    lines: tuple[Line, ...]
    refused: tuple[Refusals, ...]

    def of(self, kind: Kind) -> tuple[Line, ...]:
        """Those of one kind."""
        return tuple(line for line in self.lines if line.kind == kind)


def numbers(status: Status) -> dict[tuple[Kind, str], int]:
    """What is counted: how far sources and stores are behind, and rows of tables."""
    found: dict[tuple[Kind, str], int | None] = {
        **{("source", name): one.lag.behind for name, one in status.sources.items()},
        **{("table", name): one.rows for name, one in status.tables.items()},
        **{("store", name): behind for name, behind, _ in _stores(status)},
    }
    return {key: number for key, number in found.items() if number is not None}


def trend(seen: Sequence[int]) -> Trend | None:
    """What a number did from the first look to the last; None with fewer than two."""
    if len(seen) < 2:
        return None
    return "steady" if seen[-1] == seen[0] else "growing" if seen[-1] > seen[0] else "shrinking"


def freshness(status: Status, looks: Sequence[Seen], stale_after: timedelta) -> Freshness:
    """The verdict on everything.

    Args:
        looks: earlier ones and this one, oldest first.
        stale_after: how long something that is behind may be silent.
    """
    told = _Teller(status, looks, stale_after)
    lines = (*told.sources(), *told.jobs(), *told.tables(), *told.stores())
    return Freshness(status.at, worst(line.state for line in lines), lines, tuple(_refused(status)))


def worst(states: Iterable[State]) -> State:
    """The worst of several; `ok` of none."""
    found = set(states)
    return next((state for state in _WORST if state in found), "ok")


class _Teller:
    def __init__(self, status: Status, looks: Sequence[Seen], stale_after: timedelta) -> None:
        self._status, self._limit = status, stale_after.total_seconds()
        self._looks = [one for one in looks if status.at - one.at <= _TREND_OVER]
        self._beats = {
            job: _youngest(_age(status.at, one["at"]) for one in beats.values())
            for job, beats in status.heartbeats.items()
        }
        self._source_states = {name: self._source(name, one) for name, one in status.sources.items()}

    def sources(self) -> Iterator[Line]:
        for name, one in self._status.sources.items():
            behind = "unknown" if one.lag.behind is None else counted(one.lag.behind, one.lag.unit)
            took = f"last batch took {one.seconds[0]:.1f} s" if one.seconds else "no batch yet"
            about = "; ".join(filter(None, (took, _short(one.lag.why))))
            yield Line("source", name, self._source_states[name], behind, self._trend("source", name),
                       _age(self._status.at, one.finished_at), about)  # fmt: skip

    def jobs(self) -> Iterator[Line]:
        for job, age in sorted(self._beats.items()):
            state = self._judged(self._work(job), age)
            yield Line("job", job, state, "", None, age, f"follows {', '.join(sorted(self._status.heartbeats[job]))}")

    def tables(self) -> Iterator[Line]:
        for name, one in self._status.tables.items():
            every = self._source_states.values()
            state = worst(list(every)) if one.source == DERIVED else self._source_states.get(one.source, "unknown")
            rows = "no rows yet" if one.rows is None else counted(one.rows, "rows")
            origin = "derived" if one.source == DERIVED else f"from {one.source}"
            refused = f"{one.rejected:,} refused" if one.rejected else ""
            about = "; ".join(filter(None, (origin, refused, one.why)))
            yield Line("table", name, state, rows, self._trend("table", name), one.fresh_seconds, about)

    def stores(self) -> Iterator[Line]:
        for name, behind, job in _stores(self._status):
            said = "never filled" if behind is None else counted(behind, "commits")
            state = self._judged(behind, self._beats.get(job))
            yield Line("store", name, state, said, self._trend("store", name), None, f"filled by {job}")

    def _source(self, name: str, one: SourceStatus) -> State:
        return self._judged(one.lag.behind, _age(self._status.at, one.finished_at))

    def _judged(self, behind: int | None, silent: float | None) -> State:
        if behind is None:
            return "unknown"
        if behind == 0:
            return "ok"
        return "stale" if silent is None or silent > self._limit else "behind"

    def _work(self, job: str) -> int | None:
        """What lies before a job; 0 where nobody can know."""
        if job == "apply_changes":
            known = [one.lag.behind for one in self._status.sources.values() if one.lag.behind is not None]
            return max(known, default=0)
        return max((behind or 0 for _, behind, of in _stores(self._status) if of == job), default=0)

    def _trend(self, kind: Kind, name: str) -> Trend | None:
        return trend([one.numbers[kind, name] for one in self._looks if (kind, name) in one.numbers])


def _stores(status: Status) -> Iterator[tuple[str, int | None, str]]:
    """Name, commits behind, and the job that fills it."""
    for index in status.knowledge.indexes if status.knowledge else ():
        yield f"{index.index} ({index.model})", index.behind, "index_knowledge"
    for name, behind in (status.people.stores if status.people else {}).items():
        yield name, behind, "build_profiles"


def _refused(status: Status) -> Iterator[Refusals]:
    for one in (*status.rejects, *(status.knowledge.rejects if status.knowledge else ())):
        yield Refusals(one["table"] or "-", one["reason"], int(one["count"]), _age(status.at, one["newest"]))


def _age(now: datetime, then: datetime | str | None) -> float | None:
    if then is None:
        return None
    then = datetime.fromisoformat(then) if isinstance(then, str) else then
    return max(0.0, (now - then).total_seconds())


def _youngest(ages: Iterable[float | None]) -> float | None:
    return min((age for age in ages if age is not None), default=None)


def _short(why: str) -> str:
    # The rest may name places of the machine; `headrace status` shows it.
    return why.split(";")[0].split(":")[0][:80]
