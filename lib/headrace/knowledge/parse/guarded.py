"""The helper process: parsers run there, so that one that hangs or crashes costs a document and not the worker."""

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from headrace.errors import MissingDependency, Retryable
from headrace.knowledge.parse.direct import not_readable, out_of_memory
from headrace.knowledge.parse.outcome import Parsed, Unparsable
from headrace.knowledge.parse.wire import Answer, Question, receive, send

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_START = 60.0
"""Seconds a helper has to start: Python and its imports, on a machine with many workers starting at once."""


class _Helper:
    """A process that answers questions one at a time. Raises OSError where it is gone or takes too long."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs:
            # The helper's threads are worth nothing and would use up its address space on machines with many cores.
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
            command = [sys.executable, "-P", "-m", "headrace.knowledge.parse.helper"]
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            )
        try:
            receive(ours, time.monotonic() + _START)
        except OSError:
            self.stop()
            raise

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Its answer. Raises TimeoutError, or another OSError where the helper died."""
        deadline = time.monotonic() + seconds
        send(self._socket, question, deadline)
        return receive(self._socket, deadline)

    def stop(self) -> None:
        """End it at once."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


class _Keeper:
    """The one helper of this process, made when it is first needed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._helper: _Helper | None = None

    def get(self) -> _Helper:
        """Raises Retryable where none can be started."""
        if self._helper is None:
            try:
                self._helper = _Helper()
            except OSError as error:
                todo = "Free memory or processes on this machine; try again."
                found = type(error).__name__
                raise Retryable(expected="a helper process for parsing", found=found, todo=todo) from error
        return self._helper

    def stop(self) -> None:
        """The next document gets a new one."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.stop()


_keeper = _Keeper()
_of_parents: list[_Keeper] = []


def _after_fork() -> None:
    """A forked worker must not talk to its parent's helper. The object is kept, for its end would report a warning."""
    global _keeper
    _of_parents.append(_keeper)
    _keeper = _Keeper()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _keeper.stop())


def parse_guarded(content: bytes, media_type: str, charset: str | None, limits: "Parse") -> Parsed:
    """Parse in the helper, within `limits.seconds`. Raises as `parse` does."""
    question = msgspec.msgpack.encode(Question(content, media_type, charset, limits.model_dump()))
    keeper = _keeper
    with keeper.lock:
        try:
            return _parsed(_asked(keeper, question, media_type, limits.seconds), keeper)
        except (Unparsable, MissingDependency, Retryable):
            raise
        except BaseException:
            # Interrupted between question and answer: the next document must not get this one's answer.
            keeper.stop()
            raise


def _asked(keeper: _Keeper, question: bytes, media_type: str, seconds: float) -> Answer:
    """Twice at most: a helper may have been ended from outside, as by the kernel when memory ran out."""
    for _ in range(2):
        helper = keeper.get()
        try:
            return msgspec.msgpack.decode(helper.ask(question, seconds), type=Answer)
        except TimeoutError:
            keeper.stop()
            todo = "Split the document, or raise `parse.seconds`."
            expected = f"a document that is parsed within {seconds:g} s"
            raise Unparsable("took too long", expected=expected, found="more", todo=todo) from None
        except (OSError, msgspec.MsgspecError):
            keeper.stop()
    raise not_readable(media_type, "a parser that crashed or ran out of memory on it, twice")


def _parsed(answer: Answer, keeper: _Keeper) -> Parsed:
    if answer.worn:
        keeper.stop()
    if answer.parsed is not None:
        return answer.parsed
    if answer.missing is not None:
        todo = "pip install 'headrace[knowledge]'"
        raise MissingDependency(expected="the packages that read documents", found=answer.missing, todo=todo)
    if answer.reason is None:
        raise out_of_memory()
    raise Unparsable(answer.reason, expected=answer.expected, found=answer.found, todo=answer.todo)
