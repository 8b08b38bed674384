"""Served rows in the SQLite file of rows by key, found by their terms. `keyed_sqlite` makes the indexes."""

import sqlite3
from collections.abc import Mapping

from headrace.ports import Found
from headrace.served_rows import MOST_FILTERS
from headrace.stores.keyed_rows import body_of
from headrace.stores.keyed_sqlite import FOUND_BY, SERVED, SqliteReader, answering

_ENOUGH = 1_000
"""Rows that are counted to see which term is the rarest."""


class SqliteRowReader(SqliteReader):
    """A `ports_rows.RowReader`. Threads share it."""

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        """The rows that have all of these terms, in the order of their keys."""
        if not terms or not all(0 <= place < MOST_FILTERS for place in terms):
            raise ValueError(f"expected terms at places 0 to {MOST_FILTERS - 1}; found {sorted(terms)}")
        with self._lock:
            connection = self._current()
            with answering(self._path):
                places = _rarest_first(connection, terms)
                arguments = [*(terms[place] for place in places), most]
                found = connection.execute(statement(places), arguments).fetchall()
        return {key: Found(version, body_of(text)) for key, version, text in found}


def statement(places: list[int]) -> str:
    """The query for rows with terms at these places, by the index of the first; its arguments are terms and a limit."""
    first, *others = (f"{FOUND_BY.format(place)} = ?" for place in places)
    # The plus keeps SQLite from an index; without statistics it takes any, also that of a term that all rows have.
    wanted = " and ".join([first, *(f"+{other}" for other in others)])
    return f"select key, version, body from rows where {SERVED} and {wanted} order by key limit ?"


def _rarest_first(connection: sqlite3.Connection, terms: Mapping[int, str]) -> list[int]:
    if len(terms) == 1:
        return list(terms)

    def count(place: int) -> int:
        some = f"select 1 from rows where {SERVED} and {FOUND_BY.format(place)} = ? limit {_ENOUGH}"
        return int(connection.execute(f"select count(*) from ({some})", [terms[place]]).fetchone()[0])

    return sorted(terms, key=count)
