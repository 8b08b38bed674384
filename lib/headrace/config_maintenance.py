"""Settings of a table's upkeep."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from headrace.config_base import Duration, Settings, Timeout


class TableMaintenance(Settings):
    """Upkeep of one table, run between batches by the job that owns it.

    Attributes:
        compact_at_files: OPTIMIZE once this many files have come since the last time; it joins files below 64 MiB.
        vacuum_every, vacuum_keep: how often VACUUM runs, and the age of files it may delete.
        purge_tombstones_after: how long deletes are remembered; refused where shorter than the log, the rejects or
            `replay_horizon` can bring an older event back.
    """

    compact_at_files: Annotated[int, Field(gt=1)] = 64
    vacuum_every: Duration = timedelta(days=1)
    vacuum_keep: Timeout = timedelta(days=7)
    purge_tombstones_after: Duration = timedelta(days=30)
