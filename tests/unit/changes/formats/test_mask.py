import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.changes.formats.mask import masked

SECRET = "s3cret@example.org"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"id": 1, "email": SECRET}, {"id": 1, "email": None}),
        (
            {"before": {"email": SECRET}, "after": {"id": 1, "email": SECRET}, "op": "u", "source": {"lsn": 5}},
            {"before": {"email": None}, "after": {"id": 1, "email": None}, "op": "u", "source": {"lsn": 5}},
        ),
        (
            {"schema": {"fields": [{"field": "email"}]}, "payload": {"after": {"email": SECRET}}},
            {"schema": {"fields": [{"field": "email"}]}, "payload": {"after": {"email": None}}},
        ),
        (
            {"data": {"email": SECRET, "BI_email": SECRET}, "before-image": {"email": SECRET}, "metadata": {"a": 1}},
            {"data": {"email": None, "BI_email": None}, "before-image": {"email": None}, "metadata": {"a": 1}},
        ),
        (
            {"Keys": {"id": {"S": "1"}}, "NewImage": {"email": {"S": SECRET}}, "OldImage": {"email": {"S": SECRET}}},
            {"Keys": {"id": {"S": "1"}}, "NewImage": {"email": {"NULL": True}}, "OldImage": {"email": {"NULL": True}}},
        ),
        (
            {"after": json.dumps({"_id": 1, "email": SECRET}), "op": "u"},
            {"after": '{"_id":1,"email":null}', "op": "u"},
        ),
        (
            {"updateDescription": {"updatedFields": json.dumps({"email": SECRET, "email.home": SECRET, "a": 1})}},
            {"updateDescription": {"updatedFields": '{"email":null,"email.home":null,"a":1}'}},
        ),
        (
            {"after": {"id": 1}, "op": "c", "source": {"db": "d", "query": f"INSERT INTO t VALUES ('{SECRET}')"}},
            {"after": {"id": 1}, "op": "c", "source": {"db": "d", "query": None}},
        ),
        ({"Message": json.dumps({"email": SECRET})}, {"Message": '{"email":null}'}),
        ({"somewhere": [{"deep": {"email": SECRET}}]}, {"somewhere": [{"deep": {"email": None}}]}),
    ],
)  # fmt: skip
def test_a_column_is_masked_wherever_a_row_image_stands(message: Any, expected: Any) -> None:
    assert json.loads(masked(json.dumps(message).encode(), ["email"])) == expected


def test_capitals_and_small_letters_are_the_same() -> None:
    message = {"EMail": SECRET, "bi_EMAIL": SECRET, "after": json.dumps({"Email.home": SECRET}), "ID": 1}
    hidden = {"EMail": None, "bi_EMAIL": None, "after": '{"Email.home":null}', "ID": 1}
    assert json.loads(masked(json.dumps(message).encode(), ["eMAIL", "id"], keys=["Id"])) == hidden


@pytest.mark.parametrize(
    "raw", [b"", b"email=x", b'{"email": "s3cret', b'"s3cret"', b"\xff", b'{"a":"\xff"}', b"[" * 9999]
)
def test_what_is_no_json_object_cannot_be_masked_and_is_left_out(raw: bytes) -> None:
    assert masked(raw, ["email"]) == b""


def test_a_name_written_with_escapes_is_the_same_name() -> None:
    inside = json.dumps({"adresse": 1, "prénom": SECRET})
    assert "\\u" in inside
    assert (
        json.loads(masked(json.dumps({"after": inside}).encode(), ["prénom"]))["after"] == '{"adresse":1,"prénom":null}'
    )


def test_json_in_text_that_cannot_be_read_is_left_out() -> None:
    raw = json.dumps({"after": '{"email": "s3cret', "id": 1}).encode()
    assert json.loads(masked(raw, ["email"])) == {"after": None, "id": 1}


def test_key_columns_stay() -> None:
    raw = b'{"id":1,"email":"x"}'
    assert masked(raw, ["id", "email"], keys=["id"]) == b'{"id":1,"email":null}'


def test_without_columns_the_message_stays_as_it_is() -> None:
    assert masked(b"any \xff bytes", []) == b"any \xff bytes"
    assert masked(b"any", ["id"], keys=["id"]) == b"any"


def test_the_place_a_debezium_event_comes_from_stays_whatever_the_columns_are_called() -> None:
    raw = b'{"after":{"table":"x","lsn":1.50},"source":{"table":"t","lsn":5},"op":"c"}'
    assert masked(raw, ["table"]) == b'{"after":{"table":null,"lsn":1.50},"source":{"table":"t","lsn":5},"op":"c"}'


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "email", "after"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["data", "after", "email", "payload"]), documents))
def test_no_value_under_a_masked_name_survives(message: dict[str, Any]) -> None:
    def held(value: Any) -> bool:
        if isinstance(value, dict):
            return any(one is not None if name == "email" else held(one) for name, one in value.items())
        return isinstance(value, list) and any(held(one) for one in value)

    result = json.loads(masked(json.dumps(message).encode(), ["email"]))
    attributes = json.loads(json.dumps(result).replace('{"NULL": true}', "null"))
    assert not held(attributes)
