"""Which rows to look up for a question: what it names, and what the person's profile names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Literal

from headrace import patterns
from headrace.config_serve import Filter, ServedTable
from headrace.context.profile_consent import Shown

MOST = 10
"""Values that one filter finds, in a question or in a profile; and look-ups for values of several filters."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One look-up: a served table, and the values its rows must have.

    Attributes:
        step: `together` for values of several filters that a question names; `alone` for one of them, which is only
            looked up where those of the table together found no row.
    """

    table: str
    filters: Mapping[str, Any]
    step: Literal["", "together", "alone"] = field(default="", compare=False)


def in_question(tables: Mapping[str, ServedTable], question: str) -> list[Ask]:
    """What the filters with `in_question` find, each value once, in the order of the settings and of the question.

    Where several filters of a table find something: their values together, and each alone should that find nothing.
    """
    return [ask for table, served in tables.items() for ask in _of_table(table, _named(served, question))]


def _named(served: ServedTable, question: str) -> dict[str, list[Any]]:
    """What the question names, by filter; no filter without."""
    found = {
        column: _first(patterns.found(one.in_question, question))
        for column, one in served.filters.items()
        if one.in_question
    }
    return {column: values for column, values in found.items() if values}


def _of_table(table: str, named: Mapping[str, list[Any]]) -> Iterator[Ask]:
    if several := len(named) > 1:
        for values in islice(product(*named.values()), MOST):
            yield Ask(table, dict(zip(named, values, strict=True)), "together")
    for column, each in named.items():
        for value in each:
            yield Ask(table, {column: value}, "alone" if several else "")


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
