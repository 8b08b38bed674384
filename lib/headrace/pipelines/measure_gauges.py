"""Reports the newest values of measures to where the job's own metrics go."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from headrace.conversations.alerts import newest_minute
from headrace.conversations.measures import Measure, value
from headrace.errors import ConfigError
from headrace.pipelines.publish_measures import Rows
from headrace.ports_measures import day_sql, time_sql
from headrace.tables import MEASURES

Observe = Callable[..., None]
"""`Telemetry.observe`."""


class Gauges:
    """Reports each measure once a minute, over all of its slices.

    Args:
        names: of the measures.
        window: how many minutes are taken together.
        settle: a minute is looked at when it has been over for so long.
        known: every measure there is.

    Raises ConfigError for a name that is none of them.
    """

    def __init__(
        self,
        names: Sequence[str],
        window: timedelta,
        settle: timedelta,
        known: Mapping[str, Measure],
        rows: Rows,
        observe: Observe,
    ) -> None:
        check_names(names, known)
        self._names, self._window, self._settle = tuple(names), window, settle
        self._rows, self._observe = rows, observe
        self._told: datetime | None = None

    def after_batch(self, now: datetime) -> None:
        """Report the window that ended last; nothing where that was done already."""
        end = newest_minute(now, self._settle)
        if self._told is not None and end <= self._told:
            return
        found = {row["measure"]: row for row in self._rows(window_sql(self._names, end - self._window, end))}
        for name in self._names:
            row = found.get(name)
            rate = value(row["numerator"] or 0.0, row["denominator"] or 0.0) if row else None
            self._observe(MEASURES.owner, name, MeasureValue=rate, MeasureRows=float(row["n"] or 0) if row else 0.0)
        self._told = end


def check_names(names: Sequence[str], known: Mapping[str, Measure]) -> None:
    """Raises ConfigError for a name that no measure has."""
    for name in names:
        if name not in known:
            todo = "Correct the name; docs/measures.md lists those that Headrace brings."
            expected = f"measures ({', '.join(sorted(known))})"
            raise ConfigError(where="metrics.measures", expected=expected, found=name, todo=todo)


def window_sql(names: Sequence[str], first: datetime, end: datetime) -> str:
    """Reads `measure, numerator, denominator, n` of these measures, summed up over minutes from `first` up to `end`."""
    sums = ", ".join(f"SUM({name}) AS {name}" for name in ("numerator", "denominator", "n"))
    days = f"day >= {day_sql(first)} AND day <= {day_sql(end)}"
    minutes = f"minute >= {time_sql(first)} AND minute < {time_sql(end)}"
    among = ", ".join("'" + one.replace("'", "''") + "'" for one in names)
    return f"SELECT measure, {sums} FROM rows WHERE measure IN ({among}) AND {days} AND {minutes} GROUP BY measure"
