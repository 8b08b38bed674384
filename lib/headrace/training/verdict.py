"""What people thought of an answer, out of all ratings of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating that was not taken back, as the table `ratings` holds it.

    Attributes:
        turn: None for the whole conversation.
        by: `person`, `agent` or `model`.
    """

    turn: int | None
    at: datetime
    by: str
    kind: str
    rater: str | None = None
    value: float | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one answer.

    Attributes:
        score: from -1 to 1; None where nobody said anything that counts.
        raters: how many did.
        origin: the kinds of ratings it rests on, such as `thumbs`.
        correction: what somebody says the answer should have been.
    """

    score: float | None = None
    raters: int = 0
    origin: str = ""
    correction: str | None = None

    @property
    def good(self) -> bool:
        """Liked, and nobody had to correct it."""
        return self.correction is None and self.score is not None and self.score > 0

    @property
    def bad(self) -> bool:
        """Disliked, or corrected."""
        return self.correction is not None or (self.score is not None and self.score < 0)


def verdict(ratings: Iterable[Rated], by: Collection[str], stars: tuple[int, int]) -> Verdict:
    """The verdict on a turn. Raters count equally, however many ratings each gave; as many against as for it is 0.

    Args:
        ratings: all of this turn.
        by: whose count.
        stars: at most so many are bad, at least so many good.
    """
    counted = sorted((one for one in ratings if one.by in by), key=lambda one: (one.at, one.by, one.rater or ""))
    votes: dict[tuple[str, str | None], list[float]] = {}
    kinds = set()
    correction = None
    for one in counted:
        if one.kind == "correction" and (one.text or "").strip():
            correction = one.text
        elif one.kind in ("thumbs", "stars") and one.value is not None:
            votes.setdefault((one.by, one.rater), []).append(_vote(one.kind, one.value, stars))
            kinds.add(one.kind)
    if not votes:
        return Verdict(correction=correction)
    score = sum(sum(each) / len(each) for each in votes.values()) / len(votes)
    return Verdict(score, len(votes), "+".join(sorted(kinds)), correction)


def _vote(kind: str, value: float, stars: tuple[int, int]) -> float:
    if kind == "thumbs":
        return value
    bad, good = stars
    return -1.0 if value <= bad else 1.0 if value >= good else 0.0
