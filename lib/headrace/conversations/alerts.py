"""Alerts of verdicts: which of them are told, so that none is told twice, and how a rule does on the past."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from headrace.config_alerts import Rule
from headrace.conversations.alert_rules import Verdict, judge
from headrace.conversations.alert_series import MINUTE, Series, whole_minute
from headrace.ports_alerts import Alert


def told(rule: Rule, verdict: Verdict, last: datetime | None) -> bool:
    """Whether a verdict is told, where the newest that was told had its window's end at `last`.

    Not what does not fire, nor within the cool-down, nor again what was told, nor what lies before that: so a restart
    and a replay tell nothing twice.
    """
    if not verdict.fires:
        return False
    return last is None or (verdict.at > last and verdict.at >= last + rule.cooldown)


def newest_minute(now: datetime, settle: timedelta) -> datetime:
    """The end of the newest window that can be judged."""
    return whole_minute(now - settle)


def alert(rule: Rule, verdict: Verdict) -> Alert:
    """The verdict as it is told."""
    id = hashlib.sha256(f"{verdict.rule}\n{verdict.at.isoformat()}".encode()).hexdigest()[:32]
    # JSON knows no infinity.
    numbers = {name: one for name, one in verdict.numbers.items() if abs(one) < float("inf")}
    return Alert(
        id=id,
        rule=verdict.rule,
        kind=rule.rule,
        at=verdict.at,
        measure=rule.measure,
        text=_sentence(rule, verdict),
        slice=dict(rule.slice),
        numbers=numbers,
    )


@dataclass(slots=True)
class Replayed:
    """What a rule would have done.

    Attributes:
        minutes: that were looked at.
        judged: those with enough rows and something to compare with.
        fired: those at which it fired, in the cool-down too.
        alerts: those that it would have told.
    """

    rule: str
    minutes: int = 0
    judged: int = 0
    fired: int = 0
    alerts: list[Verdict] = field(default_factory=list)

    @property
    def firing_share(self) -> float | None:
        """The part of the judged minutes at which it fired: on data known to be calm, its false-alarm rate."""
        return self.fired / self.judged if self.judged else None

    @property
    def alerts_a_week(self) -> float | None:
        """Alerts for seven days of minutes."""
        return len(self.alerts) * 7 * 1440 / self.minutes if self.minutes else None


def replayed(name: str, rule: Rule, series: Series, start: datetime, end: datetime, *, share: bool) -> Replayed:
    """What the rule would have done from `start` up to `end`, minute by minute, on what is known now."""
    found, last = Replayed(name), None
    for at in _minutes(start, end):
        verdict = judge(name, rule, series, at, share=share)
        found.minutes += 1
        found.judged += verdict.why in ("fires", "calm")
        found.fired += verdict.fires
        if told(rule, verdict, last):
            found.alerts.append(verdict)
            last = at
    return found


def _minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    at, last = whole_minute(start), whole_minute(end)
    at = at if at >= start else at + MINUTE
    while at <= last:
        yield at
        at += MINUTE


def _sentence(rule: Rule, verdict: Verdict) -> str:
    where = "".join(f", {name} {value}" for name, value in sorted(rule.slice.items()))
    which = f"{rule.measure} p{rule.percentile * 100:g}" if rule.percentile else rule.measure
    minutes = int(rule.window / MINUTE)
    return (
        f"{verdict.rule}: {which}{where} is {_short(verdict.numbers.get('value'))} over the {minutes} minutes "
        f"to {verdict.at:%Y-%m-%d %H:%M} UTC ({_compared(verdict.numbers)})"
    )


def _compared(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_short(one)}" for name, one in numbers.items() if name != "value")


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
