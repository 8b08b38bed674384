"""Work on several sources at once, each with a limit to its time. One that hangs keeps nothing else waiting.

A thread cannot be stopped: one that is late goes on until its source answers. So a lane has a number of places, and
when all are taken by late ones it refuses at once instead of piling up threads.
"""

import time
from collections.abc import Callable
from threading import BoundedSemaphore, Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")
PLACES = 16


class Late(Exception):
    """The source did not answer in time."""


class Busy(Exception):
    """Too many earlier calls of the source have not come back."""


class Pending(Generic[T]):
    """Work that may be under way."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._done = Event()
        self._value: T
        self._error: Exception | None = None

    def result(self) -> T:
        """What the work returned, or the error it raised.

        Raises:
            Late: it takes longer than it may.
        """
        if not self._done.wait(max(0.0, self._until - time.monotonic())):
            raise Late
        if self._error is not None:
            raise self._error
        return self._value

    def run(self, work: Callable[[], T], leave: Callable[[], None]) -> None:
        """Do the work, then leave the lane."""
        try:
            self._value = work()
        except Exception as error:
            self._error = error
        finally:
            leave()
            self._done.set()

    def refuse(self) -> None:
        """Let it end as `Busy`."""
        self._error = Busy()
        self._done.set()


class Lane:
    """The calls of one source."""

    def __init__(self, name: str, places: int = PLACES) -> None:
        self._name, self._places = name, BoundedSemaphore(places)

    def start(self, work: Callable[[], T], seconds: float) -> Pending[T]:
        """Begin the work in a thread of its own; it counts as late after so many seconds."""
        pending: Pending[T] = Pending(seconds)
        if not self._places.acquire(blocking=False):
            pending.refuse()
            return pending
        # A daemon: a source that hangs must not keep a process from ending.
        Thread(target=pending.run, args=(work, self._places.release), name=f"context-{self._name}", daemon=True).start()
        return pending
