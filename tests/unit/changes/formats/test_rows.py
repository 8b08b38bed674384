from typing import Any

import pytest

from headrace.changes.envelope import Change, Ignored, Reject

OPERATION = {"column": "operation", "delete": ["DELETE"], "truncate": ["TRUNCATE"]}


@pytest.fixture
def decode(decoding: Any) -> Any:
    return decoding("json", key=("userId",), position=["sequenceNum"], operation=OPERATION)


@pytest.mark.parametrize("raw", [b"[", b'{"userId": 1},', b" },\n", b'  "name": "a",', b"]", b'{"a": {', b"]}"])
def test_a_line_of_an_array_over_many_lines_is_told_as_that(decode: Any, raw: bytes) -> None:
    (refused,) = decode(raw)
    assert refused.reason == "not JSON"
    assert ("write one object a line (`jq -c '.[]'`)" in refused.detail) == (raw != b"]}")


def test_a_row_is_an_upsert_with_learned_types(decode: Any) -> None:
    raw = b'{"userId": 1, "name": "Ann\xc3\xa9", "rate": 1.50, "tags": ["a"], "x": null, "sequenceNum": 5}'
    assert decode(raw) == [
        Change(
            table="",
            op="upsert",
            position="0000-n015-4b1bfa3a8b54e",
            after={"userId": "1", "name": "Anné", "rate": "1.50", "tags": '["a"]', "x": None, "sequenceNum": "5"},
            types={
                "userId": "bigint",
                "name": "string",
                "rate": "double",
                "tags": "array<string>",
                "sequenceNum": "bigint",
            },
        )
    ]


@pytest.mark.parametrize(
    ("row", "op", "after"),
    [
        ({"userId": 1, "operation": "INSERT", "sequenceNum": 5}, "upsert", {"userId", "operation", "sequenceNum"}),
        ({"userId": 1, "sequenceNum": 5}, "upsert", {"userId", "sequenceNum"}),
        ({"userId": 1, "name": "x", "operation": "DELETE", "sequenceNum": 5}, "delete", {"userId"}),
        ({"operation": "TRUNCATE", "sequenceNum": 5}, "truncate", set()),
    ],
)
def test_the_operation_column_says_what_happened(decode: Any, row: dict[str, Any], op: str, after: set[str]) -> None:
    (change,) = decode(row)
    assert (change.op, set(change.after)) == (op, after)


@pytest.mark.parametrize(("value", "listed"), [(True, "true"), (1, "1"), ("D", "D"), (1.0, "1.0")])
def test_operation_values_compare_as_text(decoding: Any, value: Any, listed: str) -> None:
    decode = decoding("json", position=["n"], operation={"column": "gone", "delete": [listed]})
    assert decode({"id": 1, "gone": value, "n": 1})[0].op == "delete"


def test_with_upserts_listed_any_other_operation_is_refused(decoding: Any) -> None:
    decode = decoding("json", position=["n"], operation=OPERATION | {"upsert": ["INSERT", "UPDATE"]})
    assert decode({"id": 1, "operation": "UPDATE", "n": 1})[0].op == "upsert"
    for operation in ("MERGE", None):
        assert decode({"id": 1, "operation": operation, "n": 1})[0].reason == "unknown operation"


@pytest.mark.parametrize(
    ("position", "older", "newer"),
    [
        (["n"], {"n": 9}, {"n": 10}),
        (["n"], {"n": "9"}, {"n": "10"}),
        (["n"], {"n": 9.99}, {"n": 10}),
        (["n"], {"n": "2024-01-31T12:00:00+02:00"}, {"n": "2024-01-31T10:00:00.1Z"}),
        (["n"], {"n": "abc"}, {"n": "abd"}),
        (["n", "m"], {"n": 1, "m": "b"}, {"n": 2, "m": "a"}),
        (["n", "m"], {"n": 1, "m": 2}, {"n": 1, "m": 10}),
        ([{"column": "n", "type": "text"}], {"n": "10"}, {"n": "9"}),
    ],
)
def test_configured_columns_order_the_rows(
    decoding: Any, position: Any, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    decode = decoding("json", position=position)
    (one,), (other,) = decode({"id": 1} | older), decode({"id": 1} | newer)
    assert one.position < other.position


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"userId": null, "sequenceNum": 5}', "null key"),
        (b'{"sequenceNum": 5}', "no key"),
        (b'{"operation": "DELETE", "sequenceNum": 5}', "no key"),
        (b'{"userId": 1}', "unreadable position"),
        (b'{"userId": 1, "sequenceNum": null}', "unreadable position"),
        (b'{"userId": 1, "sequenceNum": ""}', "unreadable position"),
        (b"[1]", "unknown shape"),
        (b"5", "unknown shape"),
        (b"null", "unknown shape"),
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b'{"userId": "\xff", "sequenceNum": 5}', "wrong UTF-8"),
        (b'{"userId": 1, "a": 1e999, "sequenceNum": 5}', "incompatible value"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_its_reason(decode: Any, raw: bytes, reason: str) -> None:
    (refused,) = decode(raw)
    assert isinstance(refused, Reject)
    assert refused.reason == reason
    assert "expected" in refused.detail


def test_messages_and_rows_beyond_their_limits_are_refused(decoding: Any) -> None:
    decode = decoding("json", position=["n"], max_message_bytes=100)
    assert decode({"id": 1, "n": 1, "a": "x" * 100})[0].reason == "oversize message"
    assert decode({"id": 1, "n": 1, "a": "x"})[0].op == "upsert"


def test_a_null_message_is_ignored(decode: Any) -> None:
    assert decode(None) == [Ignored("tombstone")]


def test_one_stream_may_carry_several_tables(decoding: Any) -> None:
    decode = decoding("json", "users", position=["n"], table="kind")
    assert decode({"id": 1, "n": 1, "kind": "users"})[0].table == "users"
    assert decode({"id": 1, "n": 1})[0].reason == "unknown shape"


@pytest.mark.parametrize("value", ["2023-11-14T22:13:20Z", 1_700_000_000, 1_700_000_000_000, "1700000000000000"])
def test_the_time_of_change_is_read_in_any_unit(decoding: Any, value: Any) -> None:
    (change,) = decoding("json", position=["n"], changed_at="at")({"id": 1, "n": 1, "at": value})
    assert change.changed_at == 1_700_000_000_000_000


@pytest.mark.parametrize("value", ["soon", None, [], "9" * 5000, -1])
def test_a_time_of_change_that_cannot_be_read_is_left_out(decoding: Any, value: Any) -> None:
    (change,) = decoding("json", position=["n"], changed_at="at")({"id": 1, "n": 1, "at": value})
    assert change.changed_at is None


def test_omitted_columns_may_keep_their_values(decoding: Any) -> None:
    (change,) = decoding("json", position=["n"], omitted="keep")({"id": 1, "n": 1})
    assert change.sent == ("id", "n")


def test_rows_of_a_dump_are_marked(decoding: Any) -> None:
    (change,) = decoding("snapshot", position=["exported_at"])({"id": 1, "exported_at": "2024-01-31"})
    assert (change.snapshot, change.op) == ("dump", "upsert")


def test_arrival_orders_by_time_then_offset(decoding: Any) -> None:
    (change,) = decoding("json", position="arrival")({"id": 1})
    assert change.position[:-12] == "0000-00001700000000000000-00000000000000000007-4"


def test_key_columns_may_have_odd_names(decoding: Any) -> None:
    key = ("a.b", "sp ace", "`tick`", "Select", "ключ")
    row = {column: number for number, column in enumerate(key)} | {"n": 1}
    (change,) = decoding("json", key=key, position=["n"])(row)
    assert [change.after[column] for column in key] == ["0", "1", "2", "3", "4"]


def test_the_same_row_in_another_member_order_is_a_repeat(decode: Any) -> None:
    one, other = decode(b'{"userId":1,"a":2,"sequenceNum":5}'), decode(b'{"sequenceNum": 5, "a": 2, "userId": 1}')
    assert one[0].position == other[0].position
