"""One server and one client for all tests of a file: botocore takes a third of a second for each client."""

from collections.abc import Iterator

import pytest

from unit.embedders.model_server import ModelServer, model_server

SECRET = "very-secret-key"


@pytest.fixture(scope="module")
def served() -> Iterator[ModelServer]:
    with pytest.MonkeyPatch.context() as patch, model_server() as one:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIA-TEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield one


@pytest.fixture
def server(served: ModelServer) -> ModelServer:
    """The server, without the calls of other tests."""
    served.calls.clear()
    return served
