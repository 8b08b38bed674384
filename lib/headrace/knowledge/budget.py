"""What one day may cost: how many of the waiting texts may be embedded today. Keeps nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from headrace.config_knowledge import Budget


@dataclass(frozen=True, slots=True)
class Spent:
    """What was embedded on one day."""

    day: date
    texts: int = 0
    tokens: int = 0

    def plus(self, now: datetime, texts: int, tokens: int) -> "Spent":
        """With more on top; a new day begins at zero."""
        today = day(now)
        before = self if self.day == today else Spent(today)
        return Spent(today, before.texts + texts, before.tokens + tokens)


def day(now: datetime) -> date:
    """The day of the budget: UTC."""
    return now.astimezone(UTC).date()


def allowed(budget: Budget, spent: Spent, now: datetime, wanted: Sequence[int]) -> int:
    """How many of the texts wanted, from the first, may be embedded today.

    Args:
        wanted: tokens of each text, in the order they are to be embedded.
    """
    before = spent if spent.day == day(now) else Spent(day(now))
    most = len(wanted) if budget.texts is None else min(len(wanted), max(0, budget.texts - before.texts))
    limit = _tokens(budget)
    if limit is None:
        return most
    left = limit - before.tokens
    for number, tokens in enumerate(wanted[:most]):
        left -= tokens
        if left < 0:
            return number
    return most


def cost(budget: Budget, tokens: int) -> float | None:
    """What so many tokens cost; None where no price is known."""
    price = budget.price_per_million_tokens
    return None if price is None else tokens * price / 1e6


def _tokens(budget: Budget) -> int | None:
    limits = [] if budget.tokens is None else [budget.tokens]
    if budget.money is not None and budget.price_per_million_tokens:
        # Fractions of the decimals as written: 0.3 / 0.1 in floats buys less than three million.
        price = Fraction(str(budget.price_per_million_tokens))
        limits.append(int(Fraction(str(budget.money)) * 1_000_000 / price))
    return min(limits, default=None)
