"""A single call in its turn, for services that are not called in batches by `knowledge.embedding`."""

import time
from collections.abc import Callable
from typing import TypeVar

from headrace.ports import Throttled
from headrace.stores.limiter import PacedLimiter

T = TypeVar("T")


def in_turn(limiter: PacedLimiter | None, call: Callable[[], T], seconds: float, where: str) -> T:
    """What `call` returns, made when its turn has come; what it raises.

    Args:
        limiter: None calls at once.
        seconds: the longest to wait for the turn.

    Raises Throttled where the turn would come later, or the service refused the call for now: everybody slows down.
    """
    if limiter is None:
        return call()
    latest = time.monotonic() + seconds
    while True:
        turn = limiter.turn(1, latest)
        if turn is None:
            todo = "It is tried again; raise requests_per_minute where the quota allows it."
            found = f"none within {seconds:g} s"
            raise Throttled(where=where, expected="a turn at the service", found=found, todo=todo)
        time.sleep(max(0.0, turn[0] - time.monotonic()))
        if limiter.stands(turn):
            break
    try:
        return call()
    except Throttled as error:
        limiter.throttled(turn, error.retry_after)
        raise
