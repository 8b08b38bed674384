"""The truth against what a reader finds in the lake: every row, every column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.travel.columns import SHAPES, Row
from headrace.travel.debezium import micros

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found for one table; `differences` holds the first few as sentences, `count` counts them all."""

    table: str
    rows: int
    differences: tuple[str, ...]
    count: int

    @property
    def equal(self) -> bool:
        """Whether every row and column is the same."""
        return self.count == 0


def comparable(row: Row) -> dict[str, Any]:
    """A row in the form both sides are brought to: timestamps as microseconds since 1970 UTC, the rest as it is."""
    # A datetime collected from Spark depends on the reader's time zone; a number does not.
    return {name: micros(value) if hasattr(value, "tzinfo") else value for name, value in row.items()}  # type: ignore[arg-type]


def compare(table: str, truth: Iterable[Row], found: Iterable[Mapping[str, Any]]) -> Comparison:
    """Compare a table's truth with the rows found, each brought into the form of `comparable`."""
    shape = SHAPES[table]
    wanted = {shape.key_of(row): comparable(row) for row in truth}
    differences: list[str] = []
    seen = set()
    for row in found:
        key = tuple(row.get(name) for name in shape.key)
        expected = wanted.get(key)
        if expected is None or key in seen:
            differences.append(f"{table} {list(key)}: {'in the lake twice' if key in seen else 'not in the source'}")
        else:
            differences += [
                f"{table} {list(key)} {name}: source {_short(expected.get(name))}, lake {_short(row.get(name))}"
                for name in sorted(expected.keys() | row.keys())
                if not _same(expected.get(name, ...), row.get(name, ...))
            ]
        seen.add(key)
    differences += [f"{table} {list(key)}: not in the lake" for key in wanted if key not in seen]
    return Comparison(table, len(seen), tuple(differences[:SHOWN]), len(differences))


def _same(expected: Any, found: Any) -> bool:
    # True == 1 and 1 == 1.0 in Python; a column of the wrong type must not pass.
    return type(expected) is type(found) and bool(expected == found)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
