"""One limit for all processes that call a service.

On one machine they share a file: the quota is exact and a pause is everybody's. Over several machines each process has
its share, the quota divided by the number of writers, and learns of pauses alone.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from headrace.errors import ConfigError
from headrace.stores.pace import Pace, Rates, Turn, packed, unpacked
from headrace.stores.vectors import fingerprint

_LOCAL = ("static", "minilm")
_IDENTITY = {"provider", "model", "endpoint", "url", "path", "region", "role"}


class PacedLimiter:
    """Turns at a service, as `knowledge.embedding.Limiter`. It may be used from several threads.

    Args:
        rates: of what shares `state`.
        state: gives the pace to one user at a time and keeps what became of it.
        clock: as `time.monotonic`.
    """

    def __init__(
        self,
        rates: Rates,
        state: Callable[[], AbstractContextManager[Pace]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rates, self._state, self._clock = rates, state, clock

    def turn(self, tokens: int, latest: float) -> Turn | None:
        """When a call of so many tokens may be made, now reserved; None where that is after `latest`."""
        with self._state() as pace:
            return pace.turn(self._clock(), self.rates, tokens, latest)

    def stands(self, turn: Turn) -> bool:
        """Whether a turn can still be used: the service refused no call in between."""
        with self._state() as pace:
            return pace.stands(turn)

    def throttled(self, turn: Turn, retry_after: float | None) -> None:
        """The service refused the call of this turn for now; `retry_after` in seconds, where it said."""
        with self._state() as pace:
            pace.throttled(self._clock(), self.rates, turn, retry_after)


def in_process() -> Callable[[], AbstractContextManager[Pace]]:
    """State for the threads of this process."""
    pace, lock = Pace(), threading.Lock()

    @contextmanager
    def state() -> Iterator[Pace]:
        with lock:
            yield pace

    return state


def in_file(path: Path) -> Callable[[], AbstractContextManager[Pace]]:
    """State for all processes of this machine that name the same file. It is made where it is not there."""
    import fcntl

    @contextmanager
    def state() -> Iterator[Pace]:
        # Opened anew each time: a lock belongs to what was opened, and a fork would share that. A process that dies
        # gives its lock back.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            before = os.pread(handle, 4096, 0)
            pace = unpacked(before)
            yield pace
            if (after := packed(pace)) != before:
                os.pwrite(handle, after, 0)
                os.ftruncate(handle, len(after))
        finally:
            os.close(handle)

    return state


def own_folder() -> Path:
    """A folder for shared state that only this user may write to.

    Raises ConfigError where somebody else made it.
    """
    folder = Path(tempfile.gettempdir()) / f"headrace-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or folder.is_symlink() or found.st_mode & 0o022:
        todo = "Remove it, or set TMPDIR to another folder."
        raise ConfigError(
            where=str(folder), expected="a folder only you may write to", found="one others may", todo=todo
        )
    return folder


_made: dict[tuple[int, str], PacedLimiter] = {}
_making = threading.Lock()


class Paced(Protocol):
    """Settings of a service that is called at a limited pace."""

    @property
    def requests_per_minute(self) -> int | None:
        """Calls a minute; None for no limit."""

    @property
    def tokens_per_minute(self) -> int | None:
        """Tokens a minute; None for no limit."""

    def model_dump(self, *, mode: str, include: set[str]) -> dict[str, Any]:
        """As pydantic's: the values of these keys."""


def limiter(settings: Paced, *, writers: int, one_host: bool, folder: Path | None = None) -> PacedLimiter:
    """The limiter of this process for this service: the same object each time, so that its state lives on.

    Args:
        writers: worker processes that call the service now; may differ from batch to batch.
        one_host: all of them are on this machine.
        folder: of the shared file; one below the temporary folder where not given.
    """
    values = settings.model_dump(mode="json", include=_IDENTITY)
    name = fingerprint(**values)
    shared = one_host and os.name == "posix" and values.get("provider") not in _LOCAL
    rates = Rates.per_minute(
        settings.requests_per_minute, settings.tokens_per_minute, writers=1 if shared else max(1, writers)
    )
    with _making:
        # The process number, because a forked worker starts with its parent's variables.
        key = (os.getpid(), f"{name}{shared}{folder}")
        if key not in _made:
            state = in_file((folder or own_folder()) / f"limit-{name}") if shared else in_process()
            _made[key] = PacedLimiter(rates, state)
        _made[key].rates = rates
        return _made[key]
