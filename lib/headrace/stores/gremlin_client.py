"""A connection to Amazon Neptune or another Gremlin server, and its errors in Headrace's words."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from headrace.config_keyed_stores import NeptuneGraph
from headrace.errors import Fatal, HeadraceError, MissingDependency, Retryable, Unreachable
from headrace.stores.vectors import brief

if TYPE_CHECKING:
    from gremlin_python.driver.driver_remote_connection import DriverRemoteConnection
    from gremlin_python.process.graph_traversal import GraphTraversalSource

_CONFLICT = ("ConcurrentModificationException", "ConstraintViolationException")
_LOST = "Server disconnected"
_REFUSED = ("AccessDeniedException", "403", "401")


class Conflict(Retryable):
    """Another query touched the same vertices; the same one may pass later."""


def where_of(settings: NeptuneGraph) -> str:
    """The server, as messages name it."""
    return f"neptune {settings.url}"


def long(number: int) -> Any:
    """A number that every query sends with 64 bits."""
    from gremlin_python.statics import long as of_64_bits

    return of_64_bits(number)


class Server:
    """A server, and one connection to it, made when it is needed and after it was lost. Not thread-safe.

    Raises MissingDependency without gremlinpython.
    """

    def __init__(self, settings: NeptuneGraph) -> None:
        try:
            import gremlin_python.driver.aiohttp.transport  # noqa: F401
        except ModuleNotFoundError as error:
            todo = 'Run `pip install "headrace[neptune]"`.'
            raise MissingDependency(expected="gremlinpython", found=f"no module {error.name}", todo=todo) from error
        self._settings = settings
        self._connection: DriverRemoteConnection | None = None

    @property
    def graph(self) -> "GraphTraversalSource":
        """What queries begin with. Raises Fatal without credentials for IAM."""
        from gremlin_python.process.anonymous_traversal import traversal

        if self._connection is None:
            self._connection = self._connected()
        return traversal().with_(self._connection)

    def _connected(self) -> "DriverRemoteConnection":
        from gremlin_python.driver.aiohttp.transport import AiohttpTransport
        from gremlin_python.driver.driver_remote_connection import DriverRemoteConnection

        seconds = self._settings.timeout.total_seconds()
        # The driver never connects again by itself, so each connection has headers of its own.
        return DriverRemoteConnection(
            self._settings.url,
            "g",
            pool_size=1,
            headers=signed(self._settings),
            transport_factory=lambda: AiohttpTransport(read_timeout=seconds, write_timeout=seconds),
        )

    @contextmanager
    def answering(self) -> Iterator[None]:
        """The driver's errors as ours. After one that may have cost the connection the next query makes another."""
        try:
            with answering(self._settings):
                yield
        except Unreachable:
            # The driver would wait for ever for a connection that failed.
            with suppress(Exception):
                self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def signed(settings: NeptuneGraph) -> dict[str, str] | None:
    """The headers of a request signed for IAM: good for five minutes, and for the making of one connection."""
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
    if isinstance(error, GremlinServerError) and _LOST not in found:
        return Retryable(**about, todo="It is tried again.")
    return Unreachable(**about, todo="It is tried again; check `url`, the network and the security group.")
