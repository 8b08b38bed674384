"""How a connection to PostgreSQL signs in: a password in the URL, or a token of Aurora's for each new connection.

A token is a request signed with the process's AWS credentials; it opens connections for 15 minutes and is checked at
login only.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from headrace.config_indexes import PgvectorIndex
from headrace.errors import Fatal, HeadraceError
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.rds_trust import FETCH, trusted

_SECONDS = 10.0
_PORT = 5432
_REFUSED = "authentication failed"
_NOT_TRUSTED = (
    "certificate verify failed", "root certificate", "does not match host name", "server does not support SSL",
)  # fmt: skip


def login(settings: PgvectorIndex) -> dict[str, Any]:
    """What psycopg is told beside the URL, a fresh token included. Raises as `aws_client` does, and ConfigError."""
    told: dict[str, Any] = {}
    if settings.ca_file:
        told |= {"sslmode": "verify-full", "sslrootcert": trusted(settings.ca_file)}
    if settings.auth == "iam":
        told["password"] = token(settings)
    return told


def token(settings: PgvectorIndex) -> str:
    """A new token for the user, host and port of the URL."""
    parts = urlsplit(settings.url.get_secret_value())
    client = aws_client("rds", region=settings.region, role=settings.role, seconds=_SECONDS, calls=1)
    try:
        made = client.generate_db_auth_token(
            DBHostname=parts.hostname, Port=parts.port or _PORT, DBUsername=unquote(parts.username or "")
        )
    except Exception as error:
        raise translated(error, "auth: iam", "a token for the database") from error
    finally:
        client.close()
    return str(made)


def refusal(settings: PgvectorIndex, said: str, where: str) -> HeadraceError | None:
    """What a failed connection means where it failed at the login or the certificate; None for anything else."""
    if any(sign in said for sign in _NOT_TRUSTED):
        return Fatal(expected="a server with a certificate that is trusted", found=said, todo=FETCH, where=where)
    if settings.auth == "iam" and _REFUSED in said:
        todo = (
            "Run `grant rds_iam to <user>` in the database, allow rds-db:connect for that user in the role's policy, "
            "and check `region` and the machine's clock: a token is good for 15 minutes."
        )
        return Fatal(expected="a token the database takes", found=said, todo=todo, where=where)
    return None
