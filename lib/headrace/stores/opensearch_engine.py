"""Whether the server can run the engine of the settings, found out before it matters."""

from secrets import token_hex

from headrace.errors import Fatal, Unreachable
from headrace.stores.opensearch_client import Refused, Server
from headrace.stores.opensearch_template import vector_field

_SECONDS = 8.0
_DIMENSION = 8


def check_engine(server: Server) -> None:
    """Raises Fatal where the engine does not work. Lucene is part of the server and needs no look.

    Faiss is a native library. Where it is missing, the server takes an index and documents and then never ends the
    first refresh; a client that waits would hang with it.
    """
    settings = server.settings
    if settings.engine == "lucene" or settings.serverless:
        return
    index = f"{settings.index}--probe-{token_hex(4)}"
    _create(server, index)
    try:
        server.call("PUT", f"/{index}/_doc/1", {"vector": [1.0] + [0.0] * (_DIMENSION - 1)}, seconds=_SECONDS / 2)
        server.call("POST", f"/{index}/_refresh", seconds=_SECONDS)
    except Unreachable as error:
        raise Fatal(
            expected=f"a server that runs the k-NN engine {settings.engine}",
            found=f"no answer within {_SECONDS:.0f} s of a first vector; its native library is missing",
            todo="Set `engine: lucene`, or install the library on the server.",
            where=server.where,
        ) from error
    finally:
        server.find("DELETE", f"/{index}")


def _create(server: Server, index: str) -> None:
    body = {
        # Without the threshold newer servers make no graph of so few vectors, and the library is never called.
        "settings": {"index": {"knn": True, "number_of_replicas": 0, "knn.advanced.approximate_threshold": 0}},
        "mappings": {"properties": {"vector": vector_field(server.settings.engine, _DIMENSION)}},
    }
    try:
        server.quick("PUT", f"/{index}", body)
    except Refused as error:
        if "approximate_threshold" not in str(error):
            raise
        body["settings"] = {"index": {"knn": True, "number_of_replicas": 0}}
        server.quick("PUT", f"/{index}", body)
