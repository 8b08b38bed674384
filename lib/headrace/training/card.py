"""README.md of a dataset: what is in it, where it came from, what it is for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headrace.training.about import About
from headrace.training.example import Example
from headrace.training.formats.format import Format
from headrace.training.layout import SPLITS, Split
from headrace.training.limits import Limits

_BALANCE = 7 / 6
"""Between 1:1 and 4:3, the range TRL's documentation gives for KTO."""


@dataclass(slots=True)
class Tally:
    """Counts of what was written.

    Attributes:
        origin, language: of split and value.
        label: of `train`.
    """

    rows: Counter[Split] = field(default_factory=Counter)
    origin: Counter[tuple[Split, str]] = field(default_factory=Counter)
    language: Counter[tuple[Split, str]] = field(default_factory=Counter)
    label: Counter[bool] = field(default_factory=Counter)

    def add(self, split: Split, example: Example) -> None:
        """Count one more."""
        self.rows[split] += 1
        self.origin[split, example.origin] += 1
        self.language[split, example.language or "unknown"] += 1
        if split == "train" and example.label is not None:
            self.label[example.label] += 1


def kto_weights(good: int, bad: int) -> tuple[float, float] | None:
    """`desirable_weight` and `undesirable_weight` for so many rows; None where one kind is missing.

    The rarer kind weighs more, so that good to bad is between 1:1 and 4:3.
    """
    if not good or not bad:
        return None
    if bad <= good <= bad * 4 / 3:
        return 1.0, 1.0
    weight = good / bad / _BALANCE
    return (1.0, _rounded(weight)) if weight > 1 else (_rounded(1 / weight), 1.0)


def _rounded(weight: float) -> float:
    return float(f"{weight:.3g}")


def card(about: About, format: Format, limits: Limits, tally: Tally, digest: str) -> str:
    """The page, in Markdown."""
    splits = [split for split in SPLITS if tally.rows[split]]
    blocks = [
        [f"# {about.dataset}, version {about.version}"],
        [f"Format `{format.name}`: {format.trainer}. Content digest `{digest}`."],
        ["## Intended use", "", about.intended_use],
        ["## Rows", "", *_table(("split", "rows"), [(split, tally.rows[split]) for split in splits])],
        ["## Origin", "", *_crossed("origin", tally.origin, splits)],
        ["## Language", "", *_crossed("language", tally.language, splits)],
        ["## Sources", "", *_table(("table", "Delta version"), sorted(about.sources.items()))],
        ["## Refused", "", *_table(("reason", "rows"), sorted(about.refusals.items()))],
        ["## Leak between splits", "", *_table(("measured", "found"), sorted(about.leak.items()))],
        ["## Licences", "", *([f"- {one}" for one in about.licences] or ["None was given."])],
        *_weights(tally),
        ["## Limits of the trainer", "", *_limits(limits)],
        *([["## Notes", "", *[f"- {one}" for one in about.notes]]] if about.notes else []),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _weights(tally: Tally) -> list[list[str]]:
    if not tally.label:
        return []
    good, bad = tally.label[True], tally.label[False]
    found = kto_weights(good, bad)
    told = f"{good} good and {bad} bad answers in `train`."
    if found is None:
        return [["## Weights for KTO", "", f"{told} KTO needs both."]]
    advice = f"Suggested: `desirable_weight={found[0]:g}`, `undesirable_weight={found[1]:g}`"
    balance = found[0] * good / (found[1] * bad)
    return [["## Weights for KTO", "", f"{told} {advice}, which makes {balance:.2f} to 1."]]


def _limits(limits: Limits) -> list[str]:
    known = {name: ", ".join(one) if isinstance(one, list) else one for name, one in limits.known().items()}
    said = [f"- {one.page}, as of {one.as_of}: {', '.join(one.says)}" for one in limits.pages]
    changed = [f"- The settings gave: {', '.join(limits.overridden)}"] if limits.overridden else []
    return [*_table(("limit", "value"), known.items()), "", *said, *changed]


def _crossed(name: str, counts: Counter[tuple[Split, str]], splits: Sequence[Split]) -> list[str]:
    values = sorted({value for _, value in counts})
    return _table((name, *splits), [(value, *(counts[split, value] for split in splits)) for value in values])


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [_row(one) for one in rows]
    return [_row(headers), "|---" * len(headers) + "|", *lines] if lines else ["None."]


def _row(cells: Sequence[object]) -> str:
    texts = [" ".join(str(cell).split()).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(texts)} |"
