"""The store of rows by key that the settings name: its write side, its read side."""

from headrace.config_keyed_stores import DocumentDbRows, DynamoDbRows, KeyedStore, NeptuneGraph, SqliteRows
from headrace.ports import KeyedReader, Projection
from headrace.stores.keyed_documentdb import DocumentDbStore
from headrace.stores.keyed_documentdb_reader import DocumentDbReader
from headrace.stores.keyed_dynamodb import DynamoDbStore
from headrace.stores.keyed_dynamodb_reader import DynamoDbReader
from headrace.stores.keyed_sqlite import SqliteReader, SqliteStore
from headrace.stores.neptune_graph import NeptuneStore


def rows(settings: KeyedStore | NeptuneGraph) -> Projection:
    """The write side, of the identity graph too. Nothing is asked before `open`."""
    match settings:
        case SqliteRows():
            return SqliteStore(settings)
        case DocumentDbRows():
            return DocumentDbStore(settings)
        case DynamoDbRows():
            return DynamoDbStore(settings)
        case NeptuneGraph():
            return NeptuneStore(settings)


def reader(settings: KeyedStore) -> KeyedReader:
    """The read side. Nothing is asked before `read`; threads may share it."""
    match settings:
        case SqliteRows():
            return SqliteReader(settings)
        case DocumentDbRows():
            return DocumentDbReader(settings)
        case DynamoDbRows():
            return DynamoDbReader(settings)
