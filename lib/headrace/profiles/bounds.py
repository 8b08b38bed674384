"""Keeps a document within its bytes by leaving out what matters least, no more of it than needed.

First the last related rows, each time one from the list that still has most; then the ends of the lists of frequent
values, of the histories of consent and of the records; then purposes that nothing needs, the values of newest events,
and only when nothing else is left the largest fields.
"""

from collections.abc import Callable, Mapping
from typing import Any

from headrace.profiles.values import Refusal, canonical

Document = dict[str, Any]
Cut = Callable[[int], Document]
"""The document without this many of something, counted from the end."""


def bounded(document: Document, limit: int) -> tuple[Document, list[Refusal]]:
    """The document, or one that fits the limit and says so in `cut`; and the fields that had to go."""
    if len(canonical(document)) <= limit:
        return document, []
    document = {**document, "cut": True}
    for step in (_rows, _tops, _histories, _records, _purposes, _newest):
        most, cut = step(document)
        document, fits = _least(most, cut, limit)
        if fits:
            return document, []
    return _without_fields(document, limit)


def _least(most: int, cut: Cut, limit: int) -> tuple[Document, bool]:
    """The document cut by as little as makes it fit, or by `most`; and whether it fits."""
    low, high = 1, most
    if not most or len(canonical(cut(most))) > limit:
        return cut(most), False
    while low < high:
        middle = (low + high) // 2
        if len(canonical(cut(middle))) <= limit:
            high = middle
        else:
            low = middle + 1
    return cut(low), True


def _rows(document: Document) -> tuple[int, Cut]:
    sections = document["related"]
    left = {name: len(section["rows"]) for name, section in sections.items()}
    order = []
    for _ in range(sum(left.values())):
        name = min(left, key=lambda each: (-left[each], each))
        left[name] -= 1
        order.append(name)

    def cut(number: int) -> Document:
        gone = {name: 0 for name in sections}
        for name in order[:number]:
            gone[name] += 1
        shorter = {name: each | {"rows": _but(each["rows"], gone[name])} for name, each in sections.items()}
        return {**document, "related": shorter}

    return len(order), cut


def _tops(document: Document) -> tuple[int, Cut]:
    feeds = document["behaviour"]
    lists = [top for each in feeds.values() for one in each["windows"].values() for top in one["top"].values()]
    longest = max((len(top["values"]) for top in lists), default=0)

    def cut(number: int) -> Document:
        most = longest - number
        shorter = {
            feed: each
            | {
                "windows": {
                    name: one | {"top": {column: _top(top, most) for column, top in one["top"].items()}}
                    for name, one in each["windows"].items()
                }
            }
            for feed, each in feeds.items()
        }
        return {**document, "behaviour": shorter}

    return longest, cut


def _top(top: Mapping[str, Any], most: int) -> dict[str, Any]:
    gone = top["values"][most:]
    return {"values": top["values"][:most], "others": top["others"] + sum(each["count"] for each in gone)}


def _histories(document: Document) -> tuple[int, Cut]:
    states = document["consent"]
    longest = max((len(state["history"]) for state in states.values()), default=0)

    def cut(number: int) -> Document:
        most = longest - number
        shorter = {purpose: state | {"history": state["history"][:most]} for purpose, state in states.items()}
        return {**document, "consent": shorter}

    return longest, cut


def _records(document: Document) -> tuple[int, Cut]:
    records = document["records"]
    return len(records), lambda number: {**document, "records": _but(records, number)}


def _purposes(document: Document) -> tuple[int, Cut]:
    states = document["consent"]
    needed = set(document["purposes"].values())
    idle = sorted(set(states) - needed)

    def cut(number: int) -> Document:
        gone = set(idle[len(idle) - number :])
        return {**document, "consent": {purpose: state for purpose, state in states.items() if purpose not in gone}}

    return len(idle), cut


def _newest(document: Document) -> tuple[int, Cut]:
    feeds = document["behaviour"]
    names = sorted(name for name, each in feeds.items() if each["last"] and each["last"]["values"])

    def cut(number: int) -> Document:
        gone = set(names[len(names) - number :])
        shorter = {
            name: each | {"last": each["last"] | {"values": {}}} if name in gone else each
            for name, each in feeds.items()
        }
        return {**document, "behaviour": shorter}

    return len(names), cut


def _without_fields(document: Document, limit: int) -> tuple[Document, list[Refusal]]:
    fields = document["fields"]
    sizes = {name: len(canonical(field)) for name, field in fields.items()}
    order = sorted(fields, key=lambda name: (sizes[name], name))

    def cut(number: int) -> Document:
        gone = set(order[len(order) - number :])
        left = {name: field for name, field in fields.items() if name not in gone}
        places = {f"fields.{name}" for name in gone}
        needs = {place: purpose for place, purpose in document["purposes"].items() if place not in places}
        return {**document, "fields": left, "purposes": needs}

    document, _ = _least(len(order), cut, limit)
    gone = [(name, field) for name, field in fields.items() if name not in document["fields"]]
    refused = [Refusal("records", each["record"], each["key"], name, sizes[name], limit) for name, each in gone]
    return document, refused


def _but(rows: list[Any], number: int) -> list[Any]:
    return rows[: len(rows) - number]
