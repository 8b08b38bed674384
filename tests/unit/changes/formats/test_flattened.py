from typing import Any

import pytest

from headrace.changes.envelope import Ignored

ROW = {"id": 10003, "order_date": 16850, "quantity": 2}
ADDED = {"__op": "u", "__table": "orders", "__lsn": 33832960, "__source_ts_ms": 1596309876678, "__deleted": "false"}


def test_a_captured_flattened_row(decoding: Any, samples: Any) -> None:
    event = samples("debezium_captured")["postgres_unwrapped_smt_add_fields"]
    (change,) = decoding("debezium", "inventory.orders")(event, stream="testc.inventory.orders")
    assert (change.table, change.op, change.changed_at) == ("inventory.orders", "upsert", 1596309876678000)
    assert change.position[:-12] == "0000-00000000000033832960-1"
    assert change.after == {
        "id": "10003", "order_date": "16850", "purchaser": "1002", "quantity": "2", "product_id": "106",
    }  # fmt: skip
    assert change.types == {
        "id": "int", "order_date": "date", "purchaser": "int", "quantity": "int", "product_id": "int",
    }  # fmt: skip


def test_a_row_with_deleted_true_is_a_delete_of_its_key(decoding: Any) -> None:
    decode = decoding("debezium", "inventory.orders")
    for added in ({"__deleted": "true"}, {"__op": "d"}, {"__deleted": True}):
        (change,) = decode(ROW | ADDED | added, {"id": 10003}, stream="testc.inventory.orders")
        assert (change.op, change.after) == ("delete", {"id": "10003"})
        assert change.position[:-12] == "0000-00000000000033832960-3"


@pytest.mark.parametrize(
    ("added", "position"),
    [
        ({"__file": "bin.000002", "__pos": 5, "__row": 1}, "0000-0000000002-00000000000000000005-0000000001-4"),
        ({"__source_lsn": 7}, "0000-00000000000000000007-4"),
        ({"__commit_lsn": "00000027:00000758:0005", "__change_lsn": "00000027:00000758:0003"},
         "0000-00000027000007580005-00000027000007580003-0000000000-4"),
        ({"__scn": "12"}, f"0000-{'12'.zfill(20)}-{'12'.zfill(20)}-{'0' * 30}-{'0' * 10}-4"),
    ],
)  # fmt: skip
def test_the_position_is_read_from_the_fields_that_are_there(
    decoding: Any, added: dict[str, Any], position: str
) -> None:
    (change,) = decoding("debezium", "public.t")(ROW | {"__op": "u"} | added)
    assert change.position[:-12] == position


def test_without_a_position_field_the_reject_says_which_to_add(decoding: Any) -> None:
    (refused,) = decoding("debezium", "public.t")(ROW | {"__op": "u"})
    assert (refused.reason, "add.fields" in refused.detail) == ("unreadable position", True)


def test_a_bare_row_needs_configured_columns_or_arrival(decoding: Any) -> None:
    assert decoding("debezium", "public.t")(ROW)[0].reason == "unknown shape"
    (by_column,) = decoding("debezium", "public.t", position=["order_date"])(ROW)
    (by_arrival,) = decoding("debezium", "public.t", position="arrival")(ROW)
    assert by_column.position[:-12] == "0000-n0516850-4"
    assert by_arrival.position[:-12] == "0000-00001700000000000000-00000000000000000007-4"
    assert by_column.after == {"id": "10003", "order_date": "16850", "quantity": "2"}


def test_added_fields_may_be_position_columns_and_are_no_columns_of_the_table(decoding: Any) -> None:
    (change,) = decoding("debezium", "public.t", position=["__source_ts_ms", "__lsn"])(ROW | ADDED)
    assert change.position[:-12] == "0000-n131596309876678-n0833832960-4"
    assert set(change.after) == set(ROW)


def test_a_null_value_is_the_delete_in_tombstone_mode_and_needs_arrival_order(decoding: Any) -> None:
    by_arrival = decoding("debezium", "public.t", position="arrival", delete_mode="tombstone")
    (change,) = by_arrival(None, {"id": 5})
    assert (change.table, change.op, change.after) == ("public.t", "delete", {"id": "5"})
    assert by_arrival(None, None)[0].reason == "no key"
    by_lsn = decoding("debezium", "public.t", delete_mode="tombstone")
    assert by_lsn(None, {"id": 5})[0].reason == "unreadable position"
    assert decoding("debezium", "public.t")(None, {"id": 5}) == [Ignored("tombstone")]


@pytest.mark.parametrize(
    ("added", "stream", "table"),
    [
        ({"__table": "t"}, "shop.public.t", "public.t"),
        ({"__table": "t", "__schema": "s"}, "any", "s.t"),
        ({"__table": "t", "__db": "d"}, "any", "d.t"),
        ({"__table": "t"}, "any", "t"),
        ({}, "shop.public.t", "public.t"),
        ({}, "orders", "orders"),
    ],
)
def test_the_table_is_named_by_added_fields_or_the_topic(
    decoding: Any, added: dict[str, Any], stream: str, table: str
) -> None:
    (change,) = decoding("debezium", position="arrival")(ROW | {"__op": "u"} | added, stream=stream)
    assert change.table == table


def test_markers_and_unknown_operations_hold_for_flattened_rows(decoding: Any) -> None:
    decode = decoding("debezium", "public.t")
    (change,) = decode(ROW | ADDED | {"__table": "t", "note": "__debezium_unavailable_value"})
    assert change.sent == ("id", "order_date", "quantity")
    assert decode(ROW | ADDED | {"__op": "z"})[0].reason == "unknown operation"
    assert decode(ROW | ADDED | {"__op": "t"})[0].op == "truncate"
