"""Rows -> what of them adds up: by measure, minute and slice."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config_measures import COLUMNS, Over, slices
from headrace.conversations.measures import Measure

SLICES = tuple(dict.fromkeys(name for over in COLUMNS for name in slices(over)))
"""Every column that some measure can be sliced by."""
KEY = ("measure", "minute", "slice")
VALUES = ("numerator", "denominator", "n", "buckets")


def parts(rows: Mapping[Over, DataFrame], measures: Sequence[Measure]) -> DataFrame:
    """`measures` as it should be: all columns but `counted_at`. What comes to nothing is left out.

    Args:
        rows: from `relations`.
    """
    groups: dict[tuple[Over, tuple[str, ...]], list[Measure]] = {}
    for one in measures:
        groups.setdefault((one.over, one.dimensions), []).append(one)
    numbers = {over: _as_doubles(rows[over], over) for over in dict.fromkeys(over for over, _ in groups)}
    found = [_group(numbers[over], dimensions, tuple(some)) for (over, dimensions), some in groups.items()]
    counted = reduce(DataFrame.unionByName, found)
    return counted.where("n > 0 OR numerator <> 0")


def _as_doubles(rows: DataFrame, over: Over) -> DataFrame:
    """With numbers of double precision: what a measure adds up of whole ones could overflow, and would end the job."""
    numbers = {name for name, column in COLUMNS[over].items() if column.kind == "number"}
    return rows.select(*[F.col(name).cast("double").alias(name) if name in numbers else name for name in rows.columns])


def _group(rows: DataFrame, dimensions: tuple[str, ...], measures: tuple[Measure, ...]) -> DataFrame:
    """Of measures that are sliced alike: one pass over the rows."""
    summed = rows.groupBy("minute", *dimensions).agg(*_sums(measures))
    return summed.selectExpr("minute", *dimensions, f"explode(array({_told(measures)})) AS told").selectExpr(
        "told.measure", "minute", f"to_json(array({', '.join(dimensions)})) AS slice",
        *[name if name in dimensions else f"CAST(NULL AS STRING) AS {name}" for name in SLICES],
        *[f"told.{name}" for name in VALUES], "to_date(minute) AS day",
    )  # fmt: skip


# Kept from batch to batch: building an expression is a call into Java for each part of it.
@lru_cache(maxsize=64)
def _sums(measures: tuple[Measure, ...]) -> tuple[Column, ...]:
    found = []
    for place, one in enumerate(measures):
        numerator, denominator = one.sums
        found += [
            f"{numerator} AS numerator_{place}",
            f"{denominator} AS denominator_{place}",
            f"{one.counts} AS n_{place}",
        ]
        if one.bucket:
            found.append(f"COLLECT_LIST({one.bucket}) AS buckets_{place}")
    return tuple(map(F.expr, found))


def _told(measures: tuple[Measure, ...]) -> str:
    """SQL of a struct for each measure."""
    return ", ".join(
        f"named_struct('measure', '{one.name}', 'numerator', numerator_{place}, 'denominator', denominator_{place}, "
        f"'n', n_{place}, 'buckets', {_counts(f'buckets_{place}') if one.bucket else 'CAST(NULL AS MAP<INT, BIGINT>)'})"
        for place, one in enumerate(measures)
    )


def _counts(values: str) -> str:
    """SQL of how often each value is in an array; in their order, so that equal ones are the same."""
    distinct = f"array_sort(array_distinct({values}))"
    counts = f"transform({distinct}, one -> CAST(size(filter({values}, other -> other = one)) AS BIGINT))"
    return f"map_from_arrays({distinct}, {counts})"
