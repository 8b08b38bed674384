"""Event streams as AWS sends them, for botocore's own parser: prelude, headers, payload, checksums."""

import json
import struct
from binascii import crc32
from typing import Any

from unit.embedders.model_server import Reply

STREAM = "application/vnd.amazon.eventstream"


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message of the stream."""
    packed = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    start = prelude + struct.pack("!I", crc32(prelude)) + packed + payload
    return start + struct.pack("!I", crc32(start))


def event(kind: str, content: dict[str, Any] | bytes) -> bytes:
    """An event: JSON, or bytes as they are."""
    raw = isinstance(content, bytes)
    headers = {
        ":event-type": kind,
        ":content-type": "application/octet-stream" if raw else "application/json",
        ":message-type": "event",
    }
    return message(headers, content if isinstance(content, bytes) else json.dumps(content).encode())


def exception(kind: str, content: dict[str, Any]) -> bytes:
    """An error within the stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, json.dumps(content).encode())


def streamed(*messages: bytes, cut: bool = False, **headers: str) -> Reply:
    """A whole answer; with `cut` the server hangs up after it, without an end."""
    about = {"Content-Type": STREAM, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Reply(headers=about, parts=messages, cut=cut)


def refused(code: str, text: str, status: int, more: dict[str, Any] | None = None) -> Reply:
    """An error instead of a stream."""
    return Reply(status, json.dumps({"message": text, **(more or {})}).encode(), {"x-amzn-ErrorType": code})
