"""No silent freeze: a source whose positions fall behind what is stored must not look healthy.

Stale is success for one row. But after a fail-over, a topic created again or a table restored, every new event lies
below what is stored, nothing is applied any more, and all looks green. Two signs tell this from a plain replay:

* the events are *newer* by the source's clock than the newest applied, and yet lower in position;
* the share of stale rows jumps in the middle of a run whose earlier batches were applied.
"""

from dataclasses import dataclass
from datetime import datetime

from headrace.config import Apply
from headrace.errors import Frozen

JUMP_BATCHES = 3


@dataclass(slots=True)
class Progress:
    """What was applied to one table so far, in this run and before."""

    newest_position: str = ""
    newest_changed_at: datetime | None = None
    applied_in_this_run: bool = False
    stale_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one batch brought for the table."""

    changes: int
    stale: int
    newest_position: str
    newest_changed_at: datetime | None


def check(progress: Progress, seen: Seen, table: str, source: str, settings: Apply) -> None:
    """Take a batch into account. Raises Frozen when the source's numbering seems to have gone back."""
    behind = seen.newest_position < progress.newest_position
    enough = seen.changes >= settings.stale_check_rows
    mostly_stale = enough and seen.stale > settings.max_stale_share * seen.changes
    suspicious = mostly_stale and behind
    later = (
        seen.newest_changed_at is not None
        and progress.newest_changed_at is not None
        and seen.newest_changed_at > progress.newest_changed_at
    )
    progress.stale_in_a_row = progress.stale_in_a_row + 1 if suspicious else 0
    jumped = progress.applied_in_this_run and progress.stale_in_a_row >= JUMP_BATCHES
    if suspicious and (later or jumped) and not settings.allow_stale:
        raise Frozen(
            where=f"table {table}",
            expected=f"positions above {progress.newest_position}, the newest stored",
            found=f"{seen.stale} of {seen.changes} changes below it, up to {seen.newest_position}",
            todo=(
                f"Did the source's own numbering restart (fail-over, topic created again, table restored)? "
                f"Then raise sources.{source}.epoch by one and start again. "
                f"Is this a deliberate replay? Then set apply.allow_stale: true for it."
            ),
        )
    if seen.stale < seen.changes:
        progress.applied_in_this_run = True
    progress.newest_position = max(progress.newest_position, seen.newest_position)
    if seen.newest_changed_at is not None:
        progress.newest_changed_at = max(progress.newest_changed_at or seen.newest_changed_at, seen.newest_changed_at)
