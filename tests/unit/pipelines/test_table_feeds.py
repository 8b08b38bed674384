"""Rows of an ordered table as document events: the columns that hold lists."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headrace.config_knowledge import TableFeed
from headrace.lake import Lake
from headrace.pipelines.document_feeds import all_row_events

SCHEMA = "id int, body string, who {kind}, _position string, _changed_at timestamp"
EXPECTED = {
    "array<string>": [(["a", "b"], ["a", "b", "all"]), ([], ["all"]), (None, ["all"]), (["a", None], ["a", "", "all"])],
    "array<int>": [([1, 2], ["1", "2", "all"])],
    "string": [
        ("a, b", ["a", "b", "all"]),
        ("0team, team1", ["0team", "team1", "all"]),
        ('["a", "b,c"]', ["a", "b,c", "all"]),
        ('["a", null]', ["a", "", "all"]),
        ("[staff", ["[staff", "all"]),
        ("", ["all"]),
        (None, ["all"]),
    ],
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_arrays_json_and_commas_make_lists(kind: str, spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(spark, str(tmp_path))
    rows = [(number, "text", value, f"{number:05d}", None) for number, (value, _) in enumerate(EXPECTED[kind])]
    frame = spark.createDataFrame(rows, SCHEMA.format(kind=kind)).coalesce(1)
    frame.write.format("delta").save(str(tmp_path / "tables" / "pages"))
    feed = TableFeed.model_validate(
        {"from": "table", "table": "pages", "text": ["body"], "tags_column": "who", "audience_column": "who"}
        | {"tags": ["all"], "audience": ["all"]}
    )
    found = {row["document"]: row for row in all_row_events(lake, "feed", feed, ["id"], "v1").collect()}
    for number, (_, wanted) in enumerate(EXPECTED[kind]):
        assert found[str(number)]["tags"] == found[str(number)]["audience"] == wanted
