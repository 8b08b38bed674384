"""A schema registry for tests: it serves the paths of Confluent's REST API with whatever it is told to answer."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

TLS = Path(__file__).parent / "data" / "tls"
Answer = tuple[int, Any]


class Registry:
    """Answers as told, path by path; the last answer of a path goes on."""

    def __init__(self, url: str) -> None:
        self.url, self.answers, self.asked = url, dict[str, list[Answer]](), list[tuple[str, dict[str, str]]]()

    def says(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked.append((path, headers))
        found = self.answers.get(path, [(404, {"error_code": 40403, "message": "Schema not found"})])
        return found.pop(0) if len(found) > 1 else found[0]


@contextmanager
def serving(tls: bool = False) -> Iterator[Registry]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = registry.answer(self.path, dict(self.headers))
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    registry = Registry(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}")
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "server.pem", TLS / "server-key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
