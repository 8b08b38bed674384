"""Events on their way out: a bounded queue, one thread that delivers, a spool for when nobody takes them."""

import json
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from threading import Condition, Thread
from typing import Any, Protocol

from headrace.config_conversations import EventsBase
from headrace.errors import HeadraceError
from headrace.stores.event_spool import Spool

_MOST_AT_ONCE = 1_000
_LONGEST_PAUSE = 30.0
_log = logging.getLogger("headrace")


class Delivery(Protocol):
    """Where lines of JSON go. Used by one thread."""

    def deliver(self, lines: Sequence[bytes]) -> int:
        """Take all of them; how many it can never take. Raises HeadraceError or OSError where it is away."""

    def close(self) -> None:
        """Give back what it holds."""


class BufferedSink:
    """A `ports_events.EventSink` over a delivery.

    While the delivery is away, events go to the spool, and it is asked again after 1, 2, 4, ... at most 30 seconds.
    What was spooled is delivered after that, before what is new. What the spool has no room for stays in the queue.
    """

    def __init__(self, delivery: Delivery, settings: EventsBase) -> None:
        self.lost = 0
        self._delivery, self._settings = delivery, settings
        self._spool = Spool(settings.spool, settings.spool_bytes) if settings.spool else None
        self._waiting: deque[bytes] = deque()
        self._changed, self._closing, self._spool_full = Condition(), False, False
        self._pause, self._away_until = 1.0, 0.0
        self._thread = Thread(target=self._run, name="headrace-events", daemon=True)
        self._thread.start()

    def send(self, event: Mapping[str, Any]) -> bool:
        """Queue one event; whether it was. It is lost where there is no room within `wait`, or after `close`."""
        try:
            line = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
                errors="replace"
            )
        except (TypeError, ValueError) as error:
            self._lose(1, f"it is no JSON: {type(error).__name__}")
            return False
        with self._changed:
            room = self._changed.wait_for(self._room, self._settings.wait.total_seconds())
            if room and not self._closing:
                self._waiting.append(line)
                self._changed.notify_all()
                return True
        self._lose(1, "the queue is full" if not room else "the stream is closed")
        return False

    def close(self) -> None:
        """Deliver what waits, once; what nobody takes goes to the spool, or is told as lost."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._delivery.close()

    def _room(self) -> bool:
        return self._closing or len(self._waiting) < self._settings.queue

    def _run(self) -> None:
        while self._waited():
            self._flush()
        self._away_until = 0.0
        self._flush()
        # What neither the stream nor a spool took is still here.
        self._lose(len(self._waiting), "the stream was closed while nobody took them")

    def _waited(self) -> bool:
        """Whether it goes on, after it was time to flush or there is much."""
        with self._changed:
            self._changed.wait_for(self._hurry, self._settings.flush.total_seconds())
            return not self._closing

    def _hurry(self) -> bool:
        """Whether to flush before it is time."""
        many = len(self._waiting) >= min(_MOST_AT_ONCE, (self._settings.queue + 1) // 2)
        spools = self._spool is not None and not self._spool_full
        return self._closing or (many and (spools or time.monotonic() >= self._away_until))

    def _next(self) -> list[bytes]:
        with self._changed:
            return list(islice(self._waiting, _MOST_AT_ONCE))

    def _flush(self) -> None:
        if time.monotonic() >= self._away_until and self._spool:
            self._deliver_spooled()
        while lines := self._next():
            taken = len(lines) if self._delivered(lines) else self._spooled(lines)
            with self._changed:
                for _ in range(taken):
                    self._waiting.popleft()
                self._changed.notify_all()
            if taken < len(lines):
                return

    def _spooled(self, lines: Sequence[bytes]) -> int:
        """How many of them, from the first, the spool took."""
        if self._spool is None:
            return 0
        taken = self._spool.add(lines)
        full = taken < len(lines)
        if full and not self._spool_full:
            _log.warning("events: the spool takes no more; up to %d wait in memory", self._settings.queue)
        self._spool_full = full
        return taken

    def _deliver_spooled(self) -> None:
        assert self._spool
        for path, lines in self._spool.batches():
            if not self._delivered(lines):
                return
            path.unlink(missing_ok=True)

    def _delivered(self, lines: Sequence[bytes]) -> bool:
        """Whether the lines were taken, or never will be."""
        if time.monotonic() < self._away_until:
            return False
        try:
            never = self._delivery.deliver(lines)
        except (HeadraceError, OSError) as error:
            _log.warning("events: the stream is away: %s; it is asked again in %.0f s", error, self._pause)
            self._away_until = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            return False
        self._pause, self._spool_full = 1.0, False
        self._lose(never, "the stream takes none of this size")
        return True

    def _lose(self, count: int, why: str) -> None:
        if count:
            with self._changed:
                self.lost += count
            _log.error("events: %d lost, %d in all: %s", count, self.lost, why)
