"""How long to wait before a call is made again: a random part of a time that doubles, within a limit for all tries."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from headrace.errors import HeadraceError

T = TypeVar("T")


@dataclass(frozen=True)
class Backoff:
    """Full jitter: many readers that were refused together do not come again together.

    Attributes:
        give_up: seconds after which the last error is raised.
        first, longest: bounds of the wait in seconds, before the random part is taken of it.
        sleep, clock, pick: replaced in tests.
    """

    give_up: float = 120.0
    first: float = 0.1
    longest: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    pick: Callable[[float, float], float] = random.uniform

    def call(
        self,
        what: Callable[[], T],
        later: tuple[type[HeadraceError], ...],
        never: tuple[type[HeadraceError], ...] = (),
    ) -> T:
        """What the call returns. Errors of the types `later` are worth another try, unless they are of `never` too.

        Raises the last one when the time is up.
        """
        tries = Tries(self)
        while True:
            try:
                return what()
            except never:
                raise
            except later:
                if not tries.again():
                    raise


class Tries:
    """One piece of work that is tried until it is done or the time is up; the time runs from here on."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff, self._started, self._ceiling = backoff, backoff.clock(), backoff.first

    def again(self) -> bool:
        """Wait before the next try. False, at once, where the time would be up by then."""
        backoff = self._backoff
        pause = backoff.pick(0, self._ceiling)
        if backoff.clock() - self._started + pause > backoff.give_up:
            return False
        backoff.sleep(pause)
        self._ceiling = min(2 * self._ceiling, backoff.longest)
        return True

    def got_on(self) -> None:
        """A part of the work was done: the next wait is short again."""
        self._ceiling = self._backoff.first
