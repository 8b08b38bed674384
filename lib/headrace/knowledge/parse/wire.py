"""What a worker and its helper say to each other: MessagePack, each message after its length.

Not pickle: a helper that hostile content took over must not be able to run code in the worker.
"""

import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

from headrace.knowledge.parse.outcome import Parsed, Reason

_LENGTH = struct.Struct(">Q")
_PIECE = 1 << 20
READY = b"ready"


@dataclass(frozen=True, slots=True)
class Question:
    """One document. `limits` are the fields of `Parse`."""

    content: bytes
    media_type: str
    charset: str | None
    limits: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it. `worn`: the helper has grown and should be replaced."""

    parsed: Parsed | None = None
    reason: Reason | None = None
    expected: str = ""
    found: str = ""
    todo: str = ""
    missing: str | None = None
    worn: bool = False


def send(to: socket.socket, message: bytes, deadline: float | None = None) -> None:
    """Raises TimeoutError after the deadline, another OSError where the other side is gone."""
    _set(to, deadline)
    to.sendall(_LENGTH.pack(len(message)))
    _set(to, deadline)
    to.sendall(message)


def receive(source: socket.socket, deadline: float | None = None) -> bytes:
    """The next message. Raises as `send`."""
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size, deadline))
    return _exactly(source, length, deadline)


def _exactly(source: socket.socket, length: int, deadline: float | None) -> bytes:
    pieces = bytearray()
    while len(pieces) < length:
        _set(source, deadline)
        piece = source.recv(min(length - len(pieces), _PIECE))
        if not piece:
            raise ConnectionError("the other side is gone")
        pieces += piece
    return bytes(pieces)


def _set(connection: socket.socket, deadline: float | None) -> None:
    """What is left as the timeout of the next call; 0 would mean: do not wait."""
    connection.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))
