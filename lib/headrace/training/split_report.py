"""How examples lie on the sides of a split: shares, strata, and what spoils them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from headrace.training.splits import SIDES, Side, SplitRules

STRATA = ("language", "intent", "origin", "label")
_ENOUGH = 5
"""A value that should have so many examples on a side and has none there is worth a word."""

Rows = Mapping[Side, int]


class Counted(NamedTuple):
    """So many examples with these values on this side."""

    side: Side
    values: tuple[str | None, ...]
    rows: int


class Component(NamedTuple):
    """What stays together, by the id of its oldest example."""

    name: str
    side: Side
    rows: int


@dataclass(frozen=True, slots=True)
class SplitReport:
    """What a card says of a split.

    Attributes:
        rows: examples of each side.
        asked: the shares that the settings ask for.
        strata: examples of each side by value, for each of `STRATA`; "" is no value.
        too_big: components of more examples than the smallest side should have, the largest first.
        moved: examples by the side they were on and the one they are on now.
    """

    rows: Rows
    asked: Mapping[Side, float]
    strata: Mapping[str, Mapping[str, Rows]]
    too_big: tuple[Component, ...] = ()
    moved: Mapping[tuple[Side, Side], int] = field(default_factory=dict)

    def shares(self) -> dict[Side, float]:
        """The share of each side."""
        total = sum(self.rows.values())
        return {side: self.rows[side] / total if total else 0.0 for side in SIDES}

    def remarks(self) -> list[str]:
        """What a person should know before training, in sentences."""
        total = sum(self.rows.values())
        found = [
            f"Component {one.name} holds {one.rows} of {total} examples, all in {one.side}: "
            "one person, conversation, group or text joins them, so the shares cannot be met."
            for one in self.too_big
        ]
        found += [
            f"{side} has {share:.1%} of the examples; {self.asked[side]:.1%} were asked for."
            for side, share in self.shares().items()
            if abs(share - self.asked[side]) > self.asked[side] / 2
        ]
        found += [f"{rows} examples moved from {was} to {now}." for (was, now), rows in sorted(self.moved.items())]
        return found + [
            f"{side} has no example with {column} {value or 'unknown'}, of {sum(rows.values())}."
            for column, values in self.strata.items()
            for value, rows in values.items()
            for side in SIDES
            if not rows[side] and sum(rows.values()) * self.asked[side] >= _ENOUGH
        ]


def report(
    counted: Iterable[Counted],
    components: Iterable[Component],
    rules: SplitRules,
    moved: Mapping[tuple[Side, Side], int] | None = None,
) -> SplitReport:
    """The report.

    Args:
        counted: values in the order of `STRATA`.
        components: at least the largest.
    """
    rows: dict[Side, int] = dict.fromkeys(SIDES, 0)
    strata: dict[str, dict[str, dict[Side, int]]] = {
        column: defaultdict(lambda: dict.fromkeys(SIDES, 0)) for column in STRATA
    }
    for one in counted:
        rows[one.side] += one.rows
        for column, value in zip(STRATA, one.values, strict=True):
            strata[column][value or ""][one.side] += one.rows
    asked: dict[Side, float] = {
        "train": 1 - rules.test - rules.validation, "validation": rules.validation, "test": rules.test
    }  # fmt: skip
    smallest = min(share for share in asked.values() if share) * sum(rows.values())
    big = sorted((one for one in components if one.rows > max(smallest, 1)), key=lambda one: (-one.rows, one.name))
    told = {column: dict(sorted(values.items())) for column, values in strata.items()}
    return SplitReport(rows, asked, told, tuple(big), dict(moved or {}))
