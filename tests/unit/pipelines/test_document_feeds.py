"""Lists in columns: who may read a document must not depend on how a table stores it."""

from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.pipelines.document_feeds import as_list


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("array<string>", ["staff", "a b", 'q"x'], ["staff", "a b", 'q"x']),
        ("array<string>", [], []),
        ("array<string>", None, []),
        ("array<int>", [1, 2], ["1", "2"]),
        ("string", '["staff", "ü"]', ["staff", "ü"]),
        ("string", "[]", []),
        ("string", "staff,  room 10 ,team0,", ["staff", "room 10", "team0"]),
        ("string", "", []),
        ("string", None, []),
        ("int", 7, ["7"]),
        # Nobody is in such a group: an empty list would show the document to everybody.
        ("string", "[staff", ["[staff"]),
    ],
)
def test_a_list_is_an_array_a_json_array_or_text_split_at_commas(
    spark: SparkSession, kind: str, value: Any, expected: list[str]
) -> None:
    (found,) = spark.createDataFrame([(value,)], f"v {kind}").select(as_list(F.col("v"))).collect()
    assert found[0] == expected
