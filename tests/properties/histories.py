"""Random histories of small tables: every kind of event, ties and repeats included.

The generator only asks a `random.Random`. Hypothesis can stand behind it (`st.randoms()`), so that the model tests
shrink; the Spark runs give it a seed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from headrace.changes.envelope import Change
from headrace.config import History
from headrace.testing import delete, moved, partial, truncate, upsert

Values = dict[str, Any]

# Few values, so that a row often returns to one it had; and texts that are easy to get wrong on the way.
DOMAINS: dict[str, list[Any]] = {
    "string": [None, "a", "b", "", "null", "é\U0001f600", 'q"uote\\', "line\nbreak", "  "],
    "bigint": [None, 0, 1, -7, 9_007_199_254_740_993],
    "int": [None, 0, 1, -2_147_483_648],
    "decimal(10,2)": [None, Decimal("0.00"), Decimal("12.50"), Decimal("-99999999.99")],
    "double": [None, 0.5, -1e-7, 1e22],
    "boolean": [None, True, False],
    "date": [None, date(2024, 2, 29), date(1969, 12, 31)],
    "timestamp": [None, datetime(2024, 1, 31, 12, 0, 0, 123_456), datetime(1969, 12, 31, 23, 59, 59)],
}


@dataclass(frozen=True)
class Shape:
    """A kind of table to be tested.

    Attributes:
        name: its name at the source and in the lake.
        key: key columns; the first is text and carries the history's own prefix.
        types: every column with its Spark type, key columns included.
        partial: whether events may be partial images.
        markers: whether a key change may leave columns to be taken from the old key.
        truncates: at most this many truncates in one table.
        declared: whether the settings name the types, or the applier has to learn them.
    """

    name: str
    key: tuple[str, ...]
    types: dict[str, str]
    partial: bool = False
    history: History | None = None
    truncates: int = 0
    declared: bool = True

    @property
    def values(self) -> list[str]:
        """The columns that are not part of the key."""
        return [column for column in self.types if column not in self.key]


FULL = Shape("full", ("id",), {"id": "string", "a": "bigint", "b": "string", "c": "decimal(10,2)"}, truncates=2)
PARTIAL = Shape(
    "partial", ("id",), {"id": "string", "a": "bigint", "b": "string", "c": "date"}, partial=True, truncates=2
)
HISTORY = Shape("history_all", ("id",), {"id": "string", "a": "bigint", "b": "string"}, history=History(), truncates=2)
TRACKED = Shape(
    "history_tracked",
    ("id",),
    {"id": "string", "a": "bigint", "b": "boolean", "c": "string"},
    partial=True,
    history=History(track=("a", "b")),
    truncates=1,
)
COMPOSITE = Shape(
    "composite",
    ("tenant.id", "order"),
    {"tenant.id": "string", "order": "bigint", "a b": "double", "`tick`": "timestamp", "Größe": "string"},
    partial=True,
)
LEARNED = Shape(
    "learned", ("id",), {"id": "string", "a": "bigint", "b": "string", "c": "double"}, declared=False, truncates=1
)
SHAPES = (FULL, PARTIAL, HISTORY, TRACKED, COMPOSITE, LEARNED)


def history(random: Random, shape: Shape, prefix: str, *, longest: int = 14, clock: int = 60) -> list[Change]:
    """One random history: one to three related keys, up to `longest` changes, in the order of the source.

    Args:
        clock: the source's time runs from 0 to about here; truncates fall into the same range.
    """
    keys = [_key(random, shape, prefix, number) for number in range(random.randint(1, 3))]
    changes: list[Change] = []
    at = random.randint(0, clock // 2)
    for _ in range(random.randint(1, longest)):
        if not chance(random, 20):  # otherwise a tie with the change before
            at += random.randint(1, 6)
        changes += _change(random, shape, keys, at)
    return changes


def truncates(random: Random, shape: Shape, *, clock: int = 60) -> list[Change]:
    """The truncates of one table; often none."""
    number = random.randint(0, shape.truncates)
    return [_truncate(shape, random.randint(0, clock)) for _ in range(number)]


def repeated(random: Random, changes: list[Change], percent: int = 15) -> list[Change]:
    """The changes, about `percent` % of them twice or more, in any order."""
    sent = list(changes)
    for change in changes:
        while chance(random, percent):
            sent.append(change)
    random.shuffle(sent)
    return sent


def cut(random: Random, changes: list[Change], pieces: int) -> list[list[Change]]:
    """The changes in `pieces` batches of random size; a batch may be empty."""
    places = sorted(random.randint(0, len(changes)) for _ in range(pieces - 1))
    return [changes[start:end] for start, end in zip([0, *places], [*places, len(changes)], strict=True)]


def chance(random: Random, percent: int) -> bool:
    """True in `percent` of 100 cases; the smallest draw is False, so that shrinking leaves things out."""
    return random.randint(0, 99) >= 100 - percent


def _change(random: Random, shape: Shape, keys: list[Values], at: int) -> list[Change]:
    key = random.choice(keys)
    time = at * 1_000_000 + 7
    draw = random.randint(0, 99)
    if draw < 22:
        return [delete(shape.name, key, at=at, changed_at=time)]
    if draw < 32 and len(keys) > 1:
        new = random.choice([other for other in keys if other is not key])
        return list(moved(shape.name, key, new | _row(random, shape, shape.values), at=at, changed_at=time))
    if shape.partial and draw < 70:
        sent = [column for column in shape.values if chance(random, 50)]
        return [partial(shape.name, key | _row(random, shape, sent), at=at, changed_at=time)]
    # A full image may leave a column out: then it is NULL.
    named = [column for column in shape.values if not chance(random, 10)]
    return [upsert(shape.name, key | _row(random, shape, named), at=at, changed_at=time)]


def _row(random: Random, shape: Shape, columns: list[str]) -> Values:
    return {column: random.choice(DOMAINS[shape.types[column]]) for column in columns}


def _key(random: Random, shape: Shape, prefix: str, number: int) -> Values:
    first, *others = shape.key
    return {first: f"{prefix}/{number}"} | {column: random.randint(0, 1) for column in others}


def _truncate(shape: Shape, at: int) -> Change:
    return truncate(shape.name, at=at, changed_at=at * 1_000_000 + 7)
