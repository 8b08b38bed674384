"""What a rule says of a measure at a minute. Nothing here knows the time or remembers what was told."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Literal, TypeVar

from headrace.config_alerts import BurnRate, Change, Direction, Rule, Threshold, Unusual
from headrace.conversations.alert_series import Found, Look, Series

Why = Literal["fires", "calm", "too few", "nothing to compare with"]
_MAD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
_FLAT = 0.01
"""Where all of the past is equal, this part of it counts as its spread."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says.

    Attributes:
        at: the window's end.
        numbers: what was compared. `value` and `n` are always there where anything was counted.
    """

    rule: str
    at: datetime
    why: Why
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def fires(self) -> bool:
        """Whether it is to be told."""
        return self.why == "fires"


def judge(name: str, rule: Rule, series: Series, at: datetime, *, share: bool) -> Verdict:
    """What the rule says of the window that ends at `at`.

    Args:
        share: whether the measure is one, so that it has an interval.
    """
    look = Look(share, rule.percentile)
    now = series.found(at, rule.window, look)
    if now.value is None:
        return Verdict(name, at, "too few", {"n": now.n})
    seen = {"value": now.value, "n": now.n}
    if now.n < rule.at_least:
        return Verdict(name, at, "too few", seen)
    why, numbers = _ways(rule, series, at, now, look)
    return Verdict(name, at, why, seen | numbers)


def lookback(rule: Rule) -> timedelta:
    """How far back from a window's end the rule reads."""
    match rule:
        case Change():
            return rule.window + rule.before
        case Unusual():
            return rule.window + rule.apart * rule.periods
    return rule.window


def _ways(rule: Rule, series: Series, at: datetime, now: Found, look: Look) -> tuple[Why, dict[str, float]]:
    match rule:
        case Threshold():
            return _threshold(rule, now)
        case Change():
            return _change(rule, now, series.found(at - rule.before, rule.window, look))
        case Unusual():
            ends = (at - rule.apart * back for back in range(1, rule.periods + 1))
            past = [series.found(end, rule.window, look) for end in ends]
            return _unusual(rule, now, [one for one in past if one.value is not None and one.n >= rule.at_least], look)
        case BurnRate():
            return _burn_rate(rule, now, series.found(at, rule.short, look))


def _threshold(rule: Threshold, now: Found) -> tuple[Why, dict[str, float]]:
    value = _there(now.value)
    numbers = {"low": now.low, "high": now.high} if now.certain else {}
    if rule.above is not None:
        beyond = (now.low if rule.certain else value) > rule.above
        return _said(beyond), numbers | {"limit": rule.above}
    below = _there(rule.below)
    return _said((now.high if rule.certain else value) < below), numbers | {"limit": below}


def _change(rule: Change, now: Found, before: Found) -> tuple[Why, dict[str, float]]:
    if before.value is None or before.n < rule.at_least:
        return "nothing to compare with", {"before_n": before.n}
    value, earlier = _there(now.value), before.value
    difference = value - earlier
    numbers = {"before": earlier, "before_n": before.n, "difference": difference}
    if earlier:
        numbers["change"] = difference / abs(earlier)
    # From nothing to something is more than any part of nothing.
    enough = abs(difference) >= rule.by * abs(earlier) and abs(difference) >= rule.points and difference != 0
    apart = not rule.certain or now.low > before.high or now.high < before.low
    return _said(enough and apart and _towards(rule.direction, difference)), numbers


def _unusual(rule: Unusual, now: Found, past: list[Found], look: Look) -> tuple[Why, dict[str, float]]:
    if len(past) < rule.least_periods:
        return "nothing to compare with", {"periods": float(len(past))}
    value, values = _there(now.value), [_there(one.value) for one in past]
    middle = median(values)
    spread = max(_MAD * median(abs(one - middle) for one in values), _chance(middle, now, look))
    spread = spread or _FLAT * abs(middle)
    numbers = {"median": middle, "spread": spread, "periods": float(len(past))}
    if not spread:
        return "nothing to compare with", numbers
    z = (value - middle) / spread
    return _said(abs(z) >= rule.z and _towards(rule.direction, z)), numbers | {"z": z}


def _chance(middle: float, now: Found, look: Look) -> float:
    """How far a share of so many lies from the true one by chance alone; 0 of what is no share.

    A few weeks may agree by accident, and their own spread then says too little.
    """
    if not look.share or not 0 <= middle <= 1:
        return 0.0
    # Half a case more, so that a share of 0 has a spread too.
    likely = (middle * now.n + 0.5) / (now.n + 1)
    return math.sqrt(likely * (1 - likely) / now.n)


def _burn_rate(rule: BurnRate, now: Found, short: Found) -> tuple[Why, dict[str, float]]:
    long_burn = _burnt(rule, _there(now.value))
    if short.value is None:
        return "calm", {"burn": long_burn, "short_n": short.n}
    short_burn = _burnt(rule, short.value)
    numbers = {"burn": long_burn, "burn_short": short_burn, "short_n": short.n, "limit": rule.factor}
    return _said(long_burn >= rule.factor and short_burn >= rule.factor), numbers


def _burnt(rule: BurnRate, share: float) -> float:
    return (share if rule.counts == "bad" else 1 - share) / rule.budget


def _towards(direction: Direction, difference: float) -> bool:
    wanted: dict[Direction, Callable[[float], bool]] = {
        "up": lambda one: one > 0, "down": lambda one: one < 0, "either": lambda one: True,
    }  # fmt: skip
    return wanted[direction](difference)


def _said(fires: bool) -> Why:
    return "fires" if fires else "calm"


_T = TypeVar("_T")


def _there(value: _T | None) -> _T:
    if value is None:
        raise TypeError("a value that was looked for before")
    return value
