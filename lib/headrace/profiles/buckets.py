"""What a person did in one hour, in a form that adds up.

However the events of an hour are cut into parts, the sum of the parts' buckets is the bucket of all of them: numbers
are added as exact decimals, and of more values than a bucket may hold those with the lowest hashes are kept, which
every part keeps too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from headrace.config_profiles import Behaviour
from headrace.errors import Fatal
from headrace.profiles.decimals import EXACT, exact, number_text
from headrace.profiles.values import Json, canonical, iso, plain, says_nothing, utc

VALUES = 1_000
"""Different values a bucket counts by name; the rest it only counts together."""

CHARACTERS = 200
"""Of a value that is counted by name; longer ones belong to the rest."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a person did.

    Attributes:
        sums: numbers, or their text; what is none is passed over.
        top: values to count; null and blank text are passed over.
        last: what is shown of the newest event.
    """

    key: str
    at: datetime
    sums: Mapping[str, Json | Decimal]
    top: Mapping[str, Json]
    last: Mapping[str, Json]


class Session(NamedTuple):
    """Events with no pause longer than the gap between them."""

    start: datetime
    end: datetime
    events: int


class Counts(NamedTuple):
    """How often each value came; `others`: events with values that are not among them."""

    values: Mapping[str, int]
    others: int


class Newest(NamedTuple):
    """The newest event; of several at the same time the one with the highest key."""

    at: datetime
    key: str
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The events of one hour.

    Attributes:
        hour: its start, UTC.
        sums, top: by the names of the settings; a sum of nothing is not there.
        sessions: in order of time.
    """

    hour: datetime
    count: int
    sums: Mapping[str, Decimal]
    top: Mapping[str, Counts]
    newest: Newest
    sessions: tuple[Session, ...]


def hour_of(at: datetime) -> datetime:
    """The start of its hour in UTC."""
    return utc(at).replace(minute=0, second=0, microsecond=0)


def bucket(events: Sequence[Event], settings: Behaviour) -> Bucket:
    """The bucket of events of one hour. Their order makes no difference; each event comes once.

    Raises:
        Fatal: there are none, or they are of several hours.
    """
    hours = {hour_of(event.at) for event in events}
    if len(hours) != 1:
        todo = "Give each hour's events apart, or call `buckets`."
        raise Fatal(expected="events of one hour", found=f"events of {len(hours)} hours", todo=todo, where="behaviour")
    newest = max((_newest(event) for event in events), key=_age)
    sessions = [Session(utc(event.at), utc(event.at), 1) for event in events]
    return Bucket(
        hours.pop(),
        len(events),
        {name: total for name in settings.sums if (total := _total(events, name)) is not None},
        {name: counts for name in settings.top if (counts := _counts(events, name)) is not None},
        newest,
        joined(sessions, settings.session_gap),
    )


def buckets(events: Iterable[Event], settings: Behaviour) -> list[Bucket]:
    """A bucket for every hour the events are of, in order of time."""
    hours = defaultdict(list)
    for event in events:
        hours[hour_of(event.at)].append(event)
    return [bucket(hours[hour], settings) for hour in sorted(hours)]


def add(one: Bucket, other: Bucket, gap: timedelta) -> Bucket:
    """The bucket of both parts' events, which must be of one hour and different. The order makes no difference.

    Args:
        gap: the settings' `session_gap`. Sessions that were joined with a longer one stay joined.
    """
    sums = dict(one.sums)
    for name, number in other.sums.items():
        sums[name] = EXACT.add(sums[name], number) if name in sums else number
    top = dict(one.top)
    for name, counts in other.top.items():
        top[name] = _both(top[name], counts) if name in top else counts
    newest = max(one.newest, other.newest, key=_age)
    sessions = joined([*one.sessions, *other.sessions], gap)
    return Bucket(one.hour, one.count + other.count, sums, top, newest, sessions)


def joined(sessions: Iterable[Session], gap: timedelta) -> tuple[Session, ...]:
    """Sessions in order of time; those with no pause longer than the gap between them are one."""
    found: list[Session] = []
    for each in sorted(sessions):
        if found and each.start - found[-1].end <= gap:
            last = found[-1]
            found[-1] = Session(last.start, max(last.end, each.end), last.events + each.events)
        else:
            found.append(each)
    return tuple(found)


def _newest(event: Event) -> Newest:
    return Newest(utc(event.at), event.key, {name: plain(value) for name, value in event.last.items()})


def _age(newest: Newest) -> tuple[datetime, str, bytes]:
    return newest.at, newest.key, canonical(newest.values)


def _total(events: Sequence[Event], name: str) -> Decimal | None:
    total = None
    for event in events:
        number = exact(event.sums.get(name))
        if number is not None:
            total = number if total is None else EXACT.add(total, number)
    return total


def _counts(events: Sequence[Event], name: str) -> Counts | None:
    values: dict[str, int] = {}
    others = 0
    for event in events:
        value = plain(event.top.get(name))
        if says_nothing(value):
            continue
        text = value if isinstance(value, str) else canonical(value).decode()
        if len(text) > CHARACTERS:
            others += 1
        else:
            values[text] = values.get(text, 0) + 1
    return _capped(values, others) if values or others else None


def _both(one: Counts, other: Counts) -> Counts:
    values = dict(one.values)
    for value, count in other.values.items():
        values[value] = values.get(value, 0) + count
    return _capped(values, one.others + other.others)


def _capped(values: dict[str, int], others: int) -> Counts:
    if len(values) <= VALUES:
        return Counts(values, others)
    kept = sorted(values, key=lambda value: (blake2b(value.encode(), digest_size=8).digest(), value))[:VALUES]
    return Counts({value: values[value] for value in kept}, others + sum(values.values()) - sum(map(values.get, kept)))  # type: ignore[arg-type]


def to_json(one: Bucket) -> dict[str, Any]:
    """The bucket as JSON: times as ISO 8601, sums as decimal text, sessions as [start, end, events]."""
    return {
        "hour": iso(one.hour),
        "count": one.count,
        "sums": {name: number_text(number) for name, number in one.sums.items()},
        "top": {name: {"values": dict(each.values), "others": each.others} for name, each in one.top.items()},
        "newest": {"at": iso(one.newest.at), "key": one.newest.key, "values": dict(one.newest.values)},
        "sessions": [[iso(each.start), iso(each.end), each.events] for each in one.sessions],
    }


def from_json(body: Mapping[str, Any]) -> Bucket:
    """The bucket that `to_json` wrote."""
    newest = body["newest"]
    return Bucket(
        datetime.fromisoformat(body["hour"]),
        body["count"],
        {name: Decimal(text) for name, text in body["sums"].items()},
        {name: Counts(each["values"], each["others"]) for name, each in body["top"].items()},
        Newest(datetime.fromisoformat(newest["at"]), newest["key"], newest["values"]),
        tuple(
            Session(datetime.fromisoformat(start), datetime.fromisoformat(end), events)
            for start, end, events in body["sessions"]
        ),
    )
