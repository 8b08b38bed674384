"""The arithmetic of a rate limit: when the next call may be made. Pure; every time is handed in."""

import math
import struct
from dataclasses import astuple, dataclass

BURST = 1.0
"""Seconds' worth of calls that may be made at once after a quiet time."""
LONGEST = 300.0
"""Seconds; no pause is longer, whatever a service asks for."""
_HEADROOM = 0.98  # of the quota: with BURST on top, any 60 seconds hold at most the quota
_FALL, _RISE, _LEAST = 0.75, 0.015, 0.05  # on throttling, a second, and the lowest share of the rate
# Where no limit is configured: the fall while it is not found yet, the lowest rate, and how many times a learned limit
# must be exceeded without throttling to be one no more.
_SEARCH, _SLOWEST, _FORGOTTEN = 0.5, 0.1, 4.0
_FIRST_PAUSE, _LONGEST_OWN_PAUSE = 0.5, 30.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls and tokens a second; None for no limit."""

    requests: float | None = None
    tokens: float | None = None

    @classmethod
    def per_minute(cls, requests: int | None, tokens: int | None, writers: int = 1) -> "Rates":
        """The share of one of `writers` in a quota a minute, a little below it."""
        part = _HEADROOM / 60 / writers
        return cls(requests and requests * part, tokens and tokens * part)


Turn = tuple[float, float]
"""When a call may be made, and the epoch of the pace that said so."""


@dataclass(slots=True)
class Pace:
    """Where a limit stands. All fields are numbers, so that it can live in a file (`packed`).

    Attributes:
        at: when it was last used.
        requests_due, tokens_due: when all that was handed out so far is paid for at the rate.
        paused_until: the service wants no call before.
        factor: part of the rate in use; falls on throttling, rises with time.
        throttled_at, pause: the last throttling, and the pause it was answered with.
        learned: calls a second seen when a service without a configured limit throttled; 0 for none.
        count, since: calls handed out, and from when on, to know the rate.
        epoch: how often it slowed down. Turns of an earlier epoch are void: they were handed out at the faster rate.
    """

    at: float = 0.0
    requests_due: float = 0.0
    tokens_due: float = 0.0
    paused_until: float = 0.0
    factor: float = 1.0
    throttled_at: float = -1e9
    pause: float = 0.0
    learned: float = 0.0
    count: float = 0.0
    since: float = 0.0
    epoch: float = 0.0

    def turn(self, now: float, rates: Rates, tokens: int, latest: float) -> Turn | None:
        """Reserve the next turn; None, and nothing reserved, where it would be after `latest`."""
        self._advance(now, rates)
        requests = self.learned or None if rates.requests is None else rates.requests
        earliest = max(now, self.paused_until)
        if requests:
            earliest = max(earliest, self.requests_due - BURST)
        if rates.tokens:
            earliest = max(earliest, self.tokens_due - BURST)
        if earliest > latest:
            return None
        if requests:
            self.requests_due = max(self.requests_due, earliest) + 1 / (requests * self.factor)
        if rates.tokens:
            self.tokens_due = max(self.tokens_due, earliest) + tokens / (rates.tokens * self.factor)
        self.count += 1
        return earliest, self.epoch

    def stands(self, turn: Turn) -> bool:
        """Whether a turn can still be used."""
        return turn[1] == self.epoch and turn[0] >= self.paused_until

    def throttled(self, now: float, rates: Rates, turn: Turn, retry_after: float | None) -> None:
        """Slow down, once for all calls of an epoch: those that were under way are often refused together."""
        self._advance(now, rates)
        fresh = turn[1] == self.epoch
        if fresh:
            again = now - self.throttled_at < 2 * self.pause + 2
            self.pause = min(2 * self.pause, _LONGEST_OWN_PAUSE) if again else _FIRST_PAUSE
            self.throttled_at = now
            self.epoch += 1
            if rates.requests is None:
                seen = self.learned * self.factor or self.count / max(now - self.since, 0.25)
                self.learned, self.factor = max(seen, _SLOWEST), 1.0
                self.factor *= _SEARCH if again else _FALL
            else:
                self.factor = max(_LEAST, self.factor * _FALL)
        if retry_after is None:
            if not fresh:
                return
            retry_after = self.pause
        self.paused_until = max(self.paused_until, now + min(max(retry_after, 0.0), LONGEST))
        # Nobody rushes in when the pause is over. What void turns had reserved is free again.
        after = self.paused_until + BURST
        self.requests_due = after if fresh else max(self.requests_due, after)
        self.tokens_due = after if fresh else max(self.tokens_due, after)

    def _advance(self, now: float, rates: Rates) -> None:
        if now < self.at - 60 or self.at == 0.0:  # the machine started anew since, and its clock with it
            fresh = Pace(requests_due=now, tokens_due=now, since=now)
            for name in self.__slots__:
                setattr(self, name, getattr(fresh, name))
        now = max(now, self.at)
        quiet = now - max(self.at, self.paused_until)
        self.factor += _RISE * max(1.0, self.factor) ** 2 * max(0.0, quiet)
        if rates.requests is not None or not self.learned:
            self.factor = min(1.0, self.factor)
        elif self.factor > _FORGOTTEN:
            self.learned, self.factor = 0.0, 1.0
        if quiet > 5:
            self.count, self.since = 0.0, now
        elif now - self.since > 10:
            self.count, self.since = self.count / 2, (self.since + now) / 2
        self.at = now


_FORMAT, _MARK = struct.Struct("<8s11d"), b"hrpace01"


def packed(pace: Pace) -> bytes:
    """As bytes."""
    return _FORMAT.pack(_MARK, *astuple(pace))


def unpacked(data: bytes) -> Pace:
    """From bytes; a fresh one where they are something else."""
    if len(data) != _FORMAT.size or not data.startswith(_MARK):
        return Pace()
    numbers = _FORMAT.unpack(data)[1:]
    return Pace(*numbers) if all(map(math.isfinite, numbers)) else Pace()
