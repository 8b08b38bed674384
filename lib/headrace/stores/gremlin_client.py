"""A connection to Amazon Neptune or another Gremlin server, and its errors in Headrace's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from headrace.config_keyed_stores import NeptuneGraph
from headrace.errors import Fatal, HeadraceError, MissingDependency, Retryable, Unreachable
from headrace.stores.vectors import brief

if TYPE_CHECKING:
    from gremlin_python.process.graph_traversal import GraphTraversalSource

_CONFLICT = ("ConcurrentModificationException", "ConstraintViolationException")
_REFUSED = ("AccessDeniedException", "403", "401")


class Conflict(Retryable):
    """Another query touched the same vertices; the same one may pass later."""


class Closable(Protocol):
    """What is closed when it could not be opened."""

    def close(self) -> None:
        """Close it."""


def where_of(settings: NeptuneGraph) -> str:
    """The server, as messages name it."""
    return f"neptune {settings.url}"


def long(number: int) -> Any:
    """A number that every query sends with 64 bits."""
    from gremlin_python.statics import long as of_64_bits

    return of_64_bits(number)


class Server:
    """One connection. Not thread-safe. Raises MissingDependency without gremlinpython, Unreachable, Fatal."""

    def __init__(self, settings: NeptuneGraph) -> None:
        try:
            from gremlin_python.driver.aiohttp.transport import AiohttpTransport
            from gremlin_python.driver.driver_remote_connection import DriverRemoteConnection
            from gremlin_python.process.anonymous_traversal import traversal
        except ModuleNotFoundError as error:
            todo = 'Run `pip install "headrace[neptune]"`.'
            raise MissingDependency(expected="gremlinpython", found=f"no module {error.name}", todo=todo) from error
        seconds = settings.timeout.total_seconds()
        with answering(settings):
            self._connection = DriverRemoteConnection(
                settings.url,
                "g",
                pool_size=1,
                headers=signed(settings),
                transport_factory=lambda: AiohttpTransport(read_timeout=seconds, write_timeout=seconds),
            )
        self.graph: GraphTraversalSource = traversal().with_(self._connection)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def signed(settings: NeptuneGraph) -> dict[str, str] | None:
    """The headers of a request signed for IAM; good for five minutes, and needed when a connection is made."""
    if settings.auth == "none":
        return None
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.session import get_session

    session = get_session()
    credentials = session.get_credentials()
    region = settings.region or session.get_config_variable("region")
    if credentials is None or not region:
        found = "no credentials" if credentials is None else "no region"
        todo = "Give the job a role or AWS_ACCESS_KEY_ID, and `region` or AWS_REGION."
        raise Fatal(expected="AWS credentials and a region", found=found, todo=todo, where=where_of(settings))
    request = AWSRequest("GET", settings.url.replace("ws", "http", 1))
    SigV4Auth(credentials, "neptune-db", region).add_auth(request)
    return dict(request.headers.items())


@contextmanager
def closing_on_error(settings: NeptuneGraph, store: Closable) -> Iterator[None]:
    """As `answering`, for the making of a store."""
    try:
        with answering(settings):
            yield
    except BaseException:
        store.close()
        raise


@contextmanager
def answering(settings: NeptuneGraph) -> Iterator[None]:
    """The driver's errors as Conflict, Unreachable (away), Retryable or Fatal (login, rights)."""
    try:
        yield
    except HeadraceError:
        raise
    except Exception as error:  # the driver lets those of aiohttp, asyncio and the system through
        raise translated(error, settings) from error


def translated(error: Exception, settings: NeptuneGraph) -> HeadraceError:
    """The error of ours that says the same."""
    from gremlin_python.driver.protocol import GremlinServerError

    found = f"{type(error).__name__}: {brief(str(error))}"
    about: dict[str, Any] = {"expected": "an answer from Neptune", "found": found, "where": where_of(settings)}
    if any(sign in found for sign in _CONFLICT):
        return Conflict(**about, todo="It is tried again.")
    if any(sign in found for sign in _REFUSED):
        todo = "Set `auth: aws` where IAM is on, and allow neptune-db:connect and neptune-db:*ViaQuery in the role."
        return Fatal(**about, todo=todo)
    if isinstance(error, GremlinServerError):
        return Retryable(**about, todo="It is tried again.")
    return Unreachable(**about, todo="It is tried again; check `url`, the network and the security group.")
