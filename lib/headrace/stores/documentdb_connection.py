"""Connections to Amazon DocumentDB, and its errors in Headrace's words.

DocumentDB wants TLS with AWS's own certificates and refuses retryable writes.
Signing in with IAM: https://docs.aws.amazon.com/documentdb/latest/developerguide/iam-identity-auth.html
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from headrace.config_documentdb import DocumentDbConnection
from headrace.errors import ConfigError, Fatal, HeadraceError, MissingDependency, Unreachable
from headrace.stores.rds_trust import FETCH, trusted
from headrace.stores.vectors import brief

_MILLISECONDS_TO_CONNECT = 5_000
_MILLISECONDS_TO_FIND_A_SERVER = 10_000
_IDLE_MILLISECONDS = 300_000
_NO_LOGIN = (13, 18)  # Unauthorized, AuthenticationFailed


def connect(settings: DocumentDbConnection) -> "MongoClient[dict[str, Any]]":
    """A client that has reached the cluster, for one process. It may be used from several threads.

    Raises:
        Unreachable: no server answers.
        ConfigError, Fatal: a certificate that is not trusted, a login that is refused, settings that are wrong.
        MissingDependency: `auth: iam` without pymongo's part for AWS.
    """
    client: MongoClient[dict[str, Any]] | None = None
    with answering(settings):
        try:
            client = MongoClient(settings.uri.get_secret_value(), **options(settings))
            client[settings.database].command("ping")
        except BaseException:
            if client is not None:
                client.close()
            raise
    return client


def options(settings: DocumentDbConnection) -> dict[str, Any]:
    """What pymongo is told beside the URI."""
    milliseconds = round(settings.timeout.total_seconds() * 1000)
    told: dict[str, Any] = {
        "appname": "headrace",
        "retryWrites": False,
        "readPreference": settings.read_preference,
        "timeoutMS": milliseconds,
        "connectTimeoutMS": min(_MILLISECONDS_TO_CONNECT, milliseconds),
        "serverSelectionTimeoutMS": min(_MILLISECONDS_TO_FIND_A_SERVER, milliseconds),
        "maxPoolSize": settings.connections,
        # A connection that a firewall has forgotten would hang.
        "maxIdleTimeMS": _IDLE_MILLISECONDS,
    }
    if settings.replica_set:
        told["replicaSet"] = settings.replica_set
    if settings.ca_file:
        told |= {"tls": True, "tlsCAFile": trusted(settings.ca_file)}
    if settings.auth == "iam":
        if importlib.util.find_spec("pymongo_auth_aws") is None:
            todo = 'Run `pip install "headrace[documentdb]"`.'
            raise MissingDependency(expected="pymongo-auth-aws", found="no such module", todo=todo)
        told |= {"authMechanism": "MONGODB-AWS", "authSource": "$external"}
    return told


@contextmanager
def answering(settings: DocumentDbConnection) -> Iterator[None]:
    """pymongo's errors as Unreachable, ConfigError or Fatal."""
    try:
        yield
    except PyMongoError as error:
        raise _translated(error, f"documentdb database {settings.database}") from error


def _translated(error: PyMongoError, where: str) -> HeadraceError:
    said = brief(str(error))
    if isinstance(error, InvalidURI):
        # Its message may quote the URI, and with it the password.
        todo = "Write user and password percent-encoded."
        return ConfigError(expected="mongodb://user:password@host:27017", found="another form", todo=todo, where="uri")
    if isinstance(error, ConfigurationError):
        todo = "Correct the settings of this connection."
        return ConfigError(expected="settings pymongo takes", found=said, todo=todo, where=where)
    if isinstance(error, OperationFailure):
        if error.code in _NO_LOGIN:
            todo = "Correct user and password; for auth: iam, create the role's ARN as a user in $external."
            return Fatal(expected="a login DocumentDB takes", found=said, todo=todo, where=where)
        todo = "Correct the settings of this connection, or the user's rights."
        return Fatal(expected="a command DocumentDB takes", found=said, todo=todo, where=where)
    if "CERTIFICATE_VERIFY_FAILED" in str(error) or "certificate verify failed" in str(error):
        return Fatal(expected="a server with a certificate that is trusted", found=said, todo=FETCH, where=where)
    todo = "It is tried again; check host and port, the security group, and that the job runs in the cluster's network."
    return Unreachable(expected="an answer from DocumentDB", found=said, todo=todo, where=where)
