"""Any server with OpenAI's `POST /v1/embeddings`: TEI, vLLM, Ollama, OpenAI itself."""

import base64
import binascii
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np

from headrace.config_knowledge import HttpEmbed
from headrace.errors import Fatal, HeadraceError, Retryable, Unreachable
from headrace.ports import Purpose, Throttled, Unacceptable, Vectors
from headrace.stores.http_client import headers, pool, secrets
from headrace.stores.vectors import brief, checked, fingerprint, prefixes, seconds_of, usable

_TEXTS = 32
_PART = 1 << 16
_LARGEST = 1 << 28


class _Item(msgspec.Struct):
    embedding: list[float | None] | str  # null: a NaN of the model, as TEI writes it
    index: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Item]


class HttpEmbedder:
    """Embeds through HTTP, by the proxy of the environment where one is set. It may be used from several threads.

    Raises ConfigError for a URL that is not http or https, and for a file `ca` without certificates.
    """

    def __init__(self, settings: HttpEmbed) -> None:
        self.model, self.dimension, self.parallel = settings.model, settings.dimension, settings.parallel
        self.batch = settings.batch or _TEXTS
        self._url = settings.url.rstrip("/") + "/embeddings"
        self._prefixes = prefixes(settings)
        self._asked = {"dimensions": settings.dimension} if settings.send_dimension else {}
        self.fingerprint = fingerprint(
            provider="http", model=self.model, dimension=self.dimension, prefixes=self._prefixes, unit=True
        )
        self._headers = headers(settings.key, settings.headers, "application/json")
        self._secrets = [one.encode() for one in secrets(settings.key, settings.headers)]
        parts = urlsplit(self._url)
        self._where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._seconds = settings.timeout.total_seconds()
        self._pool = pool(
            self._url, seconds=self._seconds, calls=settings.parallel, ca_file=settings.ca_file, where="embed"
        )

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """As in `Embedder`."""
        if not texts:
            return checked([], 0, self.dimension, self.model)
        inputs = [self._prefixes[purpose] + text for text in usable(texts)]
        content = self._post(msgspec.json.encode({"model": self.model, "input": inputs, **self._asked}))
        return checked(self._vectors(content, len(texts)), len(texts), self.dimension, self.model)

    def _post(self, body: bytes) -> bytes:
        import urllib3

        try:
            answer = self._pool.request(
                "POST", self._url, body=body, headers=self._headers, redirect=False, preload_content=False
            )
            content = self._whole(answer, time.monotonic() + self._seconds)
        except urllib3.exceptions.HTTPError as error:
            todo = "Check embed.url, the server and the network; a running job tries again."
            raise Unreachable(where=self._where, expected="an answer", found=brief(str(error)), todo=todo) from error
        if answer.status != 200:
            for secret in self._secrets:  # some servers repeat the key they refuse
                content = content.replace(secret, b"***")
            raise meaning(answer.status, answer.headers, content, self._where)
        return content

    def _whole(self, answer: Any, until: float) -> bytes:
        # The time-out of a socket starts again with every byte: a server that drips would never be left.
        parts, size = list[bytes](), 0
        while part := answer.read1(_PART):
            parts.append(part)
            size += len(part)
            late = time.monotonic() > until
            if late or size > _LARGEST:
                answer.close()
                found = "one that is still coming" if late else f"more than {_LARGEST:,} bytes"
                todo = "It is tried again; a smaller `batch` makes shorter answers, `timeout` gives them longer."
                expected = f"a whole answer within {self._seconds:g} s"
                raise Unreachable(where=self._where, expected=expected, found=found, todo=todo)
        answer.release_conn()
        return b"".join(parts)

    def _vectors(self, content: bytes, count: int) -> list[Any]:
        try:
            items = _decoded(content).data
            if len(items) == count and {item.index for item in items} == set(range(count)):
                items.sort(key=lambda item: item.index or 0)
            elif any(item.index is not None for item in items):
                raise ValueError(f"indexes that are not 0 to {count - 1}")
            return [_numbers(item.embedding) for item in items]
        except (msgspec.MsgspecError, ValueError, RecursionError, binascii.Error) as error:
            expected = f"JSON with `data`, {count} items with `embedding` and `index`"
            todo = "It is tried again; where it goes on, check that embed.url ends in /v1 and is an embedding server."
            raise Retryable(where=self._where, expected=expected, found=brief(str(error)), todo=todo) from error

    def close(self) -> None:
        """As in `Embedder`."""
        self._pool.clear()


def meaning(status: int, headers: Mapping[str, str], content: bytes, where: str) -> HeadraceError:
    """The error of ours for an answer other than 200."""
    said = brief(content.decode("utf-8", "replace"))
    about = {"where": where, "expected": "200 with vectors", "found": f"{status} {said}".strip()}
    if status == 429 and "insufficient_quota" in said:  # OpenAI says so when the account is empty: no pause helps
        return Fatal(**about, todo="Raise the account's budget at the provider.")
    # Without a word of when to come back, 503 is any failure, and of one text perhaps: it must count as a try.
    if status == 429 or (status == 503 and retry_after(headers, datetime.now(UTC)) is not None):
        todo = "It is tried again after a pause; lower requests_per_minute, tokens_per_minute or parallel."
        return Throttled(**about, todo=todo, retry_after=retry_after(headers, datetime.now(UTC)))
    if status in (400, 413, 422):
        return Unacceptable(**about, todo="A smaller batch or a shorter text may pass; see `batch` and `chunk.tokens`.")
    if status >= 500 or status in (408, 409, 425):
        return Unreachable(**about, todo="It is tried again; where it goes on, look at the server's log.")
    if status in (401, 403):
        return Fatal(**about, todo="Check embed.key: `key: {secret: env:EMBED_KEY}`.")
    return Fatal(**about, todo="Check embed.url (up to and with /v1) and embed.model.")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds a server asks to wait, from `Retry-After` (seconds or a date) or `retry-after-ms`; None for none."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    if (thousandths := seconds_of(lower.get("retry-after-ms"))) is not None:
        return thousandths / 1000
    text = lower.get("retry-after", "")
    if (seconds := seconds_of(text)) is not None:
        return seconds
    try:
        then = parsedate_to_datetime(text)
        return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _decoded(content: bytes) -> _Answer:
    try:
        return msgspec.json.decode(content, type=_Answer)
    except msgspec.DecodeError:
        # Servers in Python write NaN, which is no JSON; it must count against its text, not against the whole batch.
        return msgspec.convert(json.loads(content), _Answer)


def _numbers(value: list[float | None] | str) -> Any:
    return value if isinstance(value, list) else np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
