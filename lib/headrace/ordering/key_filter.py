"""A condition on the target's columns alone that every key of a batch meets, so that a MERGE reads less of a big table.

Delta prunes by conditions that name only the target and literals. Keys may be personal and Delta writes a MERGE's
condition into its log, so the condition holds hash buckets of the keys, never the keys.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.lake import quoted

WORTH_ROWS = 2_000_000
MOST_KEYS = 20_000
BUCKETS = 1 << 20


def key_filter(reduced: DataFrame, key: Sequence[str], keys: int, rows: int) -> str | None:
    """The condition, or None where it would not pay: a small table, or a batch of many keys.

    Args:
        reduced: the batch, one row per key.
        keys, rows: sizes of the batch and of the table.
    """
    if rows < WORTH_ROWS or not 0 < keys <= MOST_KEYS:
        return None
    bucket = F.pmod(F.xxhash64(*[F.col(quoted(name)) for name in key]), F.lit(BUCKETS))
    found = sorted(row[0] for row in reduced.where(F.col("_key").isNotNull()).select(bucket).distinct().collect())
    columns = ", ".join(f"t.{quoted(name)}" for name in key)
    return f"pmod(xxhash64({columns}), {BUCKETS}) IN ({', '.join(map(str, found))})"
