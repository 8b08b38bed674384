"""The servers, one of each for a test run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .kafka import Kafka
from .opensearch import OpenSearch
from .postgres import Postgres


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A running broker."""
    server = Kafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A running PostgreSQL server with an empty database."""
    server = Postgres(tmp_path / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    """A running OpenSearch node with k-NN."""
    node = OpenSearch(tmp_path_factory.mktemp("opensearch"))
    try:
        yield node.start()
    finally:
        node.stop()
