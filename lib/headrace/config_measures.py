"""Settings of a user's own measures: SQL over one row, so that sums of minutes are hours."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Contradictions, Name, Names, Settings, Text, doubled
from headrace.config_measure_sql import Kind, check

Over = Literal["turns", "ratings", "conversations"]


class Column(NamedTuple):
    """What a measure may name.

    Attributes:
        few: it has few values and names no person, so measures can be sliced by it.
    """

    kind: Kind
    meaning: str
    few: bool = False


_SLICES = {
    "tenant": Column("text", "whose application", True),
    "channel": Column("text", "such as `web`", True),
    "language": Column("text", "of the question", True),
    "intent": Column("text", "as the application sorts questions", True),
    "provider": Column("text", "who answered", True),
    "model": Column("text", "which answered", True),
    "prompt": Column("text", "version of the prompt's template", True),
}
"""Columns of all three; a rating has its turn's, and a conversation its first turn's."""
COLUMNS: dict[Over, dict[str, Column]] = {
    "turns": {
        **_SLICES,
        "outcome": Column("text", "`answered`, `refused`, `failed` or `empty`", True),
        "ended": Column("text", "`done`, `length` or `refused`", True),
        "fallback": Column("flag", "whether another model than the first answered"),
        "input_tokens": Column("number", "cached ones included"),
        "output_tokens": Column("number", "of the answer"),
        "cached_tokens": Column("number", "of the input"),
        "cost": Column("number", "of the call that answered"),
        "currency": Column("text", "of the cost", True),
        "seconds": Column("number", "from question to the answer's end"),
        "seconds_to_first": Column("number", "from question to the model's first piece"),
        "calls": Column("number", "of models"),
        "failed_calls": Column("number", "those that failed"),
        "passages": Column("number", "how many the answer might use"),
        "cited": Column("number", "how many items it cites"),
        "answer_age": Column("number", "seconds since the oldest item that it cites changed at its source"),
        "cites_stale": Column("flag", "whether an item that it cites was older than the settings allow"),
        "regenerated": Column("flag", "whether a later turn was asked to better it"),
        "rated": Column("flag", "whether a person gave it thumbs or stars"),
    },
    "ratings": {
        **_SLICES,
        "kind": Column(
            "text", "`thumbs`, `stars`, `comment`, `correction`, `regenerate`, `copy`, `abandon` or `hand_off`", True
        ),
        "rated_by": Column("text", "`person`, `agent` or `model`", True),
        "value": Column("number", "-1 or 1 of thumbs, 1 to 5 of stars"),
        "whole": Column("flag", "whether it is of the whole conversation"),
        "sentiment": Column(
            "text",
            "of its text: `positive`, `negative`, `neutral`, `mixed`; `unknown` where no model knows its language",
            True,
        ),
        "valence": Column("number", "of its text, from -1 to 1"),
    },
    "conversations": {
        **_SLICES,
        "turns": Column("number", "how many it has"),
        "answered": Column("number", "how many of them were answered"),
        "handed_off": Column("flag", "whether it went to a human"),
        "abandoned": Column("flag", "whether it was left: somebody said so, or its last turn was not answered"),
        "returned": Column(
            "flag",
            "whether the same person began a later one, up to 24 hours after its last turn; null without a person",
        ),
    },
}
"""What a measure may name, by what it counts over."""
DIMENSIONS = ("model", "prompt", "language", "intent", "channel")
"""What measures are sliced by unless they say otherwise."""
_EXAMPLE = "numerator: CASE WHEN outcome = 'answered' THEN 1 ELSE 0 END"


class OwnMeasure(Settings):
    """One measure: in any slice, the sum of its numerator over the sum of its denominator.

    Attributes:
        over: what its rows are.
        numerator, denominator: SQL over the columns of one row; a boolean counts as 1 or 0, null as 0.
        dimensions: the columns that it can be sliced by.
        unit: of the result.
        definition: one sentence for those who read it.
    """

    over: Over = "turns"
    numerator: Text
    denominator: Text = "1"
    dimensions: Names = DIMENSIONS
    unit: Text = "share"
    definition: Annotated[str, Field(max_length=300)] = ""

    @model_validator(mode="after")
    def _additive(self) -> "OwnMeasure":
        problems = list(_dimensions(self.over, self.dimensions))
        for where in ("numerator", "denominator"):
            problems += list(_expression(where, getattr(self, where), self.over))
        if problems:
            raise Contradictions(problems)
        return self


OwnMeasures = dict[Name, OwnMeasure]


def slices(over: Over) -> tuple[str, ...]:
    """The columns that a measure can be sliced by: few values, and none of them a person."""
    return tuple(name for name, column in COLUMNS[over].items() if column.few)


SLICES = tuple(dict.fromkeys(name for over in COLUMNS for name in slices(over)))
"""Every column that some measure can be sliced by, each once."""


def _dimensions(over: Over, dimensions: tuple[str, ...]) -> Iterator[Contradiction]:
    for first, _ in doubled(dimensions):
        yield Contradiction("dimensions", "each column once", f"{first} twice", f"dimensions: [{first}]")
    for name in dimensions:
        if name not in slices(over):
            expected = f"columns with few values ({', '.join(slices(over))})"
            yield Contradiction("dimensions", expected, name, "dimensions: [model, language]")


def _expression(where: str, text: str, over: Over) -> Iterator[Contradiction]:
    """What keeps it from being SQL over one row that gives a number."""
    try:
        check(text, {name: column.kind for name, column in COLUMNS[over].items()})
    except ValueError as error:
        yield Contradiction(where, f"SQL over one row of {over} that gives a number", str(error), _EXAMPLE)


SHIPPED = (
    "thumbs_up", "csat", "judged_csat", "sentiment", "negative_comments", "rated", "refused", "errors",
    "call_errors", "fallback", "regenerated", "retrieval_hit", "cited", "cites_stale", "latency",
    "first_token", "answer_age", "input_tokens", "output_tokens", "cached_tokens", "cost", "containment",
    "hand_off", "abandoned", "resolution", "turns",
)  # fmt: skip
"""Names of the measures that Headrace brings: `conversations.shipped` has them."""


def shadowed(own: Mapping[str, OwnMeasure], shipped: tuple[str, ...] = SHIPPED) -> Iterator[Contradiction]:
    """Own measures with the name of one that Headrace brings."""
    for name in own:
        if name.casefold() in shipped:
            expected = "a name of its own: this one is a measure that Headrace brings"
            yield Contradiction(f"measures.{name}", expected, name, f"measures: {{my_{name}: ...}}")
