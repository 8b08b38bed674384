"""Alerts to an address of the settings, as signed JSON.

The address comes from the settings alone, no redirect is followed, and one that leads to a link-local address, where
clouds keep a machine's credentials, is not called.
"""

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from headrace.config_alerts import WebhookOutput, never_called
from headrace.errors import Fatal, HeadraceError, Unreachable
from headrace.ports import Throttled
from headrace.ports_alerts import Alert
from headrace.stores.http_client import headers, pool, secrets
from headrace.stores.http_models import retry_after
from headrace.stores.vectors import brief

SIGNATURE = "X-Headrace-Signature"
ALERT = "X-Headrace-Alert"
_ANSWER = 1 << 14
_LONGEST_PAUSE = 30.0


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA256 of "<t>.<body>">`: a receiver refuses an old `t`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class WebhookSink:
    """Posts one alert at a time. As `AlertSink`.

    Args:
        name: of the output in the settings, for messages.
        pause: waits so many seconds.
        clock: seconds since 1970.

    Raises ConfigError for a file `ca_file` without certificates.
    """

    def __init__(
        self,
        settings: WebhookOutput,
        name: str,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        where = f"alerts.outputs.{name}"
        self._settings, self._pause, self._clock = settings, pause, clock
        parts = urlsplit(settings.url)
        self._host, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._where = f"{where} ({parts.netloc})"
        self._headers = headers(None, settings.headers, "*/*")
        # The path of a hook is often all that one needs to call it.
        path = f"{parts.path}?{parts.query}".strip("?")
        self._secrets = [*secrets(settings.secret, settings.headers), *([path] if len(path) > 1 else [])]
        seconds = settings.timeout.total_seconds()
        self._pool = pool(settings.url, seconds=seconds, calls=1, ca_file=settings.ca_file, where=where)

    def send(self, alert: Alert) -> None:
        """As in `AlertSink`. What may pass is tried again after a pause that doubles."""
        body = json.dumps(alert.as_dict(), ensure_ascii=False).encode()
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return self._post(alert, body)
            except (Throttled, Unreachable) as error:
                if attempt == self._settings.attempts:
                    raise
                asked = getattr(error, "retry_after", None)
                self._pause(min(_LONGEST_PAUSE, 2.0 ** (attempt - 1) if asked is None else max(0.0, asked)))
        raise AssertionError("attempts are at least 1")

    def close(self) -> None:
        """As in `AlertSink`."""
        self._pool.clear()

    def _post(self, alert: Alert, body: bytes) -> None:
        import urllib3

        self._refuse_link_local()
        sent = self._headers | {ALERT: alert.id}
        if self._settings.secret is not None:
            sent[SIGNATURE] = signature(self._settings.secret.get_secret_value(), int(self._clock()), body)
        try:
            answer = self._pool.request(
                "POST", self._settings.url, body=body, headers=sent, redirect=False, preload_content=False
            )
            try:
                said = b"" if 200 <= answer.status < 300 else answer.read(_ANSWER)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(brief(str(error))) from error
        if not 200 <= answer.status < 300:
            raise self._refused(answer.status, answer.headers, said.decode("utf-8", "replace"))

    def _refuse_link_local(self) -> None:
        """A name may lead to such an address too. One that is not known here is left to the proxy, if there is one."""
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError:
            return
        for _, _, _, _, address in found:
            if never_called(str(address[0])):
                todo = "Correct the address, or what its name leads to."
                expected = "an address that is not link-local"
                raise Fatal(where=self._where, expected=expected, found=str(address[0]), todo=todo)

    def _refused(self, status: int, given: Any, said: str) -> HeadraceError:
        for secret in self._secrets:
            said = said.replace(secret, "***")
        about: dict[str, Any] = {
            "where": self._where, "expected": "status 200 to 299", "found": f"{status} {brief(said)}".strip(),
        }  # fmt: skip
        if status == 429 or status == 503:
            pause = retry_after(given, datetime.now(UTC))
            return Throttled(**about, todo="It is tried again after a pause.", retry_after=pause)
        if status >= 500 or status in (408, 425):
            return Unreachable(**about, todo="It is tried again; look at the receiver's log.")
        redirected = "; no redirect is followed" if 300 <= status < 400 else ""
        return Fatal(**about, todo=f"Check its url, secret and headers{redirected}.")

    def _unreachable(self, found: str) -> Unreachable:
        for secret in self._secrets:
            found = found.replace(secret, "***")
        todo = "Check its url and the network; it is tried again."
        return Unreachable(where=self._where, expected="an answer", found=found, todo=todo)
