"""What sources said as items: text for a model, where it is from, how old it is, whether it looks meant for the model.

Items have no id yet: those that stay get one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from headrace.config_context import StaleAfter
from headrace.context.lookup import Answer, Row
from headrace.context.plain import ago, in_lines, name, newest, on_one_line, pairs, seconds_since, texts_in
from headrace.context.profile import Profile
from headrace.context.profile_consent import Shown
from headrace.context.profile_text import sections
from headrace.context.retrieve import Found
from headrace.context.suspicion import suspicions
from headrace.ports_chat import Item

LETTERS = {"row": "r", "profile": "f", "passage": "p"}
"""What ids begin with: rows, facts, passages."""

_MARK = re.compile(r"\[(?=/?[A-Z_]{3}|[rfp][0-9])")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may go into a context.

    Attributes:
        suspicions: rules its text meets.
        least: lines that must stay together; 0 where it cannot be shortened.
    """

    item: Item
    suspicions: tuple[str, ...]
    least: int = 0

    def named(self, number: int) -> "Candidate":
        """The same with its id."""
        return replace(self, item=replace(self.item, id=f"{LETTERS[self.item.kind]}{number}"))

    def shortened(self, lines: int) -> "Candidate":
        """The same with its first lines, and a last one that says how many are missing."""
        every = self.item.text.split("\n")
        text = "\n".join([*every[:lines], f"({len(every) - lines} more left out)"])
        return replace(self, item=replace(self.item, text=text))


def of_rows(answers: tuple[Answer, ...], now: datetime) -> Iterator[Candidate]:
    """One item for each row, once; one for each look-up that found none, as that is an answer too."""
    seen: set[tuple[str, str]] = set()
    for answer in answers:
        if not answer.rows:
            yield _none(answer, now)
        for row in answer.rows:
            if (answer.table, row.key) not in seen:
                seen.add((answer.table, row.key))
                yield _row(answer, row, now)


def _row(answer: Answer, row: Row, now: datetime) -> Candidate:
    text = f"{name(answer.table)} {on_one_line(row.key)}: {pairs(row.values)} ({newest([answer.as_of], now)})"
    item = Item("", "row", text, answer.table, row.key, row.version, row.position, row.age, answer.stale)
    return _candidate(item, *texts_in(row.values))


def _none(answer: Answer, now: datetime) -> Candidate:
    filters = json.dumps(dict(answer.filters), ensure_ascii=False, sort_keys=True, default=str)
    text = f"{name(answer.table)} with {pairs(answer.filters)}: none ({newest([answer.as_of], now)})"
    item = Item("", "row", text, answer.table, f"none:{filters}", 0, answer.position, answer.age, answer.stale)
    return _candidate(item, *texts_in(answer.filters))


def of_profile(profile: Profile, shown: Shown, stale: StaleAfter, now: datetime) -> Iterator[Candidate]:
    """One item for the fields, one for each feed; what a feed lists can be shortened."""
    for section in sections(shown, now):
        age = seconds_since(section.changed_at, now)
        item = Item("", "profile", "\n".join(section.lines), section.place, profile.person, profile.version, None, age)
        item = replace(item, stale=_stale(item, stale))
        yield replace(_candidate(item, *section.raw), least=2 if len(section.lines) > 2 else 0)


def of_passages(found: tuple[Found, ...], stale: StaleAfter) -> Iterator[Candidate]:
    """One item for each passage, best first."""
    for one in found:
        titles = [on_one_line(title) for title in (one.title or "", *one.heading)]
        title = " > ".join(dict.fromkeys(title for title in titles if title)) or None
        url = on_one_line(one.url) if one.url else None
        text = in_lines(one.text)
        item = Item("", "passage", text, one.source, one.key, one.version, one.position, one.age, title=title, url=url)
        raw = [one.text, one.title or "", *one.heading]
        yield _candidate(replace(item, stale=_stale(item, stale)), *raw)


def line(item: Item) -> str:
    """An item as one line of JSON for a prompt: nothing in it can end the line, or look like a model's own marks."""
    shown: dict[str, object] = {"id": item.id, "kind": item.kind, "source": on_one_line(item.source)}
    if item.title:
        shown["title"] = item.title
    shown["changed"] = "nobody knows when" if item.age is None else ago(item.age)
    if item.stale:
        shown["stale"] = True
    if item.suspicious:
        shown["suspicious"] = True
    return _without_marks(json.dumps(shown | {"text": item.text}, ensure_ascii=False))


def _without_marks(text: str) -> str:
    # Some servers read `<|im_end|>`, `</s>` or `[INST]` as the end of a turn wherever they stand; `[p1]` is ours.
    return _MARK.sub("\\\\u005b", text.replace("<", "\\u003c"))


def _candidate(item: Item, *raw: str) -> Candidate:
    met = tuple(sorted({rule for text in raw for rule in suspicions(text)}))
    return Candidate(replace(item, suspicious=bool(met)), met)


def _stale(item: Item, stale: StaleAfter) -> bool:
    return item.age is not None and item.age > stale.of(item.source).total_seconds()
