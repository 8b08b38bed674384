"""Every example of docs/changes.md, run through the applier."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from docs.markdown import ROOT, Example, Table, examples
from docs.play import Played, expectations

EXAMPLES = examples(ROOT / "docs" / "changes.md")
CASES: list[Any] = [
    pytest.param(example, number, step, table, id=f"{example.slug}-{step.replace(' ', '_')}-{number}")
    for example in EXAMPLES
    for number, step, table in expectations(example)
]


@pytest.fixture(scope="module")
def played(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(spark, str(tmp_path_factory.mktemp("lake")), EXAMPLES)


@pytest.mark.parametrize(("example", "number", "step", "table"), CASES)
def test_the_page_shows_what_the_applier_does(
    played: Played, example: Example, number: int, step: str, table: Table
) -> None:
    expected = [{name: None if cell == "null" else cell for name, cell in row.items()} for row in table.rows]
    found = [
        {name: row.get(name, "no such column") for name in table.headings}
        for row in played.shown[example.title, number, step]
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(("example", "number", "step", "table"), [case for case in CASES if case.values[2] == "after"])
def test_the_page_hides_no_business_column(
    played: Played, example: Example, number: int, step: str, table: Table
) -> None:
    stored = {name for row in played.shown[example.title, number, step] for name in row if not name.startswith("_")}
    assert {name for name in table.headings if not name.startswith("_")} == stored


def test_every_section_with_steps_shows_an_outcome() -> None:
    assert len(EXAMPLES) >= 20
    assert [example.title for example in EXAMPLES if not list(expectations(example))] == []
