"""Examples for tests of formats, and a dataset of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from headrace.training.about import About
from headrace.training.example import Example, Kind, Message, example_id
from headrace.training.formats.format import Format
from headrace.training.layout import Split
from headrace.training.limits import limits_of

AT = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
ABOUT = About(
    "travel",
    "2026-02-01",
    "Answers of a travel agency's assistant.",
    licences=("our own conversations, by consent",),
    sources={"turns": 0, "ratings": 17},
    refusals={"too short": 3},
    leak={"persons on two sides": 0},
)


def example(kind: Kind, number: int = 0, turns: int = 2) -> Example:
    """A valid one: multi-turn, with a system text and a context."""
    answer = f"Yes, a dog under 8 kg travels free on flight {number}."
    shared = Example(
        example_id(kind, number), kind, f"c{number}", 3, AT, "thumbs",
        language="en", person=f"p{number}",
    )  # fmt: skip
    if kind == "text":
        return replace(shared, conversation="", completion=answer, group=f"doc{number}")
    said = [Message("user", f"Hello, it is {number}."), Message("assistant", "Hello.")] * (turns - 1)
    asked = replace(
        shared,
        messages=(*said, Message("user", f"May my dog come on flight {number}?")),
        system="You answer travellers.",
        context="Dogs under 8 kg travel free.",
    )
    if kind == "dpo":
        return replace(asked, chosen=answer, rejected="No idea.")
    return replace(asked, completion=answer, label=number % 3 != 0 if kind == "kto" else None)


def turns_for(format: Format) -> int:
    """How many questions a line of a format may have, up to 2."""
    return 1 if format.name == "distillation" else 2


def some_rows(format: Format, count: int | None = None, validation: int = 4) -> Iterator[tuple[Split, Example]]:
    """Rows enough for the format."""
    train = count or max(limits_of(format.name).rows_at_least, 12)
    for number in range(train + validation):
        split: Split = "train" if number < train else "validation"
        yield split, example(format.kinds[0], number, turns_for(format))
