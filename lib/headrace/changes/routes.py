"""Which table of the lake a table of the source feeds."""

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.config import Table


@dataclass(frozen=True, slots=True)
class Route:
    """What a decoder must know of one table.

    Attributes:
        name: the table in the lake.
        key: identifying columns, as the source names them.
        types: declared types, by source column; may carry an encoding, e.g. `timestamp from millis`.
        mask: columns that must not reach `changes_log` and `rejects`.
    """

    name: str
    key: tuple[str, ...]
    types: Mapping[str, str]
    mask: tuple[str, ...] = ()
    max_row_bytes: int = 8 * 1024 * 1024


class Routes:
    """The routes of one source. `find` answers None for a table no settings name."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._exact: dict[str, Route] = {}
        self._by_name: dict[str, Route] = {}
        for name, table in tables.items():
            route = Route(name, table.key, dict(table.types), table.mask, table.max_row_bytes)
            if table.source_table is None:
                self._by_name[name] = route
            else:
                self._exact[table.source_table] = route

    def find(self, source_table: str) -> Route | None:
        """The route of a source table.

        An exact `source_table` wins. A table without one takes the rows of a source that names no tables, or of the
        source table whose full name or last part is the table's own name.
        """
        found = self._exact.get(source_table)
        if found is None and not source_table and len(self._by_name) == 1 and not self._exact:
            (found,) = self._by_name.values()
        if found is None:
            found = self._by_name.get(source_table) or self._by_name.get(source_table.rpartition(".")[2])
        return found

    def all(self) -> list[Route]:
        """Every route, for decoders that prepare something per table."""
        return [*self._exact.values(), *self._by_name.values()]
