"""The program of a helper process: it answers questions on its standard input, a socket, until that ends."""

import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from headrace.config_knowledge import Parse
from headrace.errors import MissingDependency
from headrace.knowledge.parse.direct import out_of_memory, parse_here
from headrace.knowledge.parse.outcome import Unparsable
from headrace.knowledge.parse.wire import READY, Answer, Question, receive, send

_MEMORY = 2 << 30
_WORN = (768 << 20) // (1 if sys.platform == "darwin" else 1024)
"""Most memory ever used, in the unit of `ru_maxrss`, above which a helper asks to be replaced."""


def main() -> None:
    """Serve until the worker is gone."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with suppress(OSError):
        # When memory runs out, the kernel shall end this process and not the worker. Linux only.
        Path("/proc/self/oom_score_adj").write_text("500")
    # Its worker may be gone and kill nobody any more. The default action ends the process even inside C code.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=0) as worker, suppress(ConnectionError):
        send(worker, READY)
        while True:
            send(worker, _answered(receive(worker)))


def _answered(message: bytes) -> bytes:
    try:
        return msgspec.msgpack.encode(_answer(message))
    except MemoryError:
        return msgspec.msgpack.encode(_refusal(out_of_memory(), worn=True))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(message: bytes) -> Answer:
    question = msgspec.msgpack.decode(message, type=Question)
    limits = Parse.model_validate(question.limits)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + 5)
    try:
        parsed = parse_here(question.content, question.media_type, question.charset, limits)
    except Unparsable as error:
        return _refusal(error, worn=_worn())
    except MissingDependency as error:
        return Answer(missing=error.found)
    return Answer(parsed=parsed, worn=_worn())


def _refusal(error: Unparsable, *, worn: bool) -> Answer:
    return Answer(reason=error.reason, expected=error.expected, found=error.found, todo=error.todo, worn=worn)


def _worn() -> bool:
    return _resident() > _WORN


def _resident() -> int:
    """Memory held now, in KiB. The highest so far, where the system tells no more."""
    try:
        # Not ru_maxrss: it starts as the parent's, and a large worker would wear out every helper at once.
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
