"""The index that the settings name: its write side, its read side."""

from headrace.config_indexes import (
    Index,
    KafkaIndex,
    KendraIndex,
    KinesisIndex,
    OpenSearchIndex,
    PgvectorIndex,
    ServerlessVectorIndex,
    SqliteIndex,
)
from headrace.errors import Fatal
from headrace.ports import Model, PassageReader, VectorIndex
from headrace.stores.kafka_index import KafkaVectorIndex
from headrace.stores.kendra_index import KendraVectorIndex
from headrace.stores.kinesis_index import KinesisVectorIndex
from headrace.stores.opensearch_index import OpenSearchVectorIndex
from headrace.stores.opensearch_search import OpenSearchPassageReader
from headrace.stores.opensearch_serverless import ServerlessPassageReader, ServerlessVectorStore
from headrace.stores.pgvector_index import PgvectorVectorIndex
from headrace.stores.pgvector_search import PgvectorPassageReader
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.stores.sqlite_search import SqlitePassageReader


def index(settings: Index, generation: str, model: Model | None = None) -> VectorIndex:
    """The write side of one generation. Nothing is asked before `open`.

    Args:
        model: what its vectors are made with: `open` then refuses a generation of another one at once, and an empty
            generation can be searched. None takes what the first passage says.
    """
    match settings:
        case SqliteIndex():
            return SqliteVectorIndex(settings, generation, model)
        case OpenSearchIndex():
            return OpenSearchVectorIndex(settings, generation, model)
        case PgvectorIndex():
            return PgvectorVectorIndex(settings, generation, model)
        case KafkaIndex():
            return KafkaVectorIndex(settings, generation, model)
        case KinesisIndex():
            return KinesisVectorIndex(settings, generation, model)
        case ServerlessVectorIndex():
            return ServerlessVectorStore(settings, generation, model)
        case KendraIndex():
            return KendraVectorIndex(settings, generation, model)


def reader(settings: Index, generation: str | None = None) -> PassageReader:
    """The read side, of the active generation or of another. Raises Fatal for a store that is not searched by vectors.

    Args:
        generation: one to read instead of the active one.
    """
    match settings:
        case SqliteIndex():
            return SqlitePassageReader(settings, generation=generation)
        case OpenSearchIndex():
            return OpenSearchPassageReader(settings, generation=generation)
        case PgvectorIndex():
            return PgvectorPassageReader(settings, generation=generation)
        case ServerlessVectorIndex():
            return ServerlessPassageReader(settings, generation=generation)
        case KafkaIndex() | KinesisIndex() | KendraIndex():
            raise Fatal(
                expected="an index that is searched by vectors",
                found=f"store: {settings.store}",
                todo="Name another index to read; a topic or stream is read by what follows it, Kendra by its own API.",
                where="indexes",
            )


def refuses_older(settings: Index) -> bool:
    """Whether the store itself refuses a row older than the one it holds, so that rows may overtake one another."""
    return not isinstance(settings, KafkaIndex | KinesisIndex | KendraIndex | ServerlessVectorIndex)


def tells_keys(settings: Index) -> bool:
    """Whether the store can say what it holds."""
    return not isinstance(settings, KafkaIndex | KinesisIndex | KendraIndex)
