"""How a MERGE joins a batch to its table: settings of Spark that keep a big table out of the shuffle.

Delta joins a batch to the table three times, once with every row of the batch kept. Spark cannot broadcast the batch
in that join and sends the whole table through a shuffle instead. With a Bloom filter of the batch's keys only rows
that may match are shuffled. Spark makes the filter itself, but only for joins that are not broadcast and tables it
thinks large. Nothing of the keys reaches the table's log, as a condition on key values would.
"""

from collections.abc import Mapping

BROADCAST = "spark.sql.autoBroadcastJoinThreshold"
WORTH_ROWS = 1_000_000
"""Below, the filter's own small jobs cost as much as it spares (measured, see docs/benchmarks.md)."""
_BLOOM = "spark.sql.optimizer.runtime.bloomFilter"
_BITS_PER_KEY = 16


def join_settings(rows: int, keys: int, broadcast: str) -> Mapping[str, str]:
    """SQL settings for merging `keys` changes into a table of `rows` rows.

    Args:
        broadcast: the session's own `spark.sql.autoBroadcastJoinThreshold`, kept for small tables.
    """
    if rows < WORTH_ROWS:
        return {BROADCAST: broadcast}
    return {
        BROADCAST: "-1",
        f"{_BLOOM}.enabled": "true",
        f"{_BLOOM}.applicationSideScanSizeThreshold": "0",
        f"{_BLOOM}.creationSideThreshold": "1g",
        f"{_BLOOM}.expectedNumItems": str(max(1, keys)),
        f"{_BLOOM}.numBits": str(_BITS_PER_KEY * max(1, keys)),
    }
