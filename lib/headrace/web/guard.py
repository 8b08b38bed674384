"""Refuses what no page needs to see: foreign hosts, other sites' posts, bodies that are too large or never end."""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace.config_web import Web
from headrace.web.refused import Refused

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SECONDS_FOR_A_BODY = 20
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would take the origin off the page's own forms, which is what they are known by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Middleware around the whole application.

    Args:
        hosts: names that a request's `Host` may have, without port.
        told: the answer to a request that is refused with a status and a sentence: a page, or JSON.
    """

    def __init__(
        self, app: ASGIApp, settings: Web, hosts: frozenset[str], told: Callable[[Scope, int, str], Response]
    ) -> None:
        self._app, self._most, self._hosts, self._told = app, settings.most_bytes, hosts, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer it here."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope)
            body = await asyncio.wait_for(self._body(receive), SECONDS_FOR_A_BODY)
        except Refused as refused:
            return await self._answer(scope, refused.status, refused.said)(scope, receive, with_headers)
        except TimeoutError:
            return await self._answer(scope, 408, "The body did not come.")(scope, receive, with_headers)
        await self._app(scope, _replayed(body, receive), with_headers)

    def _answer(self, scope: Scope, status: int, said: str) -> Response:
        # A page is only for those who reached a host of its own.
        return JSONResponse({"error": said}, status) if status == 421 else self._told(scope, status, said)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if headers.getlist("host")[1:] or host_of(headers.get("host", "")) not in self._hosts:
            raise Refused(421, "This host is not served here.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise Refused(400, "The length of the body is no number.")
        if int(length) > self._most:
            raise self._too_large()
        if scope["method"] in _SAFE:
            return
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        if origin is not None and urlsplit(origin).netloc.lower() != headers["host"].lower():
            raise Refused(403, "Another site may not post here.")
        if site not in ("same-origin", "none"):
            raise Refused(403, "Another site may not post here.")

    async def _body(self, receive: Receive) -> list[Message]:
        """The whole request, as it came. A body without a length is measured as it comes."""
        messages, size = [], 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self._most:
                raise self._too_large()
            if message["type"] != "http.request" or not message.get("more_body"):
                return messages

    def _too_large(self) -> Refused:
        return Refused(413, f"A request may hold at most {self._most} bytes.")


def host_of(header: str) -> str:
    """The name in a `Host` header, without its port."""
    name, colon, port = header.lower().rpartition(":")
    return name if colon and port.isdigit() else header.lower()


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        for message in waiting:
            return message
        return await receive()

    return replay
