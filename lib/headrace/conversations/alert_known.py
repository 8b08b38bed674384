"""Whether rules fit the measures there are, and the SQL that reads their minutes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from headrace.config_alerts import BurnRate, Rule
from headrace.config_measures import OwnMeasure
from headrace.conversations.measures import Measure, own
from headrace.conversations.shipped import SHIPPED
from headrace.errors import ConfigError
from headrace.ports_measures import day_sql, time_sql


def known(owned: Mapping[str, OwnMeasure], more: Sequence[str] = ()) -> dict[str, Measure]:
    """Every measure by name: those that Headrace brings and the user's.

    Args:
        more: dimensions that the former get besides their own.
    """
    shipped = {one.name: replace(one, dimensions=tuple(dict.fromkeys([*one.dimensions, *more]))) for one in SHIPPED}
    return shipped | {name: own(name, one) for name, one in owned.items()}


def check(rules: Mapping[str, Rule], measures: Mapping[str, Measure]) -> None:
    """Raises ConfigError for the first rule that asks for what its measure has not."""
    for name, rule in rules.items():
        for key, expected, found in _misfits(rule, measures):
            todo = "Correct the rule; docs/alerts.md has one of each kind."
            raise ConfigError(where=f"alerts.rules.{name}.{key}", expected=expected, found=found, todo=todo)


def is_share(measure: Measure) -> bool:
    """Whether its value has an interval."""
    return measure.kind == "share"


def minutes_sql(rule: Rule, since: datetime, until: datetime, table: str = "rows") -> str:
    """Reads `minute, numerator, denominator, n, buckets` of a rule's minutes from `since` up to, without, `until`.

    It means the same in Spark and in delta-rs. A measure with a percentile has several rows of a minute, to be added.
    """
    where = [
        f"measure = {_text(rule.measure)}",
        f"day >= {day_sql(since)}",
        f"day <= {day_sql(until)}",
        f"minute >= {time_sql(since)}",
        f"minute < {time_sql(until)}",
        *(f"{column} = {_text(value)}" for column, value in sorted(rule.slice.items())),
    ]
    if rule.percentile is not None:
        columns, group = "minute, numerator, denominator, n, buckets", ""
    else:
        sums = "SUM(numerator) AS numerator, SUM(denominator) AS denominator, SUM(n) AS n"
        columns, group = f"minute, {sums}, NULL AS buckets", " GROUP BY minute"
    return f"SELECT {columns} FROM {table} WHERE {' AND '.join(where)}{group}"


def _misfits(rule: Rule, measures: Mapping[str, Measure]) -> Iterator[tuple[str, str, str]]:
    measure = measures.get(rule.measure)
    if measure is None:
        yield "measure", f"a measure ({', '.join(sorted(measures))})", rule.measure
        return
    for column in rule.slice:
        if column not in measure.dimensions:
            yield "slice", f"dimensions of {measure.name} ({', '.join(measure.dimensions)})", column
    if rule.percentile is not None and measure.kind != "spread":
        spreads = ", ".join(one.name for one in measures.values() if one.kind == "spread")
        yield "percentile", f"a measure with percentiles ({spreads})", measure.name
    if isinstance(rule, BurnRate) and measure.kind == "spread":
        yield "measure", "a share, such as errors", measure.name


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
