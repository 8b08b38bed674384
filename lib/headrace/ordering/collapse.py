"""The newest change per key in a batch: a row is a fold over its events, per column.

The rules are those of the guarded MERGE, so that a batch folds to the same row whether its events come together or
apart: of the upserts above the highest delete the newest gives the row its position, and the newest that sent a column
gives that column its value.
"""

from collections.abc import Sequence
from functools import lru_cache

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import quoted

KEY, OP, POSITION, CHANGED_AT, SENT, PROBLEM = "_key", "_op", "_position", "_changed_at", "_sent", "_problem"
FLOOR = "_floor"
KNOWN_FLOOR = "_known_floor"
REFUSED = "_refused"
WARNING, WARNED = "_warning", "_warned"
NEWEST = "_newest"
UNHEARD = "*"
"""Stands among the partial columns for all columns nobody has heard of yet: only a full image sends them (as null)."""


def at_column(index: int) -> str:
    """Name of the column holding the position of the `index`-th partial column's value."""
    return f"_at_{index}"


def collapse(events: DataFrame, columns: Sequence[str], key: Sequence[str], partial: Sequence[str]) -> DataFrame:
    """One row per key.

    Args:
        events: business columns and `_key, _op, _position, _changed_at, _sent, _problem, _warning`.
        columns: the business columns.
        key: those of them that identify a row; deletes have them too.
        partial: those of them that an event may leave out, and `UNHEARD`.

    Returns:
        The business columns (null where no upsert sent one), `_key`, `_position` and `_changed_at` of the newest upsert
        (null where there is none), `_floor` (the newest delete, else null), `_newest` (the higher of both), `_at_<i>`
        for the partial columns and, in one row with a null key, `_refused`: how many events have a problem;
        `_warned`: how many broke a rule that only warns.
    """
    usable = F.col(PROBLEM).isNull()
    folded, result = _fold(tuple(columns), tuple(key), tuple(partial))
    return events.groupBy(F.when(usable, F.col(KEY)).alias(KEY)).agg(*folded).select(*result)


Columns = tuple[Column, ...]


# Kept from batch to batch: building an expression is a call into Java for each part of it.
@lru_cache(maxsize=256)
def _fold(columns: tuple[str, ...], key: tuple[str, ...], partial: tuple[str, ...]) -> tuple[Columns, Columns]:
    """The aggregates of `collapse`, and its columns made of them."""
    usable = F.col(PROBLEM).isNull()
    upsert_at = F.when(usable & (F.col(OP) == "upsert"), F.col(POSITION))
    delete_at = F.when(usable & (F.col(OP) == "delete"), F.col(POSITION))
    full = [name for name in columns if name not in {*partial, *key}]
    winner = F.struct(F.col(CHANGED_AT), *[F.col(quoted(name)) for name in full])
    folded = [
        F.max_by(winner, upsert_at).alias("_winner"),
        F.any_value(F.struct(*[F.col(quoted(name)) for name in key])).alias("_identity"),
        F.max(upsert_at).alias(POSITION),
        F.max(delete_at).alias(FLOOR),
        F.count(PROBLEM).alias(REFUSED),
        F.count(WARNING).alias(WARNED),
    ]
    for index, name in enumerate(partial):
        sent_at = F.when(F.col(SENT).isNull() | F.array_contains(SENT, name), upsert_at)
        folded.append(F.max(sent_at).alias(at_column(index)))
        if name == UNHEARD:
            continue
        folded.append(F.max_by(F.struct(F.col(quoted(name)).alias("value")), sent_at).alias(f"_value_{index}"))
    places = {name: index for index, name in enumerate(partial)}

    def value(name: str) -> Column:
        if name in places:
            return F.col(f"_value_{places[name]}.value").alias(name)
        return F.col(f"{'_identity' if name in key else '_winner'}.{quoted(name)}").alias(name)

    result = (
        *map(value, columns), F.col(KEY), F.col(POSITION), F.col(f"_winner.{CHANGED_AT}").alias(CHANGED_AT),
        F.col(FLOOR), F.greatest(F.col(POSITION), F.col(FLOOR)).alias(NEWEST), F.col(REFUSED), F.col(WARNED),
        *[F.col(at_column(index)) for index in range(len(partial))],
    )  # fmt: skip
    return tuple(folded), result


def above_floors(reduced: DataFrame, columns: Sequence[str], key: Sequence[str], partial: Sequence[str]) -> DataFrame:
    """The same rows with everything below its floor taken away.

    Args:
        reduced: from `collapse`, with `_known_floor`: the highest floor stored for the key, or null.

    Returns:
        The same columns; `_position` null where the newest upsert lies below the key's floor, and so for `_at_<i>` and
        the values they belong to. `_known_floor` becomes the highest floor of batch and lake.
    """
    return reduced.select(*_above(tuple(columns), tuple(key), tuple(partial)))


@lru_cache(maxsize=256)
def _above(columns: tuple[str, ...], key: tuple[str, ...], partial: tuple[str, ...]) -> Columns:
    floor = F.greatest(F.col(FLOOR), F.col(KNOWN_FLOOR))
    places = {name: index for index, name in enumerate(partial)}

    def above(position: Column) -> Column:
        return position.isNotNull() & (floor.isNull() | (position > floor))

    def value(name: str) -> Column:
        if name in key:
            return F.col(quoted(name))
        kept = F.col(at_column(places[name]) if name in places else POSITION)
        return F.when(above(kept), F.col(quoted(name))).alias(name)

    return (
        *map(value, columns),
        F.col(KEY),
        F.when(above(F.col(POSITION)), F.col(POSITION)).alias(POSITION),
        F.when(above(F.col(POSITION)), F.col(CHANGED_AT)).alias(CHANGED_AT),
        F.col(FLOOR), F.col(NEWEST), F.col(REFUSED), F.col(WARNED),
        floor.alias(KNOWN_FLOOR),
        *[F.when(above(F.col(at_column(i))), F.col(at_column(i))).alias(at_column(i)) for i in range(len(partial))],
    )  # fmt: skip
