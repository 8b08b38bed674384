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
        started, ceiling = self.clock(), self.first
        while True:
            try:
                return what()
            except never:
                raise
            except later:
                pause = self.pick(0, ceiling)
                if self.clock() - started + pause > self.give_up:
                    raise
            self.sleep(pause)
            ceiling = min(2 * ceiling, self.longest)
