"""What adopters test their own tables with: change builders, an oracle, and a comparison with what the lake holds."""

from headrace.testing.builders import delete, envelopes, moved, partial, position_of, truncate, upsert
from headrace.testing.compare import differences, history_of, rows_of
from headrace.testing.oracle import Interval, TableTruth, table_truth

__all__ = [
    "Interval",
    "TableTruth",
    "delete",
    "differences",
    "envelopes",
    "history_of",
    "moved",
    "partial",
    "position_of",
    "rows_of",
    "table_truth",
    "truncate",
    "upsert",
]
