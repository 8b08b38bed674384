"""The stores of served rows that the settings name: the write side, whose rows can be found, and the read side."""

from contextlib import closing

from headrace.config_keyed_stores import DocumentDbRows, DynamoDbRows, KeyedStore, SqliteRows
from headrace.ports import Projection
from headrace.ports_rows import RowReader
from headrace.stores import dynamodb_table
from headrace.stores.keyed_sqlite import SqliteStore
from headrace.stores.served_documentdb import DocumentDbRowReader, DocumentDbRowStore
from headrace.stores.served_dynamodb import TERMS, DynamoDbRowReader, DynamoDbRowStore
from headrace.stores.served_sqlite import SqliteRowReader


def rows(settings: KeyedStore) -> Projection:
    """The write side. Nothing is asked before `open`."""
    match settings:
        case SqliteRows():
            return SqliteStore(settings)
        case DocumentDbRows():
            return DocumentDbRowStore(settings)
        case DynamoDbRows():
            return DynamoDbRowStore(settings)


def check_makeable(settings: KeyedStore) -> None:
    """Raises Fatal for a store that is not there and that no job makes."""
    if isinstance(settings, DynamoDbRows) and not settings.create:
        with closing(dynamodb_table.client(settings)) as client:
            dynamodb_table.make(client, settings, TERMS)


def row_reader(settings: KeyedStore) -> RowReader:
    """The read side. Nothing is asked before a read; threads may share it."""
    match settings:
        case SqliteRows():
            return SqliteRowReader(settings)
        case DocumentDbRows():
            return DocumentDbRowReader(settings)
        case DynamoDbRows():
            return DynamoDbRowReader(settings)
