"""The stores of served rows that the settings name: the read side. The write side is `keyed.rows`."""

from headrace.config_keyed_stores import SqliteRows
from headrace.ports_rows import RowReader
from headrace.stores.served_sqlite import SqliteRowReader


def row_reader(settings: SqliteRows) -> RowReader:
    """The read side. Nothing is asked before a read; threads may share it."""
    return SqliteRowReader(settings)
