"""docs/measures.md says what the code says."""

from docs.markdown import ROOT
from headrace.config_measure_sql import FUNCTIONS
from headrace.config_measures import COLUMNS, DIMENSIONS
from headrace.conversations.shipped import SHIPPED

PAGE = (ROOT / "docs" / "measures.md").read_text("utf-8")


def quoted(names) -> str:
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} and {last}"


def measures() -> str:
    rows = [
        f"| `{one.name}` | {one.definition} | {one.unit} | {one.over} | `{one.numerator}` | `{one.denominator}` |"
        for one in SHIPPED
    ]
    return "\n".join(
        ["| measure | definition | unit | over | numerator | denominator |", "|---|---|---|---|---|---|", *rows]
    )


def columns() -> str:
    rows = [
        f"| {over} | `{name}` | {column.kind}{', slice' if column.few else ''} | {column.meaning} |"
        for over, its in COLUMNS.items()
        for name, column in its.items()
        if over == "turns" or name not in (*DIMENSIONS, "tenant", "provider")
    ]
    return "\n".join(["| of | column | kind | what it is |", "|---|---|---|---|", *rows])


def test_every_measure_stands_there_with_its_definition() -> None:
    assert measures() in PAGE


def test_every_column_stands_there() -> None:
    assert columns() in PAGE


def test_the_lists_in_the_text_are_the_real_ones() -> None:
    said = " ".join(PAGE.split())
    assert quoted(DIMENSIONS) in said
    assert quoted(FUNCTIONS) in said
