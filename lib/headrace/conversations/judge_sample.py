"""Which conversations are judged: the same for the same ones, rare kinds as well as common ones, with weights."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Human = Literal["dissatisfied", "neutral", "satisfied"]
HUMAN: tuple[Human, ...] = ("dissatisfied", "neutral", "satisfied")
"""What people's ratings come to, and the judge's categories too, to be compared."""


class Candidate(NamedTuple):
    """A conversation.

    Attributes:
        human: what people's ratings say of it; None where nobody rated.
        felt: of people's comments: `negative`, `other`, or `none` where there is none.
    """

    conversation: str
    human: Human | None = None
    felt: str = "none"

    @property
    def stratum(self) -> str:
        """Of its kind."""
        return f"{self.human or 'unrated'}/{self.felt}"


@dataclass(frozen=True, slots=True)
class Sampled:
    """One that is judged.

    Attributes:
        weight: how many of its stratum it stands for.
    """

    candidate: Candidate
    weight: float


class Rated(NamedTuple):
    """A person's rating.

    Attributes:
        whole: of the whole conversation.
    """

    kind: str
    value: float | None
    whole: bool


def human(ratings: Iterable[Rated]) -> Human | None:
    """What people's ratings of a conversation come to.

    Stars of the whole conversation count alone; else stars of its turns, by their mean; else thumbs.
    """
    some = [one for one in ratings if one.value is not None]
    for stars in (
        [one for one in some if one.kind == "stars" and one.whole],
        [one for one in some if one.kind == "stars"],
    ):
        if stars:
            mean = sum(one.value or 0.0 for one in stars) / len(stars)
            return "satisfied" if mean >= 3.5 else "dissatisfied" if mean <= 2.5 else "neutral"
    thumbs = [one.value or 0.0 for one in some if one.kind == "thumbs"]
    if not thumbs:
        return None
    total = sum(thumbs)
    return "satisfied" if total > 0 else "dissatisfied" if total < 0 else "neutral"


def sample(candidates: Iterable[Candidate], size: int, seed: str = "") -> list[Sampled]:
    """At most `size` of them, from every stratum alike as far as it goes; in the order of their ids.

    Which of a stratum is decided by a hash of the id: a conversation more or less moves no other by more than one.

    Args:
        seed: another gives another sample.
    """
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        strata[one.stratum].append(one)
    names = sorted(strata, key=lambda name: _digest(seed, name))
    shares = dict(zip(names, shared([len(strata[name]) for name in names], size), strict=True))
    found = []
    for name in names:
        chosen = sorted(strata[name], key=lambda one: (_digest(seed, one.conversation), one.conversation))[
            : shares[name]
        ]
        found += [Sampled(one, len(strata[name]) / len(chosen)) for one in chosen]
    return sorted(found, key=lambda one: one.candidate.conversation)


def shared(sizes: Sequence[int], total: int) -> list[int]:
    """How many of each: as even as their sizes allow, `total` together unless there are fewer."""
    given = [0] * len(sizes)
    left = min(total, sum(sizes))
    while left > 0:
        hungry = [place for place, size in enumerate(sizes) if given[place] < size]
        each = left // len(hungry)
        # What is left over goes round at the end, when all that still take have the same.
        for place in hungry if each else hungry[:left]:
            more = min(max(each, 1), sizes[place] - given[place])
            given[place] += more
            left -= more
    return given


def _digest(seed: str, text: str) -> str:
    return hashlib.sha256(f"{seed}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()
