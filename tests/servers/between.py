"""Stands between a client and a TCP server, writes down how each connection begins, and cuts it when told to."""

import contextlib
import socket
import socketserver
import threading
from typing import Any


class Between:
    """Listens on `port` of 127.0.0.1 until `close`.

    Attributes:
        beginnings: of each connection the request line and the headers of its first request.
    """

    def __init__(self, port: int) -> None:
        self.beginnings: list[dict[str, str]] = []
        self._to, self._open = port, list[socket.socket]()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Passing)
        self._server.daemon_threads = True
        self._server.between = self  # type: ignore[attr-defined]
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def cut(self) -> None:
        """End every connection there is, whatever is under way."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut, and listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self.cut()

    def passes(self, ours: socket.socket) -> None:
        """Pass bytes on in both directions until one end is closed."""
        begun = b""
        while b"\r\n\r\n" not in begun:
            more = ours.recv(65_536)
            if not more:
                return
            begun += more
        self.beginnings.append(_headers(begun))
        with socket.create_connection(("127.0.0.1", self._to)) as theirs:
            self._open += [ours, theirs]
            theirs.sendall(begun)
            back = threading.Thread(target=_pass, args=(theirs, ours), daemon=True)
            back.start()
            _pass(ours, theirs)
            back.join()


class _Passing(socketserver.BaseRequestHandler):
    server: Any

    def handle(self) -> None:
        self.server.between.passes(self.request)


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := source.recv(65_536):
            target.sendall(some)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _headers(begun: bytes) -> dict[str, str]:
    first, *lines = begun.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return {"": first, **{name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}}
