"""Values that rows of partial updates carry, each with the position it comes from."""

from collections.abc import Sequence

from pyspark.sql import functions as F

from headrace.changes.columns import col
from headrace.lake import Assignments, Lake, quoted
from headrace.ordering.collapse import POSITION, UNHEARD
from headrace.tables import CARRIED


def forget_older(lake: Lake, path: str, partial: Sequence[str], floor: str) -> None:
    """Null the values of living rows that are older than a truncate."""
    place = F.lit(floor)
    older = F.exists(F.map_values(CARRIED), lambda position: position < place)
    changes: Assignments = {
        quoted(name): F.when(F.try_element_at(CARRIED, F.lit(name)) < place, F.lit(None)).otherwise(col(name))
        for name in partial
        if name != UNHEARD
    }
    changes[CARRIED] = F.transform_values(CARRIED, lambda _, position: F.greatest(position, place))
    lake.table(path).update((F.col(POSITION) > place) & older, changes)


def first_heard(lake: Lake, path: str, name: str) -> None:
    """Give rows that do not know a new column its position: that of all columns unheard of."""
    unheard = F.try_element_at(CARRIED, F.lit(UNHEARD))
    unknown = unheard.isNotNull() & ~F.map_contains_key(CARRIED, name)
    lake.table(path).update(unknown, {CARRIED: F.map_concat(F.col(CARRIED), F.create_map(F.lit(name), unheard))})
