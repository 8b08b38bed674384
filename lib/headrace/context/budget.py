"""What fits: items in the order of their importance, each part within its own limit and the whole within one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from headrace.config_context import PartName
from headrace.context.context import LeftOut
from headrace.context.items import Candidate, line
from headrace.ports_chat import ChatMessage

Counter = Callable[[str], int]
PER_MESSAGE = 4
"""Tokens that models put around a message."""


def about_a_third(text: str) -> int:
    """Tokens of a text, guessed high: a third of its bytes in UTF-8. Of what is ASCII, a third of its characters."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 3)


@dataclass
class Room:
    """What is left of a budget.

    Attributes:
        left: tokens of the whole.
        taken: by part.
    """

    count: Counter
    left: int
    taken: dict[PartName, int] = field(default_factory=dict)

    def in_part(self, part: PartName, limit: int) -> int:
        """What a part may still take."""
        return min(self.left, limit - self.taken.get(part, 0))

    def take(self, part: PartName, tokens: int) -> None:
        """Take so many."""
        self.left -= tokens
        self.taken[part] = self.taken.get(part, 0) + tokens


def of_item(count: Counter, candidate: Candidate) -> int:
    """What an item takes in a prompt."""
    return count(line(candidate.item) + "\n")


def of_message(count: Counter, text: str) -> int:
    """What a message takes in a prompt, also where it is put together with another one."""
    return count(f"{text}\n\n") + PER_MESSAGE


def items_that_fit(
    candidates: Iterable[Candidate], part: PartName, limit: int, room: Room
) -> tuple[list[Candidate], list[LeftOut]]:
    """Candidates in their order, each where it fits into what those before it have left; then the rest.

    What can be shortened is, before it is left out. One that does not fit stops none that comes after it.
    """
    kept: list[Candidate] = []
    left_out: list[LeftOut] = []
    for candidate in candidates:
        space = room.in_part(part, limit)
        named = candidate.named(len(kept) + 1)
        fitting, missing = _fitted(named, space, room.count)
        source, key = candidate.item.source, candidate.item.key
        if fitting is None:
            left_out.append(LeftOut(part, "budget", 1, source, key))
            continue
        if missing:
            left_out.append(LeftOut(part, "shortened", missing, source, key))
        room.take(part, of_item(room.count, fitting))
        kept.append(fitting)
    return kept, left_out


def _fitted(named: Candidate, space: int, count: Counter) -> tuple[Candidate | None, int]:
    """The candidate as it fits, and how many of its lines are missing."""
    if of_item(count, named) <= space:
        return named, 0
    lines = named.item.text.count("\n") + 1
    if named.least:
        for kept in range(lines - 1, named.least - 1, -1):
            shorter = named.shortened(kept)
            if of_item(count, shorter) <= space:
                return shorter, lines - kept
    return None, 0


def turns_that_fit(
    turns: Sequence[ChatMessage], most: int, limit: int, room: Room
) -> tuple[tuple[ChatMessage, ...], list[LeftOut]]:
    """The last turns without a break between them; the first of them is the user's."""
    last = list(turns[len(turns) - most :] if most < len(turns) else turns)
    beyond = len(turns) - len(last)
    kept: list[ChatMessage] = []
    for turn in reversed(last):
        if of_message(room.count, turn.text) > room.in_part("conversation", limit):
            break
        room.take("conversation", of_message(room.count, turn.text))
        kept.insert(0, turn)
    without_room = len(last) - len(kept)
    answers = next((at for at, turn in enumerate(kept) if turn.role == "user"), len(kept))
    for turn in kept[:answers]:
        room.take("conversation", -of_message(room.count, turn.text))
    counts = (("limit", beyond), ("budget", without_room), ("not fitting", answers))
    return tuple(kept[answers:]), [LeftOut("conversation", why, count) for why, count in counts if count]  # type: ignore[arg-type]
