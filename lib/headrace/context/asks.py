"""Which rows to look up for a question: what it names, and what the person's profile names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from headrace.config_serve import Filter, ServedTable
from headrace.context.profile_consent import Shown

MOST = 10
"""Values that one filter finds, in a question or in a profile."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One look-up: a served table, and the values its rows must have."""

    table: str
    filters: Mapping[str, Any]


def in_question(tables: Mapping[str, ServedTable], question: str) -> list[Ask]:
    """What the filters with `in_question` find, each value once, in the order of the settings and of the question."""
    return [
        Ask(table, {column: value})
        for table, column, one in _filters(tables)
        if one.in_question
        for value in _first(_matches(one.in_question, question))
    ]


def in_profile(tables: Mapping[str, ServedTable], shown: Shown) -> list[Ask]:
    """What the filters with `in_profile` find in what may be shown, each value once."""
    return [
        Ask(table, {column: value})
        for table, column, one in _filters(tables)
        if one.in_profile
        for value in _first(_values(one.in_profile, shown))
    ]


def _filters(tables: Mapping[str, ServedTable]) -> Iterator[tuple[str, str, Filter]]:
    return ((name, column, one) for name, table in tables.items() for column, one in table.filters.items())


def _matches(pattern: str, question: str) -> Iterator[str]:
    for match in re.finditer(pattern, question):
        found = match[1] if match.re.groups else match[0]
        if found:
            yield found


def _values(path: str, shown: Shown) -> Iterator[Any]:
    part, name, *column = path.split(".")
    if part == "fields":
        if name in shown.fields:
            yield shown.fields[name]["value"]
        return
    for row in shown.related.get(name, {}).get("rows", ()):
        yield row["values"].get(column[0])


def _first(values: Iterator[Any]) -> list[Any]:
    simple = (value for value in values if isinstance(value, str | int | float))
    return list(islice(dict.fromkeys(simple), MOST))
