"""What a measure is: SQL over one row, whose sums can be added over minutes, models and languages.

The measures that come with Headrace are in `shipped`. A measure of minutes, hours or of any slice is the sum of its
numerators over the sum of its denominators; one of durations also has counts by `latency.bucket`.
"""

from dataclasses import dataclass
from typing import Literal

from headrace.config_measure_sql import with_doubles
from headrace.config_measures import DIMENSIONS, Over, OwnMeasure
from headrace.conversations.latency import bucket_sql

Kind = Literal["share", "mean", "spread"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Attributes:
        kind: `share` of so many that each count or not, with an interval; `mean`; or `spread`, with percentiles too.
        unit: of the result: `share`, or what is counted for each row.
        over: what is counted: each turn in the minute it was asked, each rating in the minute it was given, each
            conversation in the minute of its first turn. What is deleted or withdrawn is not there.
        numerator, denominator: SQL over the columns of a row (`config_measures.COLUMNS`); null counts as 0. Of a
            `spread` the numerator is the value itself.
        definition: one sentence.
        dimensions: the columns that it can be sliced by.
    """

    name: str
    kind: Kind
    unit: str
    over: Over
    numerator: str
    denominator: str
    definition: str
    dimensions: tuple[str, ...] = DIMENSIONS

    @property
    def sums(self) -> tuple[str, str]:
        """SQL of the two parts over any group of rows."""
        return _sum(self.numerator), _sum(self.denominator)

    @property
    def counts(self) -> str:
        """SQL of how many rows of a group have a denominator that is not 0, for Spark."""
        return f"COUNT_IF({_number(self.denominator)} <> 0.0)"

    @property
    def bucket(self) -> str | None:
        """SQL of the bucket that a row falls into, to be counted; None for a measure without percentiles."""
        return bucket_sql(self.numerator) if self.kind == "spread" else None


def own(name: str, settings: OwnMeasure) -> Measure:
    """A user's measure. It has no interval: nothing says that each row counts as one or not at all."""
    return Measure(
        name=name,
        kind="mean",
        unit=settings.unit,
        over=settings.over,
        numerator=settings.numerator,
        denominator=settings.denominator,
        definition=settings.definition,
        dimensions=tuple(settings.dimensions),
    )


def value(numerator: float, denominator: float) -> float | None:
    """The measure of a slice out of the sums of its parts; None where nothing was counted."""
    return numerator / denominator if denominator else None


def _sum(expression: str) -> str:
    return f"SUM({_number(expression)})"


def _number(expression: str) -> str:
    return f"COALESCE(CAST(({with_doubles(expression)}) AS DOUBLE), 0.0)"
