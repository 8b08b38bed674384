"""Units put together to pieces, so that an edit moves few cuts besides its own."""

import os
from collections.abc import Iterator, Sequence
from itertools import accumulate

from headrace.knowledge.tokens import count
from headrace.knowledge.units import Unit

LEAST = float(os.environ.get("LEAST", "0.3"))
HOW = os.environ.get("HOW", "window")

def packed(found: Sequence[Unit], room: int) -> Iterator[tuple[int, int]]:
    """Which units make a piece: `found[start:end]`, in order."""
    sums = [0, *accumulate(unit.tokens for unit in found)]
    if HOW == "tree":
        yield from tree(found, sums, room)
        return
    start = 0
    while start < len(found):
        limit = room - (count(found[start].lead) if found[start].lead else 0)
        end = start + 1
        while end < len(found) and sums[end + 1] - sums[start] <= limit:
            end += 1
        if end < len(found) and HOW == "window":
            least = room * LEAST
            cuts = range(start + 1, end + 1)
            fair = [k for k in cuts if sums[k] - sums[start] >= least and sums[-1] - sums[k] >= least]
            end = min(fair or cuts, key=lambda k: (found[k].level, found[k].mark, -k)) if fair else end
        yield start, end
        start = end


def tree(found, sums, room):
    least = room * LEAST
    stack = [(0, len(found))]
    while stack:
        i, j = stack.pop()
        lead = count(found[i].lead) if found[i].lead else 0
        if sums[j] - sums[i] + lead <= room or j == i + 1:
            yield i, j
            continue
        cuts = range(i + 1, j)
        fair = [k for k in cuts if sums[k] - sums[i] >= least and sums[j] - sums[k] >= least]
        mid = (sums[i] + sums[j]) / 2
        k = min(fair or cuts, key=lambda k: (found[k].level, found[k].mark, abs(sums[k] - mid)))
        stack.append((k, j)); stack.append((i, k))
