"""How far the judge agrees with people, beyond what chance alone would give."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from headrace.conversations.judge_prompt import STARS
from headrace.conversations.judge_sample import HUMAN, Human
from headrace.conversations.rates import LEAST


class Pair(NamedTuple):
    """Two opinions of one conversation; `weight`: how many it stands for."""

    human: Human
    judged: Human
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the conversations that both rated.

    Attributes:
        n: how many.
        same: those of which both say the same.
        kappa: Cohen's, of the sample as it is: 1 is full agreement, 0 what chance gives; None where it explains all.
        weighted_kappa: the same for all conversations that the sample stands for.
        confusion: how many, by what people and what the judge say.
    """

    n: int
    same: int
    kappa: float | None
    weighted_kappa: float | None
    confusion: dict[tuple[Human, Human], int]

    @property
    def enough(self) -> bool:
        """Whether there are as many as a share needs to be shown as certain."""
        return self.n >= LEAST


def agreement(pairs: Iterable[Pair]) -> Agreement:
    """How far both agree."""
    some = list(pairs)
    counts = Counter((one.human, one.judged) for one in some)
    confusion = {(human, judged): counts[human, judged] for human in HUMAN for judged in HUMAN}
    same = sum(one.human == one.judged for one in some)
    return Agreement(len(some), same, kappa((one.human, one.judged, 1.0) for one in some), kappa(some), confusion)


def kappa(pairs: Iterable[tuple[str, str, float]]) -> float | None:
    """Cohen's kappa of two raters: what of the agreement that chance leaves open they reach.

    None where there is nothing, or where chance alone would agree always.
    """
    some = list(pairs)
    total = sum(weight for _, _, weight in some)
    if not total:
        return None
    seen = sum(weight for one, other, weight in some if one == other) / total
    first, second = defaultdict[str, float](float), defaultdict[str, float](float)
    for one, other, weight in some:
        first[one] += weight
        second[other] += weight
    chance = sum(first[name] * second[name] for name in list(first)) / (total * total)
    # Both say one thing only: rounding may leave a crumb of it.
    return None if 1 - chance < 1e-12 else (seen - chance) / (1 - chance)


def of_category(category: str) -> Human | None:
    """The judge's category as people's ratings are told; None for `cannot_tell`."""
    stars = STARS.get(category)
    return None if stars is None else "satisfied" if stars >= 4 else "dissatisfied" if stars <= 2 else "neutral"
