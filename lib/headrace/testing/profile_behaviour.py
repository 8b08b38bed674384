"""What behaviour must look like, from every single event; numbers are fractions."""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from headrace.config_profiles import Behaviour, Profiles
from headrace.profiles.buckets import Event
from headrace.testing.profile_values import Refused, blank, clean, length, moment, written


def _hour(at: datetime) -> datetime:
    return datetime(at.year, at.month, at.day, at.hour, tzinfo=UTC)


def within(events: Sequence[Event], hours: int, now: datetime) -> list[Event]:
    """The events of the running hour and those before it, this many in all."""
    allowed = [_hour(now) - timedelta(hours=back) for back in range(hours)]
    return [event for event in events if _hour(event.at) in allowed]


def whole_hours(duration: timedelta) -> int:
    """A begun hour counts as one."""
    return math.ceil(Fraction(duration // timedelta(microseconds=1), 3_600_000_000))


def behaviour_truth(
    settings: Profiles,
    feed: str,
    one: Behaviour,
    events: Sequence[Event],
    now: datetime,
    limit: int,
    refused: set[Refused],
    counted: int,
) -> dict[str, Any]:
    """A feed's section, from its single events."""
    kept = sorted(within(events, whole_hours(one.keep), now), key=lambda event: (event.at, event.key))
    windows = {}
    for window in settings.windows:
        hours = whole_hours(window)
        found = within(kept, hours, now)
        windows[f"{hours // 24}d" if hours >= 48 and hours % 24 == 0 else f"{hours}h"] = {
            "count": len(found),
            "sums": {name: _digits(_sum(found, name)) for name in one.sums},
            "top": {name: _top(found, name, one.most, counted) for name in one.top},
        }
    last = None
    if kept:
        values = {name: clean(kept[-1].last.get(name)) for name in one.last}
        for name in one.last:
            if length(values[name]) > limit:
                refused.add(("behaviour", feed, kept[-1].key, name, length(values[name]), limit))
                values[name] = None
        last = {"at": moment(kept[-1].at), "key": kept[-1].key, "values": values}
    sessions: list[list[Event]] = []
    for event in kept:
        if sessions and event.at - sessions[-1][-1].at <= one.session_gap:
            sessions[-1].append(event)
        else:
            sessions.append([event])
    newest = sessions[-1] if sessions else None
    shown = newest and {"start": moment(newest[0].at), "end": moment(newest[-1].at), "events": len(newest)}
    return {"windows": windows, "last": last, "sessions": {"count": len(sessions), "last": shown}}


def _sum(events: Sequence[Event], name: str) -> Fraction:
    return sum((_fraction(event.sums.get(name)) for event in events), Fraction())


def _fraction(value: Any) -> Fraction:
    if isinstance(value, bool) or value is None:
        return Fraction()
    try:
        return Fraction(str(value))
    except ValueError:
        return Fraction()


def _digits(number: Fraction) -> str:
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    text = str(abs(number.numerator * 10**places // number.denominator)).rjust(places + 1, "0")
    whole, rest = (text[:-places], text[-places:]) if places else (text, "")
    return ("-" if number < 0 else "") + whole + ("." + rest if rest else "")


def _top(events: list[Event], name: str, most: int, counted: int) -> dict[str, Any]:
    values: dict[str, int] = {}
    others = 0
    for hour in {_hour(event.at) for event in events}:
        told = [clean(event.top.get(name)) for event in events if _hour(event.at) == hour]
        texts = [each if isinstance(each, str) else written(each).decode() for each in told if not blank(each)]
        short = {text for text in texts if len(text) <= 200}
        kept = sorted(short, key=lambda text: hashlib.blake2b(text.encode(), digest_size=8).hexdigest())[:counted]
        for text in texts:
            if text in kept:
                values[text] = values.get(text, 0) + 1
            else:
                others += 1
    ranked = sorted(values, key=lambda text: (-values[text], text))
    others += sum(values[text] for text in ranked[most:])
    return {"values": [{"value": text, "count": values[text]} for text in ranked[:most]], "others": others}
