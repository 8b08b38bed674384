"""Any server with OpenAI's `POST /v1/chat/completions`, as a stream of server-sent events or in one piece."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from headrace.config_chat import OpenAiChat
from headrace.errors import HeadraceError, Unreachable
from headrace.ports_chat import ChatEnd, ChatRequest
from headrace.stores.chat_errors import broken, of_status
from headrace.stores.chat_events import events, pieces, whole
from headrace.stores.chat_request import most_tokens, openai_body
from headrace.stores.http_client import headers, pool, secrets
from headrace.stores.vectors import brief

_PART = 1 << 16
_OF_AN_ERROR = 1 << 16


class HttpChatModel:
    """Answers through HTTP, by the proxy of the environment where one is set. As `ChatModel`.

    Args:
        silence: seconds without a byte after which the connection is given up.
        longest: seconds after which it is given up in any case: the time-out of a socket starts again with every byte.
        where: the place of the settings, for messages.

    Raises ConfigError for a URL that is not http or https, and for a file `ca_file` without certificates.
    """

    def __init__(self, settings: OpenAiChat, *, silence: float, longest: float, where: str = "assistant.model") -> None:
        self.name = settings.model
        self._settings, self._longest, self._settings_at = settings, longest, where
        self._url = settings.url.rstrip("/") + "/chat/completions"
        self._headers = headers(settings.key, settings.headers, "text/event-stream, application/json")
        self._secrets = secrets(settings.key, settings.headers)
        parts = urlsplit(self._url)
        self._where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._pool = pool(self._url, seconds=silence, calls=settings.parallel, ca_file=settings.ca_file, where=where)

    def stream(self, request: ChatRequest) -> Iterator[str | ChatEnd]:
        """As in `ChatModel`."""
        until = time.monotonic() + self._longest
        answer = self._asked(self._body(request))
        try:
            if answer.status != 200:
                raise self._refused(answer, until)
            parts = self._parts(answer, until)
            if "json" in answer.headers.get("Content-Type", "").lower():
                yield from pieces([whole(parts, self._where).decode("utf-8", "replace")], self._where)
            else:
                yield from pieces(events(parts, self._where), self._where)
        finally:
            # Not given back to the pool: a server may go on sending after the answer's end.
            answer.close()

    def close(self) -> None:
        """As in `ChatModel`."""
        self._pool.clear()

    def _body(self, request: ChatRequest) -> bytes:
        body = openai_body(request, self._settings, self._settings.model)
        body |= {self._settings.length_field: most_tokens(request, self._settings), "stream": self._settings.stream}
        if self._settings.stream and self._settings.count_tokens:
            body["stream_options"] = {"include_usage": True}
        return json.dumps(body, ensure_ascii=False).encode()

    def _asked(self, body: bytes) -> Any:
        import urllib3

        try:
            return self._pool.request(
                "POST", self._url, body=body, headers=self._headers, redirect=False, preload_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            todo = f"Check {self._settings_at}.url, the server and the network; it is tried again."
            found = self._without_secrets(brief(str(error)))
            raise Unreachable(where=self._where, expected="an answer", found=found, todo=todo) from error

    def _parts(self, answer: Any, until: float) -> Iterator[bytes]:
        import urllib3

        try:
            while part := answer.read1(_PART):
                yield part
                if time.monotonic() > until:
                    raise broken(self._where, f"one that still comes after {self._longest:g} s")
        except urllib3.exceptions.HTTPError as error:
            raise broken(self._where, self._without_secrets(brief(str(error)))) from error

    def _refused(self, answer: Any, until: float) -> HeadraceError:
        said = bytearray()
        try:
            for part in self._parts(answer, until):
                said += part
                if len(said) > _OF_AN_ERROR:
                    break
        except Unreachable:
            pass  # the status says enough
        text = self._without_secrets(said.decode("utf-8", "replace"))
        return of_status(answer.status, answer.headers, text, self._where, self._settings_at)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:  # some servers repeat the key they refuse
            text = text.replace(secret, "***")
        return text
