"""Minutes of measures for tests of alerts."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from headrace.conversations.alert_series import Minute, Series

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def series(*windows: tuple[datetime, float, float]) -> Series:
    """One minute for each (beginning, numerator, denominator)."""
    return Series([Minute(at, up, down, down) for at, up, down in windows])


def steady(start: datetime, minutes: int, share: Callable[[datetime], float], rows: int, seed: int) -> Iterable[Minute]:
    """Minutes with about so many rows each, of which each counts with the share's probability; as by dice."""
    dice = random.Random(seed)
    for number in range(minutes):
        at = start + number * MINUTE
        # More by day than by night, as people are.
        among = sum(dice.random() < (0.9 if 8 <= at.hour < 22 else 0.2) for _ in range(rows))
        if among:
            yield Minute(at, float(sum(dice.random() < share(at) for _ in range(among))), float(among), among)
