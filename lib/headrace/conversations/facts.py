"""What measures count of one turn, out of its items and calls."""

from typing import NamedTuple

from headrace.conversations.events import Turn


class Facts(NamedTuple):
    """Of one turn.

    Attributes:
        calls, failed_calls: of models.
        passages: how many the answer might use.
        cited: how many items it cites.
        answer_age: seconds since the oldest item that it cites changed at its source; None where none tells.
        cites_stale: whether an item that it cites was older than the settings allow.
    """

    calls: int
    failed_calls: int
    passages: int
    cited: int
    answer_age: float | None
    cites_stale: bool


def facts(turn: Turn) -> Facts:
    """What is counted of it. An item is cited where the answer names its id and it was given."""
    cited = [item for item in turn.items if item.id in turn.citations]
    return Facts(
        calls=len(turn.tries),
        failed_calls=sum(one.failure is not None for one in turn.tries),
        passages=sum(item.kind == "passage" for item in turn.items),
        cited=len(cited),
        answer_age=max((float(item.age) for item in cited if item.age is not None), default=None),
        cites_stale=any(item.stale for item in cited),
    )
