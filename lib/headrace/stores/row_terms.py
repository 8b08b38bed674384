"""Rows found by their terms, for stores that answer with keys in order: DynamoDB and DocumentDB.

A store keeps beside each row its terms, and gives a term's keys in order, a page at a time. Of several terms one that
few rows have answers alone; else their lists are joined, each skipping to the next key that another one holds. No row
is read for this. Only then are rows read by key, and those left out that have other terms by now: whatever an index
says that is a moment old, no row is shown that does not fit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import msgspec

from headrace.errors import Fatal
from headrace.ports import Found
from headrace.served_rows import MOST_FILTERS, ROW
from headrace.stores.keyed_rows import Row

FEW = 100
"""Keys of a first page. A term that has fewer answers alone."""
MANY = 1_000
"""Keys of each later page."""
MOST_PAGES = 100
"""Of one look-up: what it may cost has an end."""

Pages = Callable[[int, str, str, int], tuple[list[str], bool]]
"""By place, term, a key, and how many: the keys from that one on, in order, and whether they end there.

A page may hold fewer before the end.
"""
Read = Callable[[Sequence[str]], Mapping[str, Found]]


class _Body(msgspec.Struct):
    find: list[str | None] = []


def terms_of(row: Row) -> dict[int, str]:
    """The terms of a row by place; none where it is deleted, or is no row of a served table."""
    if row.text is None or not row.key.startswith(ROW):
        return {}
    try:
        find = msgspec.json.decode(row.text, type=_Body).find[:MOST_FILTERS]
    except msgspec.ValidationError:
        return {}
    return {place: term for place, term in enumerate(find) if term is not None}


def having(terms: Mapping[int, str], most: int, pages: Pages, read: Read, where: str) -> dict[str, Found]:
    """The rows that have all of these terms, by key, in the order of their keys, the first `most` of them.

    A row that has them all while this runs is found, if the pages are as new; every row that is given had them all
    when it was read.

    Raises:
        Fatal: the terms are so common, and so rarely together, that it would cost too much.
    """
    if not terms or not all(0 <= place < MOST_FILTERS for place in terms):
        raise ValueError(f"expected terms at places 0 to {MOST_FILTERS - 1}; found {sorted(terms)}")
    meter = _Meter(pages, where)
    lists = [_Keys(meter, place, term) for place, term in terms.items()]
    if (few := _few(lists)) is not None:
        return _fitting(terms, most, iter(few), FEW if len(lists) > 1 else most, read)
    return _fitting(terms, most, _joined(lists), most, read)


def _fitting(terms: Mapping[int, str], most: int, keys: Iterator[str], at_a_time: int, read: Read) -> dict[str, Found]:
    fitting: dict[str, Found] = {}
    while len(fitting) < most and (some := list(islice(keys, at_a_time))):
        rows = read(some)
        for key in some:
            if key in rows and _has(rows[key].body, terms):
                fitting[key] = rows[key]
    return dict(islice(fitting.items(), most))


def _has(body: Mapping[str, Any], terms: Mapping[int, str]) -> bool:
    find = body["find"]
    return all(place < len(find) and find[place] == term for place, term in terms.items())


@dataclass(slots=True)
class _Meter:
    """Counts the pages that one look-up asks for."""

    pages: Pages
    where: str
    asked: int = 0

    def page(self, place: int, term: str, key: str, most: int) -> tuple[list[str], bool]:
        self.asked += 1
        if self.asked > MOST_PAGES:
            expected = f"filters whose rows are found in {MOST_PAGES} pages of keys"
            todo = "Ask by a filter that fewer rows share, or serve the table with one that holds both values."
            raise Fatal(expected=expected, found="more", todo=todo, where=self.where)
        return self.pages(place, term, key, most)


@dataclass(slots=True)
class _Keys:
    """The keys that have a term, in order, as far as they were asked for."""

    meter: _Meter
    place: int
    term: str
    held: list[str] = field(default_factory=list)
    ended: bool = False
    started: bool = False

    def load(self, key: str) -> None:
        """Hold the page that begins at a key."""
        most = MANY if self.started else FEW
        self.held, self.ended = self.meter.page(self.place, self.term, key, most)
        self.started = True

    def next(self, key: str, itself: bool) -> str | None:
        """The first key from this one on, or behind it; None where there is none."""
        while True:
            find = bisect_left if itself else bisect_right
            if (at := find(self.held, key)) < len(self.held):
                return self.held[at]
            if self.ended:
                return None
            self.load(key)


def _few(lists: Iterable[_Keys]) -> list[str] | None:
    """All keys of the first term that has so few; None where each has more."""
    for one in lists:
        one.load(ROW)
        if one.ended:
            return one.held
    return None


def _joined(lists: Sequence[_Keys]) -> Iterator[str]:
    """The keys that all of the lists hold, in order."""
    key, itself, agreed = ROW, True, 0
    for one in cycle(lists):
        found = one.next(key, itself)
        if found is None:
            return
        agreed = agreed + 1 if found == key else 1
        key, itself = found, True
        if agreed == len(lists):
            yield key
            itself, agreed = False, 0
