"""A small embedding server on 127.0.0.1 that does as a test says."""

import base64
import hashlib
import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

DIMENSION = 16
CERTIFICATE = Path(__file__).parents[2] / "data" / "tls" / "server.pem"
"""Of 127.0.0.1, signed by itself. For tests alone: its key lies beside it."""


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """Numbers that depend on the text alone; not of length 1."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return [float(number) for number in np.random.default_rng(seed).normal(size=dimension).astype(np.float32)]


@dataclass
class Reply:
    """What the server answers.

    `close`: it hangs up without a word. `wait`: it says nothing for so many seconds. `drip`: seconds between two bytes.
    `parts`: sent one by one, chunked, instead of `body`; `cut`: it hangs up after them, before the end.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False
    wait: float = 0.0
    drip: float = 0.0
    parts: tuple[bytes, ...] = ()
    cut: bool = False


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def vectors(call: Call, *, dimension: int = DIMENSION, encoded: bool = False, backwards: bool = True) -> Reply:
    """The answer of a well-behaved server; items out of order, as the standard allows."""
    items = []
    for index, text in enumerate(call.body["input"]):
        numbers: Any = vector_of(text, dimension)
        if encoded:
            numbers = base64.b64encode(np.array(numbers, dtype="<f4").tobytes()).decode()
        items.append({"object": "embedding", "index": index, "embedding": numbers})
    items = items[::-1] if backwards else items
    return Reply(body=json.dumps({"object": "list", "data": items, "model": call.body["model"]}).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many clients connect at once; the default of 5 would refuse some

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what tests are about; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ModelServer:
    """Answers `POST /v1/embeddings`. `answer` may be replaced at any time; `calls` are those that came."""

    def __init__(self, tls: bool = False) -> None:
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Reply] = vectors
        self.done = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body go out in two writes

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                owner.calls.append(call)
                reply = owner.answer(call)
                owner.done.wait(reply.wait)
                if reply.close or reply.wait:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                length = (
                    {"Content-Length": str(len(reply.body))} if not reply.parts else {"Transfer-Encoding": "chunked"}
                )
                for name, value in {**length, **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if reply.parts:
                    self.send_parts(reply)
                    return
                for place in range(len(reply.body)) if reply.drip else ():
                    if owner.done.wait(reply.drip):
                        return
                    self.wfile.write(reply.body[place : place + 1])
                self.wfile.write(b"" if reply.drip else reply.body)

            def send_parts(self, reply: Reply) -> None:
                self.close_connection = reply.cut
                for part in reply.parts:
                    if owner.done.wait(reply.drip):
                        return
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.write(b"" if reply.cut else b"0\r\n\r\n")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http{'s' * tls}://127.0.0.1:{self._server.server_address[1]}/v1"
        if tls:
            trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            trust.load_cert_chain(CERTIFICATE, CERTIFICATE.with_name("server-key.pem"))
            self._server.socket = trust.wrap_socket(self._server.socket, server_side=True)

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        self.done.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def model_server(tls: bool = False) -> Iterator[ModelServer]:
    server = ModelServer(tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
