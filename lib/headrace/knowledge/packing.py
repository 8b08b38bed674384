"""Units put together to pieces, so that an edit moves few cuts besides its own."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from headrace.knowledge.tokens import count
from headrace.knowledge.units import Unit

LEAST = 0.3
"""Of the room a piece fills so much, where it can: less makes crumbs, more leaves fewer cuts to choose from."""


def packed(found: Sequence[Unit], room: int) -> Iterator[tuple[int, int]]:
    """Which units make a piece: `found[start:end]`, in order.

    A piece is not filled up: then one edit would move every cut after it. Of the cuts it can end at, the one before the
    unit of the lowest level is taken, and of those the one of the lowest mark. Marks are made from a unit's own text,
    so the pieces before and after an edit soon agree again.
    """
    sums = [0, *accumulate(unit.tokens for unit in found)]
    start = 0
    while start < len(found):
        least, most = sums[start] + room * LEAST, sums[start] + room - count(found[start].lead)
        end = start + 1
        while end < len(found) and sums[end + 1] <= most:
            end += 1
        if end < len(found):
            cuts = (
                cut for cut in range(start + 1, end + 1) if sums[cut] >= least and sums[-1] - sums[cut] >= room * LEAST
            )
            end = min(cuts, key=lambda cut: (found[cut].level, found[cut].mark, -cut), default=end)
        yield start, end
        start = end
