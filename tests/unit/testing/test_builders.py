"""Builders give real positions and the envelope's text."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.changes.envelope import ENVELOPE, Change
from headrace.config import Config
from headrace.testing import delete, envelopes, moved, partial, truncate, upsert
from headrace.testing.values import as_text, spark_type


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (None, None, None),
        ("x", "x", "string"),
        (True, "true", "boolean"),
        (-3, "-3", "bigint"),
        (1e22, "10000000000000000000000", "double"),
        (-1e-7, "-0.0000001", "double"),
        (float("nan"), "nan", "double"),
        (Decimal("1E+3"), "1000", "decimal(4,0)"),
        (Decimal("-12.50"), "-12.50", "decimal(4,2)"),
        (Decimal("0.001"), "0.001", "decimal(3,3)"),
        (date(2024, 2, 29), "2024-02-29", "date"),
        (datetime(1970, 1, 1, 0, 0, 1, 5), "1000005", "timestamp"),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "0", "timestamp"),
        (b"\x00\xff", "AP8=", "binary"),
        ([1, None, "é", date(2024, 1, 2)], '[1, null, "é", "2024-01-02"]', None),
        ({"a": {"b": datetime(2024, 1, 2, tzinfo=UTC)}}, '{"a": {"b": "2024-01-02T00:00:00+00:00"}}', None),
    ],
)
def test_a_value_travels_as_the_text_the_envelope_asks_for(value: Any, text: str | None, kind: str | None) -> None:
    assert as_text(value) == text
    assert spark_type(value) == kind


def test_positions_order_by_place_then_by_operation_then_by_content() -> None:
    key = {"id": 1}
    inorder = [
        upsert("t", key, at=9),
        upsert("t", key, at=10, dump=True),
        truncate("t", at=10),
        delete("t", key, at=10),
        upsert("t", key, at=10),
        upsert("t", key, at=(10, 0)),
        upsert("t", key, at=1, epoch=1),
    ]
    positions = [change.position for change in inorder]

    assert positions == sorted(set(positions))


def test_two_events_at_one_place_are_a_repeat_only_where_content_and_columns_sent_agree() -> None:
    row = {"id": 1, "name": "Ada"}
    same = upsert("t", row, at=5).position

    assert upsert("t", {"name": "Ada", "id": 1}, at=5).position == same
    assert upsert("t", {"id": 1, "name": "Bea"}, at=5).position != same
    assert partial("t", row, at=5).position != same


def test_a_key_change_is_a_delete_and_an_upsert_that_knows_where_it_came_from() -> None:
    gone, arrived = moved("t", {"id": 1}, {"id": 2, "name": "Ada", "bio": "long"}, at=5, unsent=["bio"])

    assert (gone.op, gone.after) == ("delete", {"id": "1"})
    assert (arrived.op, arrived.after) == ("upsert", {"id": "2", "name": "Ada"})
    assert (arrived.sent, arrived.moved_from) == (("id", "name"), {"id": "1"})


CONFIG = Config.model_validate(
    {
        "lake": "unused",
        "sources": {"shop": {"from": "files", "path": "in", "format": "json", "position": ["at"]}},
        "tables": {"users": {"source": "shop", "source_table": "t", "key": ["id"]}},
    }
)


def test_envelopes_have_the_contract_schema_and_numbered_origins(spark: SparkSession) -> None:
    changes = [partial("t", {"id": 1, "name": None}, at=5, changed_at=1_500_000), truncate("t", at=6)]

    frame = envelopes(spark, changes, CONFIG, source="shop", first_offset=7)
    first, second = frame.collect()

    assert frame.schema == spark.createDataFrame([], ENVELOPE).schema
    assert (first.source, first.source_table, first.table, first.key) == ("shop", "t", "users", '["1"]')
    assert (first.op, first.position, first.sent) == ("upsert", changes[0].position, ["id", "name"])
    assert (json.loads(first.after), json.loads(first.types)) == ({"id": "1", "name": None}, {"id": "bigint"})
    assert [tuple(row.origin) for row in (first, second)] == [("shop", 0, 7, 0), ("shop", 0, 8, 0)]
    assert (second.op, second.key, second.after, second.changed_at) == ("truncate", None, None, None)
    assert frame.selectExpr("unix_micros(changed_at)").first()[0] == 1_500_000


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (upsert("other", {"id": 1}, at=1), "found 'other'"),
        (upsert("t", {"id": None}, at=1), "found {'id': None}"),
        (delete("t", {"name": "x"}, at=1), "found {'name': 'x'}"),
    ],
)
def test_envelopes_refuse_what_a_decoder_would_reject(spark: SparkSession, change: Change, found: str) -> None:
    with pytest.raises(ValueError, match=found):
        envelopes(spark, [change], CONFIG, source="shop")
