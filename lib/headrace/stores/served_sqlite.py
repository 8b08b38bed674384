"""Served rows in the SQLite file of rows by key, found by their terms. `keyed_sqlite` makes the indexes."""

from collections.abc import Mapping

from headrace.ports import Found
from headrace.served_rows import MOST_FILTERS
from headrace.stores.keyed_rows import body_of
from headrace.stores.keyed_sqlite import FOUND_BY, SERVED, SqliteReader, answering


class SqliteRowReader(SqliteReader):
    """A `ports_rows.RowReader`. Threads share it."""

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        """The rows that have all of these terms, in the order of their keys."""
        if not terms or not all(0 <= place < MOST_FILTERS for place in terms):
            raise ValueError(f"expected terms at places 0 to {MOST_FILTERS - 1}; found {sorted(terms)}")
        with self._lock:
            connection = self._current()
            with answering(self._path):
                found = connection.execute(statement(terms), [*terms.values(), most]).fetchall()
        return {key: Found(version, body_of(text)) for key, version, text in found}


def statement(terms: Mapping[int, str]) -> str:
    """The query for rows with terms at these places; its arguments are the terms and a limit."""
    wanted = " and ".join(f"{FOUND_BY.format(place)} = ?" for place in terms)
    return f"select key, version, body from rows where {SERVED} and {wanted} order by key limit ?"
