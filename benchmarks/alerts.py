"""Alerts: how often each kind of rule is wrong on calm data, and how soon it finds a fault.

    python benchmarks/alerts.py [WEEKS]

Made-up turns: by day nine times as many as by night, by dice with fixed seeds. In the calm ones 2 % fail for ten
weeks, of which the last WEEKS (4) are replayed minute by minute. In the faulty ones 10 % fail for one hour of each
day, at 10:00, and 2 % otherwise.
"""

import math
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

from pydantic import TypeAdapter

from headrace.config_alerts import Rule
from headrace.conversations.alert_series import Minute, Series
from headrace.conversations.alerts import Replayed, replayed

END = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, DAY, WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(days=7)
CALM, FAULT = 0.02, 0.10
_COMMON = {"measure": "errors", "window": "15m"}
RULES: dict[str, dict[str, object]] = {
    "threshold, 5 %": {"rule": "threshold", "above": 0.05, "certain": False, **_COMMON},
    "threshold, 5 %, certain": {"rule": "threshold", "above": 0.05, **_COMMON},
    "change, by half": {"rule": "change", "by": 0.5, "certain": False, "direction": "up", **_COMMON},
    "change, by half, certain": {"rule": "change", "by": 0.5, "direction": "up", **_COMMON},
    "unusual, z 4": {"rule": "unusual", "direction": "up", **_COMMON},
    "unusual, z 3": {"rule": "unusual", "z": 3, "direction": "up", **_COMMON},
    "burn rate, 2 % x 3": {"rule": "burn_rate", "measure": "errors", "budget": 0.02, "factor": 3},
    "burn rate, 2 % x 2": {"rule": "burn_rate", "measure": "errors", "budget": 0.02, "factor": 2},
}


def by_chance(dice: random.Random, mean: float) -> int:
    """A number from Poisson's distribution."""
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def minutes(weeks: int, by_day: float, share: Callable[[datetime], float], seed: int) -> Iterator[Minute]:
    """Minutes up to `END`, with about `by_day` turns in each by day and a ninth of it by night."""
    dice = random.Random(seed)
    for number in range(weeks * 7 * 1440):
        at = END - weeks * WEEK + number * MINUTE
        n = by_chance(dice, by_day if 8 <= at.hour < 22 else by_day / 9)
        if n:
            failed = sum(dice.random() < share(at) for _ in range(n))
            yield Minute(at, float(failed), float(n), n)


def faulty(at: datetime) -> float:
    """In the last week an hour of each day fails."""
    return FAULT if at >= END - WEEK and at.hour == 10 else CALM


def table(title: str, rows: Iterable[tuple[str, ...]], heads: tuple[str, ...]) -> None:
    """Print it as Markdown."""
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def calm_row(name: str, found: Replayed) -> tuple[str, ...]:
    """What a rule said where nothing was wrong."""
    share, weekly = found.firing_share or 0.0, found.alerts_a_week or 0.0
    return name, f"{found.judged / found.minutes:.0%}", f"{share:.3%}", f"{weekly:.2f}"


def faulty_row(name: str, found: Replayed) -> tuple[str, ...]:
    """In how many of seven hours it told the fault, and after how many minutes."""
    waits = []
    for day in range(7):
        began = END - WEEK + day * DAY + timedelta(hours=10)
        within = [one.at for one in found.alerts if began < one.at <= began + timedelta(hours=1)]
        waits += [(min(within) - began) / MINUTE] if within else []
    return name, f"{len(waits)} of 7", f"{median(waits):.0f} min" if waits else "-"


def main(weeks: int) -> None:
    """Print both tables, for much and for little traffic."""
    rules = {name: TypeAdapter(Rule).validate_python(settings) for name, settings in RULES.items()}
    for by_day in (10.0, 100.0):
        calm = Series(list(minutes(10, by_day, lambda at: CALM, seed=1)))
        found = {name: replayed(name, one, calm, END - weeks * WEEK, END, share=True) for name, one in rules.items()}
        heads = ("rule", "minutes judged", "false alarms a minute", "alerts a week")
        table(f"Calm, {by_day:g} turns a minute by day", [calm_row(*one) for one in found.items()], heads)
        fault = Series(list(minutes(10, by_day, faulty, seed=2)))
        found = {name: replayed(name, one, fault, END - WEEK, END, share=True) for name, one in rules.items()}
        table(f"Faulty, {by_day:g} turns a minute by day", [faulty_row(*one) for one in found.items()],
              ("rule", "told within the hour", "after"))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
