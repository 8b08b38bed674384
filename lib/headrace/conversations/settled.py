"""What is older than the settings keep: turns and ratings leave, and what they counted for stays.

A minute before the border is settled: it is never counted again, since rows that it counted are gone. For the same
reason no event from before the border is taken any more. The border stands in the table of turns, before any row goes.
"""

from datetime import UTC, datetime, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import Lake
from headrace.tables import COUNTED, RATINGS, SETTLED_BEFORE, TURNS

TOO_OLD = "too old"
"""The reason of what is refused because it lies before the border."""
_A_DAY = timedelta(days=1)


def border(now: datetime, keep: timedelta) -> datetime:
    """From when on turns and ratings are kept at that moment: a whole day, UTC."""
    return (now - keep).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def taken_since(settled: datetime | None, keep: timedelta | None, now: datetime) -> datetime | None:
    """From when on turns and ratings are taken; None for all.

    It runs ahead of what is settled: upkeep moves that once a day, and not at all before it has run. What it would not
    keep is not taken before it either.

    Args:
        settled: from `settled_before`; never less than that.
        keep: of the settings; None keeps all.
    """
    known = [one for one in (settled, border(now, keep) if keep else None) if one is not None]
    return max(known, default=None)


def settled_before(lake: Lake) -> datetime | None:
    """The border; None where nothing was settled yet."""
    told = lake.mark(TURNS.path, SETTLED_BEFORE)
    return datetime.fromisoformat(told) if told else None


def settle(lake: Lake, before: datetime) -> None:
    """Keep the border. It never goes back: what has left does not come again."""
    lake.set_mark(TURNS.path, SETTLED_BEFORE, before.astimezone(UTC).isoformat(timespec="minutes"))


def between(lake: Lake, since: datetime | None, before: datetime) -> DataFrame:
    """Conversations that count, or are to count, from then until before: column `conversation`, each once.

    With them those of the day after, which tell who has returned.
    """
    end = F.lit(before + _A_DAY)

    def within(when: Column) -> Column:
        return (when < end) & (when >= F.lit(since)) if since else when < end

    counted = F.exists("turn_minutes", within) | F.exists("rating_minutes", within)
    rows = [lake.read(lake.ensure(table)).where(within(F.col("at"))) for table in (TURNS, RATINGS)]
    # What a batch that was cut off has withdrawn stands there alone.
    return _either(*rows, lake.read(lake.ensure(COUNTED)).where(counted))


def leave(lake: Lake, before: datetime) -> int:
    """Delete conversations without any turn or rating since the border, whole; how many. May be repeated."""
    newer = F.col("at") >= F.lit(before)
    both = [lake.read(lake.ensure(table)) for table in (TURNS, RATINGS)]
    # Whatever a crash has left of one is in one of the three.
    some = _either(*[rows.where(~newer) for rows in both], lake.read(lake.ensure(COUNTED)))
    gone = some.join(_either(*[rows.where(newer) for rows in both]), "conversation", "left_anti").localCheckpoint()
    count = 0
    for table in (TURNS, RATINGS, COUNTED):
        count = lake.delete_keys(table.path, gone)
        if count:
            lake.purge(table.path)
    return count


def _either(*rows: DataFrame) -> DataFrame:
    return reduce(DataFrame.unionByName, [one.select("conversation") for one in rows]).distinct()
