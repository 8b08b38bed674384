"""How a document that is too long must become shorter: one item at a time, written anew after each."""

import copy
from typing import Any

from headrace.testing.profile_values import written

Document = dict[str, Any]


def shortened(document: Document, limit: int) -> tuple[Document, set[tuple[str, str, str, str, int, int]]]:
    """The document, and the fields that had to go."""
    if len(written(document)) <= limit:
        return document, set()
    document = copy.deepcopy(document)
    document["cut"] = True
    for shorten in (_row, _top, _history, _record, _purpose, _last):
        while shorten(document):
            if len(written(document)) <= limit:
                return document, set()
    gone = set()
    while document["fields"]:
        name = max(document["fields"], key=lambda each: (len(written(document["fields"][each])), each))
        field = document["fields"].pop(name)
        document["purposes"].pop(f"fields.{name}", None)
        gone.add(("records", field["record"], field["key"], name, len(written(field)), limit))
        if len(written(document)) <= limit:
            break
    return document, gone


def _row(document: Document) -> bool:
    names = sorted(name for name, each in document["related"].items() if each["rows"])
    if names:
        most = max(len(document["related"][name]["rows"]) for name in names)
        document["related"][next(n for n in names if len(document["related"][n]["rows"]) == most)]["rows"].pop()
    return bool(names)


def _top(document: Document) -> bool:
    feeds = document["behaviour"].values()
    lists = [top for each in feeds for one in each["windows"].values() for top in one["top"].values()]
    most = max([len(top["values"]) for top in lists], default=0)
    for top in lists:
        if most and len(top["values"]) == most:
            top["others"] += top["values"].pop()["count"]
    return most > 0


def _history(document: Document) -> bool:
    histories = [state["history"] for state in document["consent"].values()]
    most = max(map(len, histories), default=0)
    for history in histories:
        if most and len(history) == most:
            history.pop()
    return most > 0


def _record(document: Document) -> bool:
    if document["records"]:
        document["records"].pop()
        return True
    return False


def _purpose(document: Document) -> bool:
    idle = sorted(set(document["consent"]) - set(document["purposes"].values()))
    if idle:
        del document["consent"][idle[-1]]
    return bool(idle)


def _last(document: Document) -> bool:
    names = sorted(n for n, each in document["behaviour"].items() if each["last"] and each["last"]["values"])
    if names:
        document["behaviour"][names[-1]]["last"]["values"] = {}
    return bool(names)
