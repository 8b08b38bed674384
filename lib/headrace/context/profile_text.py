"""A profile as text for a prompt: short lines, how fresh each part is, and nothing that was not agreed to.

What comes from data is written as JSON on one line, cut at 200 characters, without anything that ends a line or turns
its direction: no value can look like another line, or like the next value of its own. It can still hold words that are
meant for the model; the prompt around it must say that a profile is data. Names come in the order of the alphabet, as
some stores keep no other: the text is the same from each of them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.context.plain import name, newest, pairs, texts_in, value
from headrace.context.profile_consent import Shown, shown, with_zone


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a profile: its fields, or what one feed says.

    Attributes:
        place: `fields`, `related.<feed>` or `behaviour.<feed>`.
        lines: the first one says what it is and as of when, the others what it holds.
        changed_at: the newest time in it; None where nobody knows.
        raw: every text in it as it came from data.
    """

    place: str
    lines: tuple[str, ...]
    changed_at: str | None
    raw: tuple[str, ...]


def render(document: Mapping[str, Any], *, purposes: Collection[str] | None = None, now: datetime) -> str:
    """The profile in lines, the last of which counts what was left out.

    Args:
        document: a profile as a store returns it.
        purposes: shows only what needs one of these; None for all that is agreed to.
        now: what ages are counted to, and when consent must hold.

    Raises:
        Fatal: the document is of another schema, or the moment has no zone.
    """
    seen = shown(document, purposes, now)
    lines = [f"Profile {value(seen.person)}"]
    for section in sections(seen, now):
        lines += section.lines
    return "\n".join([*lines, *_consent(seen), _left_out(seen)]) + "\n"


def sections(seen: Shown, now: datetime) -> Iterator[Section]:
    """The parts of what may be shown: fields, then what belongs to the person, then what they did."""
    now = with_zone(now)
    if seen.fields:
        yield _section("fields", _fields(seen.fields, now), [one["changed_at"] for one in seen.fields.values()],
                       {name: one["value"] for name, one in seen.fields.items()})  # fmt: skip
    for feed, section in seen.related.items():
        times = [row["changed_at"] for row in section["rows"]]
        yield _section(f"related.{feed}", _rows(feed, section, now), times, section["rows"])
    for feed, section in seen.behaviour.items():
        times = [section["last"]["at"]] if section["last"] else []
        raw = [section["last"], [window["top"] for window in section["windows"].values()]]
        yield _section(f"behaviour.{feed}", _behaviour(feed, section, now), times, raw)


def rows_beyond_the_limit(seen: Shown) -> int:
    """Rows that the profile counts and does not hold."""
    return sum(section["count"] - len(section["rows"]) for section in seen.related.values())


def _section(place: str, lines: Iterator[str], times: list[str | None], raw: Any) -> Section:
    known = [at for at in times if at]
    return Section(place, tuple(lines), max(known, key=datetime.fromisoformat, default=None), tuple(texts_in(raw)))


def _fields(fields: Mapping[str, Any], now: datetime) -> Iterator[str]:
    of_all = newest([each["changed_at"] for each in fields.values()], now)
    yield f"Fields ({of_all}):"
    for field, each in fields.items():
        own = newest([each["changed_at"]], now)
        older = "" if own == of_all else f", {own}"
        yield f"- {name(field)}: {value(each['value'])} (from {name(each['record'])}{older})"


def _rows(feed: str, section: Mapping[str, Any], now: datetime) -> Iterator[str]:
    rows = section["rows"]
    if not section["count"]:
        yield f"{name(feed)}: none"
        return
    yield f"{name(feed)}, {len(rows)} of {section['count']} ({newest([row['changed_at'] for row in rows], now)}):"
    for row in rows:
        yield f"- {pairs(row['values']) or value(row['key'])}"


def _behaviour(feed: str, section: Mapping[str, Any], now: datetime) -> Iterator[str]:
    last = section["last"]
    if last is None:
        yield f"{name(feed)}: nothing lately"
        return
    yield f"{name(feed)} ({newest([last['at']], now)}):"
    before = None
    for length, window in sorted(section["windows"].items(), key=lambda each: _hours(each[0])):
        # A longer window with the same events says nothing new.
        if window["count"] and window != before:
            yield f"- last {name(length)}: {', '.join(_window(window))}"
            before = window
    sessions = section["sessions"]
    if sessions["last"]:
        yield f"- sessions: {sessions['count']}, the last of {_count(sessions['last']['events'], 'event')}"
    if found := pairs(last["values"]):
        yield f"- newest: {found}"


def _hours(window: str) -> int:
    return int(window[:-1]) * (24 if window.endswith("d") else 1)


def _window(window: Mapping[str, Any]) -> Iterator[str]:
    yield _count(window["count"], "event")
    for what, total in sorted(window["sums"].items()):
        yield f"{name(what)} {name(total)}"
    for what, top in sorted(window["top"].items()):
        if top["values"]:
            found = ", ".join(f"{value(each['value'])} {each['count']}" for each in top["values"])
            yield f"{name(what)} {found}" + (f", others {top['others']}" if top["others"] else "")


def _consent(seen: Shown) -> Iterator[str]:
    if seen.granted or seen.refused:
        allowed, refused = (", ".join(map(name, names)) for names in (seen.granted, seen.refused))
        yield f"Agreed to: {allowed or 'nothing'}; not agreed to: {refused or 'nothing'}"


def _left_out(seen: Shown) -> str:
    counts = {
        "not agreed to": seen.without_consent,
        "not asked for": seen.not_asked,
        "rows beyond the limit": rows_beyond_the_limit(seen),
    }
    found = ", ".join(f"{number} {why}" for why, number in counts.items() if number)
    return f"Left out: {found or 'nothing'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
