"""The Delta table `measures` as `track_feedback` keeps it, for tests without Spark."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

SLICES = ("tenant", "channel", "language", "intent", "provider", "model", "prompt", "outcome", "ended", "currency",
          "kind", "rated_by", "sentiment")  # fmt: skip
STAMP = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        ("measure", pa.string()), ("minute", STAMP), ("slice", pa.string()),
        *((name, pa.string()) for name in SLICES),
        ("numerator", pa.float64()), ("denominator", pa.float64()), ("n", pa.int64()),
        ("buckets", pa.map_(pa.int32(), pa.int64())), ("counted_at", STAMP), ("day", pa.date32()),
    ]
)  # fmt: skip
DIMENSIONS = ("model", "prompt", "language", "intent", "channel")


def a_row(
    measure: str,
    minute: datetime,
    numerator: float,
    denominator: float,
    n: int | None = None,
    buckets: Mapping[int, int] | None = None,
    **slices: str,
) -> dict[str, Any]:
    """One row; `n` is the denominator unless given."""
    return {
        "measure": measure, "minute": minute, "slice": json.dumps([slices.get(name) for name in DIMENSIONS]), **slices,
        "numerator": float(numerator), "denominator": float(denominator), "n": int(denominator) if n is None else n,
        "buckets": None if buckets is None else list(buckets.items()), "counted_at": minute, "day": minute.date(),
    }  # fmt: skip


def write(lake: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows to the lake's table."""
    table = pa.Table.from_pylist([dict(row) for row in rows], SCHEMA)
    write_deltalake(str(lake / "measures"), table, mode="append", partition_by=["day"])
