"""A small S3 on 127.0.0.1: it lists and hands out objects as moto 5 does. Tests with it say nothing of AWS itself."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

_WHEN = ("2026-01-02T03:04:05.000Z", "Fri, 02 Jan 2026 03:04:05 GMT")


@dataclass
class S3:
    """The server and what it holds.

    Attributes:
        objects: content by bucket and key.
        refused: keys that answer 403.
        calls: method, path and status of every request.
    """

    url: str
    objects: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    calls: list[tuple[str, int]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What makes boto3 use it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1",
        }  # fmt: skip

    def put(self, bucket: str, key: str, content: bytes) -> str:
        """Store an object; its ETag."""
        self.objects.setdefault(bucket, {})[key] = content
        return etag(content)


def etag(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@contextmanager
def s3_server() -> Iterator[S3]:
    """An S3 that answers until the block ends; boto3 in this process uses it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    s3 = server.s3 = S3(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    before = dict(os.environ)
    os.environ.update(s3.environment)
    try:
        yield s3
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        bucket, _, key = unquote(address.path).removeprefix("/").partition("/")
        s3: S3 = self.server.s3
        held = s3.objects.get(bucket)
        if held is None:
            self._error(404, "NoSuchBucket")
        elif not key:
            self._list(bucket, held, {name: values[0] for name, values in parse_qs(address.query).items()})
        elif key in s3.refused:
            self._error(403, "AccessDenied")
        elif key not in held:
            self._error(404, "NoSuchKey")
        elif self.headers.get("If-None-Match") == f'"{etag(held[key])}"':
            self._answer(304, b"", {"ETag": f'"{etag(held[key])}"'})
        else:
            self._answer(200, held[key], {"ETag": f'"{etag(held[key])}"', "Last-Modified": _WHEN[1]})

    def _list(self, bucket: str, held: dict[str, bytes], asked: dict[str, str]) -> None:
        after, most = asked.get("continuation-token", ""), int(asked.get("max-keys", "1000"))
        keys = sorted(key for key in held if key.startswith(asked.get("prefix", "")) and key > after)
        shown = keys[:most]
        contents = "".join(
            f"<Contents><Key>{escape(quote(key))}</Key><LastModified>{_WHEN[0]}</LastModified>"
            f"<ETag>&quot;{etag(held[key])}&quot;</ETag><Size>{len(held[key])}</Size></Contents>"
            for key in shown
        )
        more = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if len(keys) > most else ""
        self._answer(
            200,
            f"<ListBucketResult><Name>{bucket}</Name><EncodingType>url</EncodingType><KeyCount>{len(shown)}</KeyCount>"
            f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{contents}</ListBucketResult>".encode(),
        )

    def _error(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.server.s3.calls.append((self.path, status))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not to stderr."""
