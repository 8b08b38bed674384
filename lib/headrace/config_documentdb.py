"""Settings of the stores that hold profiles; no job uses them yet."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, Settings, Text, Timeout
from headrace.config_postgres import is_loopback

_URI = 'uri: {secret: "aws:prod/documentdb#uri"}'
_UNCHECKED = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")
_SET_HERE = frozenset(
    [
        *_UNCHECKED,
        "tls",
        "ssl",
        "tlscafile",
        "authmechanism",
        "authsource",
        "replicaset",
        "retrywrites",
        "readpreference",
    ]
)


class DocumentDbConnection(Settings):
    """An instance-based cluster of Amazon DocumentDB. A server on this machine may do without TLS.

    Attributes:
        uri: `mongodb://user:password@host:27017`; with `auth: iam` no user and no password.
        auth: `password`, or `iam`: the process's own AWS credentials (clusters of version 5.0 and newer).
        ca_file: AWS's certificates (PEM). The server's is always checked, its name too.
        replica_set: `rs0` at DocumentDB; null for a server that is none.
        read_preference: guards compare with what is stored, so reads go to the primary unless told otherwise.
        timeout: of one operation, retries and the search for a server included.
        connections: the most to one server at a time.
    """

    uri: SecretStr
    database: Text
    auth: Literal["password", "iam"] = "password"
    ca_file: Text | None = None
    replica_set: Text | None = "rs0"
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"] = "primary"
    timeout: Timeout = timedelta(seconds=30)
    connections: Annotated[int, Field(ge=1, le=1000)] = 20

    @model_validator(mode="after")
    def _fits(self) -> "DocumentDbConnection":
        parts = urlsplit(self.uri.get_secret_value())
        if parts.scheme != "mongodb" or not parts.netloc:
            raise Contradiction("uri", "mongodb://user:password@host:27017", "another form", _URI)
        for name in sorted({name.lower() for name in parse_qs(parts.query, keep_blank_values=True)} & _SET_HERE):
            raise Contradiction("uri", "an address without options that are set beside it", name, _URI)
        login, at, _ = parts.netloc.rpartition("@")
        if self.auth == "iam" and at:
            expected = "no user and no password with auth: iam, which uses the job's role"
            raise Contradiction("uri", expected, "some", "uri: mongodb://host:27017")
        if self.auth == "password" and not login and not self.on_this_machine:
            raise Contradiction("uri", "user and password, or auth: iam", "none", _URI)
        if self.ca_file is None and not self.on_this_machine:
            expected = "the file of AWS's certificates, which no operating system brings"
            raise Contradiction("ca_file", expected, "none", "ca_file: ./global-bundle.pem")
        return self

    @property
    def on_this_machine(self) -> bool:
        """Whether every host is this machine."""
        hosts = urlsplit(self.uri.get_secret_value()).netloc.rpartition("@")[2].split(",")
        return all(is_loopback(urlsplit(f"//{host}").hostname or "") for host in hosts)
