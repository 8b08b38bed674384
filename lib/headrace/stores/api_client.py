"""A REST API that is asked for one key at a time, in the shape the embedding loop calls: a batch of one."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from headrace.config_api import Api
from headrace.errors import Fatal, HeadraceError, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.http_client import plain, pool
from headrace.stores.http_models import retry_after

_PART = 1 << 16
_WAYS_OUT = ("", ".", "..")
"""What would make a place in a path another path."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said of a key. `body`: JSON; None where it knows none (404, 410)."""

    status: int
    body: str | None


class ApiClient:
    """Asks one service. It may be used from several threads.

    Attributes:
        calls: how many were made.

    Raises ConfigError for a file `ca_file` without certificates.
    """

    batch = 1

    def __init__(self, settings: Api, where: str) -> None:
        self.parallel, self.calls = settings.parallel, 0
        self._settings, self._counting = settings, threading.Lock()
        self._where = f"{where} ({urlsplit(settings.url).netloc})"
        self._seconds = settings.timeout.total_seconds()
        self._headers = {"Accept": "application/json"} | {
            name: plain(value) for name, value in settings.headers.items()
        }
        self._pool = pool(
            settings.url, seconds=self._seconds, calls=settings.parallel, ca_file=settings.ca_file, where=where
        )

    def embed(self, texts: Sequence[str], purpose: str = "document") -> list[Answer]:
        """The answer for one key, a JSON object.

        Raises:
            Unacceptable: the service refuses this key, or its answer can be no row.
            Throttled, Unreachable: the same call may work later.
            Fatal: the service refuses whoever asks.
        """
        url = address(self._settings.url, msgspec.json.decode(texts[0]))
        if url is None:
            found = "an empty value, `.` or `..`"
            raise Unacceptable(where=self._where, expected="a value that can stand in a URL", found=found, todo="")
        return [self._get(url)]

    def _get(self, url: str) -> Answer:
        import urllib3

        with self._counting:
            self.calls += 1
        try:
            answer = self._pool.request("GET", url, headers=self._headers, redirect=False, preload_content=False)
            content = self._whole(answer, time.monotonic() + self._seconds)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # Its text may hold the address, and that a key; its kind says enough.
            raise self._unreachable(type(error).__name__) from None
        if answer.status in (404, 410):
            return Answer(answer.status, None)
        if not 200 <= answer.status < 300:
            raise meaning(answer.status, answer.headers, self._where)
        return Answer(answer.status, self._json(content))

    def _whole(self, answer: Any, until: float) -> bytes:
        # The time-out of a socket starts again with every byte: a server that drips would never be left.
        parts, size, good = list[bytes](), 0, 200 <= answer.status < 300
        while part := answer.read1(_PART):
            parts.append(part)
            size += len(part)
            late = time.monotonic() > until
            if late or size > self._settings.max_bytes:
                answer.close()
                if not good:  # nobody reads it
                    return b""
                raise (
                    self._unreachable("one that is still coming")
                    if late
                    else self._refused(f"more than {self._settings.max_bytes:,} bytes")
                )
        answer.release_conn()
        return b"".join(parts)

    def _json(self, content: bytes) -> str:
        try:
            msgspec.json.decode(content)
            return content.decode("utf-8")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._refused("something that is no JSON") from None

    def _refused(self, found: str) -> Unacceptable:
        expected = f"JSON of at most {self._settings.max_bytes:,} bytes"
        return Unacceptable(where=self._where, expected=expected, found=found, todo="")

    def _unreachable(self, found: str) -> Unreachable:
        expected = f"a whole answer within {self._seconds:g} s"
        return Unreachable(where=self._where, expected=expected, found=found, todo="It is asked again.")

    def reach(self) -> None:
        """Raise Unreachable where nobody answers. Asks for the root, of which nothing is wanted; sends no headers."""
        import urllib3

        parts = urlsplit(self._settings.url)
        try:
            root = f"{parts.scheme}://{parts.netloc}/"
            self._pool.request("HEAD", root, redirect=False, preload_content=False).close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            todo = "Check `url` and `ca_file` of the source, the service and the network."
            found = type(error).__name__
            raise Unreachable(where=self._where, expected="an answer", found=found, todo=todo) from None

    def close(self) -> None:
        """Give back every connection."""
        self._pool.clear()


def address(template: str, key: Mapping[str, Any]) -> str | None:
    """The URL for a key; None where a value would change which place of the service it names."""
    texts = {name: _text(value) for name, value in key.items()}
    if any(text in _WAYS_OUT for text in texts.values()):
        return None
    try:
        return template.format_map({name: quote(text, safe="") for name, text in texts.items()})
    except UnicodeEncodeError:  # half a surrogate pair
        return None


def meaning(status: int, headers: Mapping[str, str], where: str) -> HeadraceError:
    """The error of ours for an answer that is neither good nor "not there"."""
    about = {"where": where, "expected": "200 with JSON", "found": str(status)}
    asked = retry_after(headers, datetime.now(UTC))
    if status == 429 or (status == 503 and asked is not None):
        return Throttled(**about, todo="It is asked again after a pause.", retry_after=asked)
    if status >= 500 or status in (408, 409, 425):
        return Unreachable(**about, todo="It is asked again; where it goes on, look at the service.")
    if status in (401, 403):
        return Fatal(**about, todo="Check `headers` of the source: is the token there, valid and allowed to ask this?")
    if 300 <= status < 400:
        return Unacceptable(**about | {"found": f"{status}, a redirect, which is not followed"}, todo="Correct `url`.")
    return Unacceptable(**about, todo="")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
