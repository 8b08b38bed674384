"""A profile as text for a prompt: short lines, how fresh each part is, and nothing that was not agreed to.

What comes from data is written as JSON on one line, cut at 200 characters, without anything that ends a line or turns
its direction: no value can look like another line, or like the next value of its own. It can still hold words that are
meant for the model; the prompt around it must say that a profile is data. Names come in the order of the alphabet, as
some stores keep no other: the text is the same from each of them.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from headrace.errors import Fatal

CHARACTERS = 200
"""Of one value that are shown."""

SCHEMA = 1
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
"""Unicode's categories of what steers text instead of being seen."""

_SELECTORS = re.compile("[\ufe00-\ufe0d\U000e0100-\U000e01ef]")
"""They pick a letter's shape; whole texts have been hidden in them."""

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class _Shown:
    """What of a document may be shown, and how much may not."""

    def __init__(self, document: Mapping[str, Any], purposes: Collection[str] | None, now: datetime) -> None:
        self._needs: Mapping[str, str] = document["purposes"]
        self.granted = {name for name, state in document["consent"].items() if _holds(state, now)}
        self._asked = self.granted if purposes is None else self.granted & set(purposes)
        self.without_consent = self.not_asked = 0

    def may(self, place: str) -> bool:
        """Whether this field or section may be shown; counts it otherwise."""
        purpose = self._needs.get(place)
        if purpose is None or purpose in self._asked:
            return True
        if purpose in self.granted:
            self.not_asked += 1
        else:
            self.without_consent += 1
        return False


def render(document: Mapping[str, Any], *, purposes: Collection[str] | None = None, now: datetime) -> str:
    """The profile in lines, the last of which counts what was left out.

    Args:
        document: a profile as a store returns it.
        purposes: shows only what needs one of these; None for all that is agreed to.
        now: what ages are counted to, and when consent must hold.

    Raises:
        Fatal: the document is of another schema, or the moment has no zone.
    """
    if now.tzinfo is None:
        raise Fatal(expected="a time with a zone", found=now.isoformat(), todo="Give `now` as UTC.", where="now")
    if document.get("schema") != SCHEMA:
        todo = "Read it with the version of Headrace that wrote it, or build the profiles again."
        raise Fatal(expected=f"a profile of schema {SCHEMA}", found=f"schema {document.get('schema')}", todo=todo)
    now = now.astimezone(UTC)
    shown = _Shown(document, purposes, now)
    lines = [f"Profile {_value(document['person'])}"]
    lines += _fields(document, shown, now)
    cut = 0
    for feed, section in sorted(document["related"].items()):
        if shown.may(f"related.{feed}"):
            lines += _rows(feed, section, now)
            cut += section["count"] - len(section["rows"])
    for feed, section in sorted(document["behaviour"].items()):
        if shown.may(f"behaviour.{feed}"):
            lines += _behaviour(feed, section, now)
    lines += _consent(document["consent"], shown)
    return "\n".join([*lines, _left_out(shown, cut)]) + "\n"


def _holds(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether a purpose is allowed now. The document may be older than a change that time alone has made."""
    ends = [state["changes_at"], state["until"] if state["state"] == "granted" else None]
    return bool(state["granted"]) and all(now < datetime.fromisoformat(end) for end in ends if end)


def _fields(document: Mapping[str, Any], shown: _Shown, now: datetime) -> Iterator[str]:
    fields = {name: each for name, each in sorted(document["fields"].items()) if shown.may(f"fields.{name}")}
    newest = _newest([each["changed_at"] for each in fields.values()], now)
    if fields:
        yield f"Fields ({newest}):"
    for name, each in fields.items():
        own = _newest([each["changed_at"]], now)
        older = "" if own == newest else f", {own}"
        yield f"- {_name(name)}: {_value(each['value'])} (from {_name(each['record'])}{older})"


def _rows(feed: str, section: Mapping[str, Any], now: datetime) -> Iterator[str]:
    rows = section["rows"]
    if not section["count"]:
        yield f"{_name(feed)}: none"
        return
    yield f"{_name(feed)}, {len(rows)} of {section['count']} ({_newest([row['changed_at'] for row in rows], now)}):"
    for row in rows:
        yield f"- {_pairs(row['values']) or _value(row['key'])}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{_name(name)}: {_value(value)}" for name, value in sorted(values.items()) if value is not None)


def _behaviour(feed: str, section: Mapping[str, Any], now: datetime) -> Iterator[str]:
    last = section["last"]
    if last is None:
        yield f"{_name(feed)}: nothing lately"
        return
    yield f"{_name(feed)} ({_newest([last['at']], now)}):"
    before = None
    for name, window in sorted(section["windows"].items(), key=lambda each: _hours(each[0])):
        # A longer window with the same events says nothing new.
        if window["count"] and window != before:
            yield f"- last {_name(name)}: {', '.join(_window(window))}"
            before = window
    sessions = section["sessions"]
    if sessions["last"]:
        yield f"- sessions: {sessions['count']}, the last of {_count(sessions['last']['events'], 'event')}"
    if pairs := _pairs(last["values"]):
        yield f"- newest: {pairs}"


def _hours(window: str) -> int:
    return int(window[:-1]) * (24 if window.endswith("d") else 1)


def _window(window: Mapping[str, Any]) -> Iterator[str]:
    yield _count(window["count"], "event")
    for name, total in sorted(window["sums"].items()):
        yield f"{_name(name)} {_name(total)}"
    for name, top in sorted(window["top"].items()):
        if top["values"]:
            found = ", ".join(f"{_value(each['value'])} {each['count']}" for each in top["values"])
            yield f"{_name(name)} {found}" + (f", others {top['others']}" if top["others"] else "")


def _consent(states: Mapping[str, Any], shown: _Shown) -> Iterator[str]:
    if states:
        allowed = ", ".join(_name(name) for name in sorted(states) if name in shown.granted)
        refused = ", ".join(_name(name) for name in sorted(states) if name not in shown.granted)
        yield f"Agreed to: {allowed or 'nothing'}; not agreed to: {refused or 'nothing'}"


def _left_out(shown: _Shown, cut: int) -> str:
    counts = {
        "not agreed to": shown.without_consent,
        "not asked for": shown.not_asked,
        "rows beyond the limit": cut,
    }
    found = ", ".join(f"{number} {why}" for why, number in counts.items() if number)
    return f"Left out: {found or 'nothing'}"


def _newest(times: list[str | None], now: datetime) -> str:
    """`as of 14:03 UTC, 2 min ago`: with its day where that is another."""
    found = [datetime.fromisoformat(at).astimezone(UTC) for at in times if at]
    if not found:
        return "nobody knows as of when"
    at = max(found)
    day = "" if at.date() == now.date() else f"{at:%Y-%m-%d} "
    return f"as of {day}{at:%H:%M} UTC, {_ago((now - at).total_seconds())}"


def _ago(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= (2 * length if unit == "days" else length):
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _name(text: str) -> str:
    """A name as it is where nothing in it can mislead, otherwise as a value."""
    return text if _PLAIN.fullmatch(text) else _value(text)


def _value(value: Any) -> str:
    """The value as JSON on one line; a long one as the text of its beginning."""
    seen = _seen(value)
    if isinstance(seen, str):
        return json.dumps(_cut(seen), ensure_ascii=False)
    written = json.dumps(seen, ensure_ascii=False, sort_keys=True)
    return written if len(written) <= CHARACTERS else json.dumps(_cut(written), ensure_ascii=False)


def _seen(value: Any) -> Any:
    """The value with one space for each run of what is not seen in its texts."""
    if isinstance(value, Mapping):
        return {_seen(name): _seen(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_seen(each) for each in value]
    if not isinstance(value, str):
        return value
    text = _SELECTORS.sub("", value)
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(sign) in _HIDDEN else sign for sign in text)
    return " ".join(text.split())


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"
