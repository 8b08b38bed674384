"""Connections to Amazon DocumentDB or MongoDB, and their errors in Headrace's words.

What an address says of retryable writes and of replicas to read from does not count: DocumentDB knows no retryable
writes before 8.0.2, and the address its console shows reads from replicas, which lag behind. The address holds the
password: no message repeats any of it, not even one of the client's.
Signing in with IAM: https://docs.aws.amazon.com/documentdb/latest/developerguide/iam-identity-auth.html
"""

import importlib.util
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from headrace.config_keyed_stores import DocumentDbRows
from headrace.errors import ConfigError, Fatal, HeadraceError, MissingDependency, Retryable, Unreachable
from headrace.stores.rds_trust import FETCH, trusted
from headrace.stores.vectors import brief

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.collection import Collection

Document = dict[str, Any]
_IDLE_MILLISECONDS = 300_000

DUPLICATE = 11000
_LOGIN = frozenset({11, 18, 8000})
_NOT_ALLOWED = 13
_FOR_GOOD = frozenset({2, 9, 14, 52, 56, 57, 10334, 17280, 17419, 17420})
"""Codes of a bad value, a name that is not taken, or a document or key that is too large: the row's own fault."""
_BAD_TRUST = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "WRONG_VERSION_NUMBER", "wrong version number")


def where_of(settings: DocumentDbRows) -> str:
    """The collection, as messages name it."""
    return f"documentdb {settings.database}.{settings.collection}"


def connect(settings: DocumentDbRows, *, listeners: list[Any] | None = None) -> "MongoClient[Document]":
    """A client; nothing is asked yet, save for the records of a `mongodb+srv` address.

    Raises:
        ConfigError: an address that cannot be read, or certificates that cannot.
        Unreachable: no name server answers.
    """
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    uri = settings.uri.get_secret_value()
    milliseconds = int(settings.timeout.total_seconds() * 1000)
    trust: dict[str, Any] = {"tlsCAFile": trusted(settings.ca_file)} if settings.tls and settings.ca_file else {}
    if "@" in "".join(re.split("[/?]", uri.partition("://")[2], maxsplit=1)[1:]):
        raise _unreadable(settings, "a / or ? before the @")  # the client takes a part of the password for a host
    # The client says of every such host that it is not MongoDB.
    warnings.filterwarnings("ignore", "You appear to be connected to a DocumentDB", UserWarning)
    try:
        return MongoClient(
            uri,
            tls=settings.tls,
            **trust,
            **_login(settings),
            retryWrites=False,
            readPreference="primary",
            w="majority",
            # Bounded: each process of a job has its pool, and a small cluster takes some hundred connections.
            maxPoolSize=settings.writers + 1,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=milliseconds,
            # A connection that a firewall has forgotten would hang.
            maxIdleTimeMS=_IDLE_MILLISECONDS,
            appname="headrace",
            connect=False,
            event_listeners=listeners or [],
        )
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        if isinstance(error, OSError):
            found = f"{type(error).__name__} for {settings.ca_file}"
            raise ConfigError(expected="certificates", found=found, todo=FETCH, where="ca_file") from None
        if uri.startswith("mongodb+srv:") and "DNS" in str(error):
            todo = "Check the host in `uri` and the name server."
            found = f"{type(error).__name__} of the name server"
            raise Unreachable(
                expected="the records of a mongodb+srv address", found=found, todo=todo, where=where_of(settings)
            ) from None
        # The client repeats parts of what it could not read, such as a password with a `:` in it.
        raise _unreadable(settings, type(error).__name__) from None


def _login(settings: DocumentDbRows) -> dict[str, Any]:
    if settings.auth == "password":
        return {}
    if importlib.util.find_spec("pymongo_auth_aws") is None:
        todo = 'Run `pip install "headrace[documentdb]"`.'
        raise MissingDependency(expected="pymongo-auth-aws", found="no such module", todo=todo)
    return {"authMechanism": "MONGODB-AWS", "authSource": "$external"}


def _unreadable(settings: DocumentDbRows, found: str) -> ConfigError:
    todo = "Check `uri`; in user and password write @ : / ? % as %40 %3A %2F %3F %25. It is not shown: it is a secret."
    expected = "mongodb://user:password@host:27017"
    return ConfigError(expected=expected, found=found, todo=todo, where=where_of(settings))


def collection(client: "MongoClient[Document]", settings: DocumentDbRows) -> "Collection[Document]":
    """The collection that the settings name."""
    return client[settings.database][settings.collection]


@contextmanager
def answering(settings: DocumentDbRows) -> Iterator[None]:
    """pymongo's errors as Unreachable (away, no primary), Retryable (busy) or Fatal (login, rights, certificates)."""
    from pymongo.errors import PyMongoError

    try:
        yield
    except PyMongoError as error:
        raise translated(error, settings) from None


def translated(error: Any, settings: DocumentDbRows) -> HeadraceError:
    """The error of ours that says the same."""
    from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure

    where = where_of(settings)
    about: dict[str, Any] = {"expected": "an answer from DocumentDB", "found": said(error, settings), "where": where}
    if isinstance(error, OperationFailure):
        return _of_code(error, about)
    if isinstance(error, ConnectionFailure):  # a time that ran out is one, and so is a server without TLS
        if any(sign in str(error) for sign in _BAD_TRUST):
            todo = f"{FETCH} Or check `tls`."
            return Fatal(**about | {"expected": "a server whose certificate is trusted"}, todo=todo)
        return Unreachable(**about, todo="It is tried again; check host and port in `uri`, the network and `tls`.")
    if isinstance(error, ConfigurationError):
        return _unreadable(settings, type(error).__name__)
    return Retryable(**about, todo="It is tried again.")


def _of_code(error: Any, about: dict[str, Any]) -> HeadraceError:
    if error.code in _LOGIN:
        todo = "Correct user and password in `uri`; for auth: iam, make the role's ARN a user in $external."
        return Fatal(**about | {"expected": "a login the server takes"}, todo=todo)
    if error.code == _NOT_ALLOWED:
        todo = "Give the user the role readWrite on the database (only to read: read)."
        return Fatal(**about | {"expected": "a user who may do this"}, todo=todo)
    return Retryable(**about, todo="It is tried again.")


def for_good(code: int) -> bool:
    """Whether a row refused with this code is refused for good."""
    return code in _FOR_GOOD


def is_held(error: Document) -> bool:
    """Whether the server has the key already: it is newer, or another writer was faster."""
    if error.get("code") != DUPLICATE:
        return False
    pattern = error.get("keyPattern")
    # A server of older versions names the index in its message alone.
    return list(pattern) == ["_id"] if pattern else "_id_" in str(error.get("errmsg", ""))


def said(error: Any, settings: DocumentDbRows) -> str:
    """The client's or server's own words on one line, without anything of the address but its hosts."""
    from urllib.parse import unquote

    text = str(error).partition(", full error:")[0].partition(", Topology Description:")[0]
    login = settings.uri.get_secret_value().partition("://")[2].rpartition("@")[0]
    password = login.partition(":")[2]
    for secret in (login, password, unquote(password)):
        text = text.replace(secret, "***") if secret else text
    return f"{type(error).__name__}: {brief(text)}"
