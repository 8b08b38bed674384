"""Calls to an OpenSearch server: addresses, credentials, TLS, and its errors in Headrace's words."""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.config_indexes import OpenSearchIndex
from headrace.errors import ConfigError, Fatal, HeadraceError, MissingDependency, Unreachable

SECONDS_TO_OPEN = 12.0
"""The most `open` waits for a server that does not answer, over all hosts."""
_WORTH_PACKING = 2_000
_BUSY = (429, 502, 503, 504)
_NDJSON = "application/x-ndjson"


class Refused(Fatal):
    """The server understood a request and said no.

    Attributes:
        status: HTTP's.
        kind: the server's name for the problem, such as `resource_already_exists_exception`.
    """

    def __init__(self, status: int, kind: str, reason: str, where: str) -> None:
        todo = "Correct the settings of this index, or the index on the server."
        super().__init__(
            expected="a request the server takes", found=f"{status} {kind}: {reason}", todo=todo, where=where
        )
        self.status, self.kind = status, kind


class Server:
    """One client of the hosts; for one process. Nothing is sent before the first call.

    Raises (every call): Unreachable where the server is away or busy, Refused where it says no, Fatal for wrong
    credentials or certificates.
    """

    def __init__(self, settings: OpenSearchIndex) -> None:
        self.settings = settings
        self.where = f"opensearch index {settings.index}"
        self._client: Any = None

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        params: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Any:
        """One request; its answer."""
        if self._client is None:
            self._client = connect(self.settings)
        from opensearchpy.exceptions import TransportError

        headers = {}
        if isinstance(body, bytes):
            headers["content-type"] = _NDJSON
            if len(body) > _WORTH_PACKING:
                # The client would pack at gzip's slowest level, which takes longer than to send.
                body, headers["content-encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        try:
            return self._client.transport.perform_request(
                method,
                path,
                params=dict(params or {}),
                body=body,
                headers=headers,
                timeout=seconds or self.settings.timeout.total_seconds(),
            )
        except TransportError as error:
            raise self._translated(error) from error

    def quick(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A small request that must be answered soon."""
        seconds = min(SECONDS_TO_OPEN / len(self.settings.hosts), self.settings.timeout.total_seconds())
        return self.call(method, path, body, seconds=seconds)

    def find(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The same for what may be missing: None (or False) then."""
        try:
            return self.quick(method, path, body)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def check(self) -> None:
        """Raises Fatal for a server that is not OpenSearch; serverless says nothing of itself."""
        if self.settings.serverless:
            return
        said = self.find("GET", "/")
        if not isinstance(said, Mapping) or "number" not in said.get("version", {}):
            todo = f"Correct `hosts` ({self._hosts()})."
            raise Fatal(expected="an OpenSearch server", found="something else answers", todo=todo, where=self.where)

    def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _translated(self, error: Any) -> HeadraceError:
        from opensearchpy.exceptions import ConnectionError, SSLError

        status = error.status_code
        if isinstance(error, SSLError):
            todo = "Check `ca`, or whether the host wants http:// or https://."
            return Fatal(expected="a trusted certificate", found=_brief(error.error), todo=todo, where=self.where)
        if isinstance(error, ConnectionError) or status in _BUSY:
            found = _brief(f"{status} {error.error}") if status in _BUSY else _brief(error.error)
            todo = f"Check that the server runs, and host, port and http:// or https:// in `hosts` ({self._hosts()})."
            return Unreachable(expected="an answer from OpenSearch", found=found, todo=todo, where=self.where)
        kind, reason = _said(error)
        if status in (401, 403) and "block" not in kind:
            todo = f"Check `auth: {self.settings.auth}`, its user, role or region, and its rights on this index."
            return Fatal(expected="rights to use the index", found=f"{status} {reason}", todo=todo, where=self.where)
        return Refused(status if isinstance(status, int) else 0, kind, reason, self.where)

    def _hosts(self) -> str:
        # A URL may carry a password.
        return ", ".join(re.sub(r"//[^@/]*@", "//", host) for host in self.settings.hosts)


def connect(settings: OpenSearchIndex) -> Any:
    """The client, made inside the process that uses it."""
    try:
        from opensearchpy import OpenSearch, Urllib3HttpConnection
    except ModuleNotFoundError as error:
        todo = 'Run `pip install "headrace[opensearch]"`.'
        raise MissingDependency(expected="opensearch-py", found=f"no module {error.name}", todo=todo) from error
    trust: dict[str, Any] = {}
    if settings.ca_file is not None:
        if not Path(settings.ca_file).is_file():
            todo = "Name the file with the certificate of your authority."
            raise ConfigError(
                expected="a readable file", found=f"none at {settings.ca_file}", todo=todo, where="ca_file"
            )
        trust["ca_certs"] = settings.ca_file
    if not settings.verify:
        trust.update(verify_certs=False, ssl_show_warn=False, ssl_assert_hostname=False)
    return OpenSearch(
        hosts=list(settings.hosts),
        http_auth=_login(settings),
        connection_class=Urllib3HttpConnection,
        headers={"accept-encoding": "gzip"},
        # Another host is tried where one does not answer; what is busy is asked again by those who know why.
        max_retries=len(settings.hosts) - 1,
        retry_on_status=(),
        retry_on_timeout=True,
        **trust,
    )


def _login(settings: OpenSearchIndex) -> Any:
    if settings.auth == "basic" and settings.user is not None and settings.password is not None:
        return (settings.user, settings.password.get_secret_value())
    if settings.auth != "aws":
        return None
    from botocore.session import get_session
    from opensearchpy import Urllib3AWSV4SignerAuth

    session = get_session()
    region = settings.region or session.get_config_variable("region")
    if not region:
        todo = "Set `region`, or AWS_REGION for the job."
        raise ConfigError(expected="an AWS region", found="none", todo=todo, where="region")
    credentials = _role(session, settings.role, region) if settings.role else session.get_credentials()
    if credentials is None:
        todo = "Give the job AWS credentials: a role, a profile or AWS_ACCESS_KEY_ID."
        raise Fatal(expected="AWS credentials", found="none", todo=todo, where="auth")
    return Urllib3AWSV4SignerAuth(credentials, region, "aoss" if settings.serverless else "es")


def _role(session: Any, role: str, region: str) -> Any:
    from botocore.credentials import DeferredRefreshableCredentials, create_assume_role_refresher

    service = session.create_client("sts", region_name=region)
    refresh = create_assume_role_refresher(service, {"RoleArn": role, "RoleSessionName": "headrace"})
    return DeferredRefreshableCredentials(refresh_using=refresh, method="headrace-role")


def _said(error: Any) -> tuple[str, str]:
    info = error.info
    if not isinstance(info, Mapping):
        return "error", _brief(error.error)
    problem = info.get("error", info)
    if not isinstance(problem, Mapping):
        return "error", _brief(problem)
    return str(problem.get("type", "error")), reason_of(problem)


def reason_of(problem: Mapping[str, Any]) -> str:
    """What the server gives as reason, with the innermost cause."""
    cause = problem
    while isinstance(cause.get("caused_by"), Mapping):
        cause = cause["caused_by"]
    inner = "" if cause is problem else f" ({cause.get('reason')})"
    return _brief(f"{problem.get('reason', problem.get('message', ''))}{inner}")


def _brief(text: object, most: int = 300) -> str:
    return " ".join(str(text).split())[:most]
