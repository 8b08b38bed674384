import json
from typing import Any

import pytest

from headrace.changes.envelope import Ignored

JANE = {"age": "31", "attributes": '{"baz": "qux"}', "id": "45", "name": "Jane"}


@pytest.fixture
def decode(decoding: Any) -> Any:
    return decoding("dms", "public.foo")


def record(data: Any, operation: str = "update", **members: Any) -> dict[str, Any]:
    about = {
        "record-type": "data",
        "operation": operation,
        "schema-name": "public",
        "table-name": "foo",
        "commit-timestamp": "2024-07-29T00:58:17.974340Z",
        "transaction-id": 1139,
        "transaction-record-id": 1,
    }
    return {"data": data, "metadata": about | members.pop("metadata", {})} | members


@pytest.mark.parametrize(
    ("name", "op", "position", "changed_at"),
    [
        ("MSG_DATA_LOAD", "upsert", f"0000-{'0' * 20}-{'0' * 20}-{'0' * 10}-1", None),
        ("MSG_DATA_INSERT", "upsert", "0000-00001722214697974340-00000000000000001139-0000000001-4", 1722214697974340),
        ("MSG_DATA_UPDATE_VALUE", "upsert", "0000-00001722214724886717-00000000000000001140-0000000001-4",
         1722214724886717),
        ("MSG_DATA_DELETE", "delete", "0000-00001722215365366257-00000000000000001144-0000000001-3", 1722215365366257),
    ],
)  # fmt: skip
def test_captured_data_records(
    decode: Any, samples: Any, name: str, op: str, position: str, changed_at: int | None
) -> None:
    (change,) = decode(samples("dms_kinesis_kafka")[name])
    assert (change.table, change.op, change.position[:-12], change.changed_at) == (
        "public.foo", op, position, changed_at,
    )  # fmt: skip


def test_a_load_row_is_the_full_row(decode: Any, samples: Any) -> None:
    (change,) = decode(samples("dms_kinesis_kafka")["MSG_DATA_LOAD"])
    assert change.after == {"age": "30", "attributes": '{"foo": "bar"}', "id": "42", "name": "John"}
    assert change.types == {"age": "bigint", "attributes": "string", "id": "bigint", "name": "string"}
    assert change.sent is None


def test_a_delete_whose_other_columns_are_null_keeps_the_key(decode: Any, samples: Any) -> None:
    (change,) = decode(samples("dms_kinesis_kafka")["MSG_DATA_DELETE"])
    assert (change.after, change.types, change.transaction) == ({"id": "45"}, {"id": "bigint"}, "1144")


def test_a_key_change_in_one_record_is_a_delete_and_an_upsert(decode: Any, samples: Any) -> None:
    old, new = decode(samples("dms_kinesis_kafka")["MSG_DATA_UPDATE_PK"])
    assert (old.op, old.after, old.position[:-13]) == ("delete", {"id": "46"}, new.position[:-13])
    assert (new.op, new.after, new.moved_from) == ("upsert", JANE, {"id": "46"})


def test_a_before_image_of_one_column_of_a_composite_key_completes_itself_from_the_row(decoding: Any) -> None:
    decode = decoding("dms", "public.foo", key=("a", "b"))
    old, new = decode(record({"a": 1, "b": 3}) | {"before-image": {"b": 2}})
    assert (old.after, new.after, new.moved_from) == ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1", "b": "2"})


def test_prefixed_before_image_columns_are_taken_out_of_the_row(decoding: Any, samples: Any) -> None:
    events = samples("dms_kinesis_kafka")["BEFORE_IMAGE_COLUMNS_BI_PREFIX"]
    assert {decoding("dms", "test.product")(event)[0].reason for event in events} == {"unreadable position"}
    decode = decoding("dms", "test.product", position="arrival")
    found = [decode(event) for event in events]
    assert [[(one.op, one.after["id"]) for one in changes] for changes in found] == [
        [("upsert", "105")], [("delete", "101")], [("upsert", "105")], [("upsert", "107")],
    ]  # fmt: skip
    assert found[2][0].after == {
        "id": "105",
        "name": "hammer",
        "description": "14oz carpenter's hammer",
        "weight": "0.875",
        "address": "Beijing",
    }
    events[2]["data"]["BI_id"] = 104
    old, new = decode(events[2])
    assert (old.op, old.after, new.moved_from) == ("delete", {"id": "104"}, {"id": "104"})


def test_a_column_that_merely_starts_like_the_prefix_stays(decode: Any) -> None:
    for operation in ("insert", "update"):
        (change,) = decode(record({"id": 1, "BI_score": 5}, operation))
        assert change.after == {"id": "1", "BI_score": "5"}


@pytest.mark.parametrize(
    ("written", "text", "type_"),
    [
        (b"1.2345678901234568E+17", "123456789012345680", "bigint"),
        (b"-1.2345678901234568E+17", "-123456789012345680", "bigint"),
        (b"9.9E+18", "9900000000000000000", "decimal(38,0)"),
        (b"1.5E+3", "1500", "double"),
        (b"1.5", "1.5", "double"),
        (b"12345678901234567", "12345678901234567", "bigint"),
    ],
)
def test_a_bigint_in_scientific_notation_is_a_whole_number(decode: Any, written: bytes, text: str, type_: str) -> None:
    raw = json.dumps(record({"id": 1, "n": "#"})).encode().replace(b'"#"', written)
    (change,) = decode(raw)
    assert (change.after["n"], change.types["n"]) == (text, type_)


def test_omitted_columns_are_null_or_kept_as_configured(decoding: Any) -> None:
    event = record({"id": 1, "a": None})
    (full,) = decoding("dms", "public.foo")(event)
    (part,) = decoding("dms", "public.foo", omitted="keep")(event)
    assert (full.sent, part.sent) == (None, ("id", "a"))


def test_control_records_and_housekeeping_tables_are_ignored(decode: Any, samples: Any) -> None:
    events = samples("dms_kinesis_kafka")
    for name in ("MSG_CONTROL_DROP_TABLE", "MSG_CONTROL_CREATE_TABLE", "KINESIS_DMS_CDC_CREATE_TABLE",
                 "DOC_CONTROL_CREATE_TABLE"):  # fmt: skip
        (found,) = decode(events[name])
        assert (type(found), found.why) == (Ignored, "control record")
    (found,) = decode(events["MSG_CONTROL_AWSDMS"])
    assert found == Ignored("DMS housekeeping table", "awsdms_apply_exceptions")


def test_records_captured_on_kinesis_with_further_members_are_understood(decoding: Any, samples: Any) -> None:
    events = samples("dms_kinesis_kafka")
    for name, id_ in (("KINESIS_DMS_CDC_INSERT_BASIC", "393"), ("KINESIS_DMS_CDC_INSERT_SECOND", "394")):
        (change,) = decoding("dms", "public.demo")(events[name])
        assert (change.op, change.after["id"], change.after["attributes"]) == ("upsert", id_, None)
    (change,) = decoding("dms", "sbtest.sbtest_x")(events["DOC_DATA_ALL_METADATA_MYSQL"])
    assert change.position[:-12] == "0000-00001572562435000000-00000009324410911751-0000000001-4"


def test_a_truncate_control_record_is_never_lost_silently(decode: Any) -> None:
    about = {"record-type": "control", "operation": "truncate-table"}
    (change,) = decode(record(None, metadata=about))
    assert change.op == "truncate"
    (refused,) = decode(record(None, metadata=about | {"commit-timestamp": None}))
    assert refused.reason == "unreadable position"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"unknown": "foo:bar"}, "unknown shape"),
        ({"control": {}, "metadata": {"operation": "insert"}}, "unknown shape"),
        ({"control": {}, "metadata": {"operation": "FOOBAR", "schema-name": "public", "table-name": "foo"}},
         "unknown operation"),
        (record(None), "unknown shape"),
        (record({"name": "x"}), "no key"),
        (record({"id": None}), "null key"),
        (record({"id": 1}, metadata={"commit-timestamp": "yesterday"}), "unreadable position"),
        (record({"id": 1}, metadata={"transaction-record-id": None}), "unreadable position"),
        (record({"id": 1}, metadata={"transaction-id": "x"}), "unreadable position"),
        ([], "unknown shape"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_used_is_refused_by_its_reason(decode: Any, event: Any, reason: str) -> None:
    (refused,) = decode(event)
    assert refused.reason == reason


def test_the_position_reject_says_what_to_set(decode: Any) -> None:
    (refused,) = decode(record({"id": 1}, metadata={"commit-timestamp": None}))
    assert "IncludeTransactionDetails" in refused.detail
    assert "position: arrival" in refused.detail


def test_records_of_one_transaction_order_by_their_number(decode: Any) -> None:
    found = [decode(record({"id": 1}, metadata={"transaction-record-id": n}))[0].position for n in (2, 9, 10, 100)]
    assert found == sorted(found)
