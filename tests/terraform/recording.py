"""Stands between a job and the emulated Kinesis and writes down what is asked. Answers for Bedrock, made up.

moto keeps its own calls; see `calls.py`.
"""

import json
import random
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from terraform.calls import ACCOUNT, REGION, Call

_PASSED_ON = ("Content-Type", "X-Amz-Target", "X-Amz-Date", "Authorization")


@dataclass
class Recording:
    """What was asked since it was last emptied.

    Attributes:
        url: in place of Kinesis' own, and of Bedrock's.
        kinesis: URL of the emulator.
        streams: of which stream each iterator is: whoever reads names only the iterator.
    """

    url: str
    kinesis: str
    calls: set[Call] = field(default_factory=set)
    streams: dict[str, str] = field(default_factory=dict)

    def taken(self) -> set[Call]:
        """The calls kept, which are then forgotten."""
        calls, self.calls = self.calls, set()
        return calls

    def of_kinesis(self, action: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep a call, and which stream the iterators in its answer belong to."""
        stream = asked.get("StreamARN") or self.streams.get(asked.get("ShardIterator", ""))
        if named := asked.get("StreamName"):
            stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{named}"
        self.calls.add(Call(f"kinesis:{action}", stream or "unknown"))
        for name in ("ShardIterator", "NextShardIterator"):
            if answer.get(name):
                self.streams[answer[name]] = stream or "unknown"

    def of_bedrock(self, model: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a call; numbers that depend on the text alone, in the form of Titan's answer."""
        self.calls.add(Call("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/{model}"))
        numbers = random.Random(asked["inputText"])
        return {"embedding": [numbers.uniform(-1, 1) for _ in range(asked["dimensions"])], "inputTextTokenCount": 1}


@contextmanager
def recording(kinesis: str) -> Iterator[Recording]:
    """One that answers until the block ends."""
    server = _Server(("127.0.0.1", 0), _Between)
    kept = server.recording = Recording(f"http://127.0.0.1:{server.server_port}", kinesis)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """Of connections that wait. Every worker of Spark has its own clients, and the usual 5 are soon passed."""


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        kept: Recording = self.server.recording
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if model := re.fullmatch(r"/model/([^/]+)/invoke", self.path):
            answer = json.dumps(kept.of_bedrock(unquote(model[1]), json.loads(body))).encode()
            return self._answer(200, "application/json", answer)
        status, kind, answer = _asked(kept.kinesis, self.headers, body)
        told = json.loads(answer) if status == 200 and answer else {}
        kept.of_kinesis(self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body), told)
        self._answer(status, kind, answer)

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not to stderr."""


def _asked(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
    passed = {name: headers[name] for name in _PASSED_ON if headers[name]}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, passed), timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()
