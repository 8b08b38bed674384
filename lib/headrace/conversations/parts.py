"""Rows -> what of them adds up: by measure, minute and slice."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config_measures import COLUMNS, Over, slices
from headrace.conversations.measures import Measure
from headrace.lake import quoted

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
    found = [_group(rows[over], dimensions, some) for (over, dimensions), some in groups.items()]
    counted = reduce(DataFrame.unionByName, found)
    return counted.where((F.col("n") > 0) | (F.col("numerator") != 0))


def _group(rows: DataFrame, dimensions: tuple[str, ...], measures: Sequence[Measure]) -> DataFrame:
    """Of measures that are sliced alike: one pass over the rows."""
    sums = [column for place, one in enumerate(measures) for column in _sums(one, place)]
    summed = rows.groupBy("minute", *map(quoted, dimensions)).agg(*sums)
    each = F.explode(F.array(*[_told(one, place) for place, one in enumerate(measures)])).alias("_told")
    named = summed.select("minute", *map(quoted, dimensions), each)
    text = F.lit(None).cast("string")
    return named.select(
        "_told.measure", "minute", F.to_json(F.array(*map(quoted, dimensions))).alias("slice"),
        *[(F.col(quoted(name)) if name in dimensions else text).alias(name) for name in SLICES],
        *[f"_told.{name}" for name in VALUES], F.to_date("minute").alias("day"),
    )  # fmt: skip


def _sums(measure: Measure, place: int) -> list[Column]:
    numerator, denominator = measure.sums
    counts = F.expr(f"COALESCE(CAST(({measure.denominator}) AS DOUBLE), 0.0) <> 0.0")
    found = [
        F.expr(numerator).alias(f"_numerator_{place}"),
        F.expr(denominator).alias(f"_denominator_{place}"),
        F.count_if(counts).alias(f"_n_{place}"),
    ]
    if measure.bucket:
        found.append(F.collect_list(F.expr(measure.bucket)).alias(f"_buckets_{place}"))
    return found


def _told(measure: Measure, place: int) -> Column:
    buckets = F.lit(None).cast("map<int, bigint>")
    if measure.bucket:
        buckets = _counts(f"_buckets_{place}")
    return F.struct(
        F.lit(measure.name).alias("measure"),
        F.col(f"_numerator_{place}").alias("numerator"),
        F.col(f"_denominator_{place}").alias("denominator"),
        F.col(f"_n_{place}").alias("n"),
        buckets.alias("buckets"),
    )


def _counts(values: str) -> Column:
    """How often each value is in an array; in their order, so that equal ones are the same."""
    distinct = f"array_sort(array_distinct({values}))"
    counts = f"transform({distinct}, one -> CAST(size(filter({values}, other -> other = one)) AS BIGINT))"
    return F.expr(f"map_from_arrays({distinct}, {counts})")
