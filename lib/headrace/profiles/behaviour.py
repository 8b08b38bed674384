"""What a person did lately, summed up from hourly buckets as of a moment.

A window of N hours is the running hour and the N - 1 before it. Nothing older than `keep` counts, nor does an hour
that has not begun.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import nsmallest
from typing import Any

from headrace.config_profiles import Behaviour
from headrace.profiles.buckets import Bucket, Counts, Newest, add, hour_of, joined
from headrace.profiles.decimals import EXACT, number_text
from headrace.profiles.values import Json, Refusal, iso, plain, size, sooner

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Summed:
    """One feed's section of a profile, as `schema.py` describes it.

    Attributes:
        newest_at: the time of the newest event in it.
        due_at: the hour at which it changes by time alone; None for never.
    """

    section: dict[str, Any]
    newest_at: datetime | None
    due_at: datetime | None
    refused: list[Refusal]


@dataclass(slots=True)
class _Window:
    """A sum that grows with each older bucket."""

    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    values: dict[str, dict[str, int]] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)

    def take(self, one: Bucket) -> None:
        self.count += one.count
        for name, number in one.sums.items():
            self.sums[name] = EXACT.add(self.sums[name], number) if name in self.sums else number
        for name, counts in one.top.items():
            values = self.values.setdefault(name, {})
            for value, count in counts.values.items():
                values[value] = values.get(value, 0) + count
            self.others[name] = self.others.get(name, 0) + counts.others

    def shown(self, settings: Behaviour) -> dict[str, Any]:
        return {
            "count": self.count,
            "sums": {name: number_text(self.sums[name]) if name in self.sums else "0" for name in settings.sums},
            "top": {
                name: _most(Counts(self.values.get(name, {}), self.others.get(name, 0)), settings.most)
                for name in settings.top
            },
        }


def window_name(window: timedelta) -> str:
    """`1h`, `24h`, `7d`: in days from two whole days on."""
    hours = _hours(window)
    return f"{hours // 24}d" if hours % 24 == 0 and hours >= 48 else f"{hours}h"


def summed(
    feed: str,
    found: Sequence[Bucket],
    settings: Behaviour,
    windows: Sequence[timedelta],
    now: datetime,
    limit: int,
) -> Summed:
    """The feed's section as of a moment.

    Args:
        found: in any order; several of one hour are added up.
        limit: bytes of one value of the newest event; a longer one is refused.
    """
    running, keep = hour_of(now), _hours(settings.keep)
    by_hour = _by_hour(found, settings.session_gap)
    # An hour counts up, so that the one before the running hour is 1.
    past = {(running - hour) // _HOUR: one for hour, one in by_hour.items() if hour <= running}
    kept = {ago: past[ago] for ago in sorted(past) if ago < keep}
    spans = {window_name(each): _hours(each) for each in windows}
    newest = kept[next(iter(kept))].newest if kept else None
    last, refused = _last(feed, newest, settings, limit)
    sessions = joined([each for one in kept.values() for each in one.sessions], settings.session_gap)
    section = {
        "windows": dict(_windows(kept, spans, settings)),
        "last": last,
        "sessions": {
            "count": len(sessions),
            "last": None
            if not sessions
            else {"start": iso(sessions[-1].start), "end": iso(sessions[-1].end), "events": sessions[-1].events},
        },
    }
    leaves = [span - max(ago for ago in kept if ago < span) for span in {*spans.values(), keep} if _any(kept, span)]
    ahead = [hour for hour in by_hour if hour > running]
    due_at = sooner(*ahead, *(running + hours * _HOUR for hours in leaves))
    return Summed(section, newest.at if newest else None, due_at, refused)


def _hours(duration: timedelta) -> int:
    """Whole hours, a begun one as one."""
    return -(-duration // _HOUR)


def _any(kept: Mapping[int, Bucket], span: int) -> bool:
    return bool(kept) and next(iter(kept)) < span


def _by_hour(found: Sequence[Bucket], gap: timedelta) -> dict[datetime, Bucket]:
    hours: dict[datetime, Bucket] = {}
    for one in found:
        hours[one.hour] = add(hours[one.hour], one, gap) if one.hour in hours else one
    return hours


def _windows(
    kept: Mapping[int, Bucket], spans: Mapping[str, int], settings: Behaviour
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each window by name, the shortest first: a longer one is a shorter one and the buckets before it."""
    window = _Window()
    waiting = list(kept.items())[::-1]
    for name, span in sorted(spans.items(), key=lambda each: each[1]):
        while waiting and waiting[-1][0] < span:
            window.take(waiting.pop()[1])
        yield name, window.shown(settings)


def _most(counts: Counts, most: int) -> dict[str, Any]:
    shown = nsmallest(most, counts.values.items(), key=lambda each: (-each[1], each[0]))
    others = counts.others + sum(counts.values.values()) - sum(count for _, count in shown)
    return {"values": [{"value": value, "count": count} for value, count in shown], "others": others}


def _last(
    feed: str, newest: Newest | None, settings: Behaviour, limit: int
) -> tuple[dict[str, Any] | None, list[Refusal]]:
    if newest is None:
        return None, []
    values: dict[str, Json] = {}
    refused = []
    for name in settings.last:
        values[name] = plain(newest.values.get(name))
        if (length := size(values[name])) > limit:
            refused.append(Refusal("behaviour", feed, newest.key, name, length, limit))
            values[name] = None
    return {"at": iso(newest.at), "key": newest.key, "values": values}, refused
