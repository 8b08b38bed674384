import random
from typing import Any

import pytest

from headrace.changes.envelope import Reject
from headrace.changes.formats.dynamodb import attribute
from headrace.changes.formats.payload import Unusable, json_text, parse


@pytest.fixture
def decode(decoding: Any) -> Any:
    return decoding("dynamodb", "foo")


def test_captured_insert_modify_and_remove(decoding: Any, samples: Any) -> None:
    decode = decoding("dynamodb", "table-testdrive", key=("device", "timestamp"))
    found = [decode(event) for event in samples("dynamodb_kds")["captured_insert_modify_remove"]]
    when = "2024-07-12T01:17:42"
    assert [[(c.op, c.position[:-12], c.changed_at, c.after) for c in changes] for changes in found] == [
        [
            (
                "upsert",
                "0000-00001720740233012995-4",
                1720740233012995,
                {"device": "qux", "timestamp": when, "humidity": "84.84", "temperature": "42.42"},
            )
        ],
        [
            (
                "upsert",
                "0000-00001720742302233719-4",
                1720742302233719,
                {"device": "foo", "timestamp": when, "humidity": "84.84", "temperature": "55.66"},
            )
        ],
        [("delete", "0000-00001720742321848352-3", 1720742321848352, {"device": "foo", "timestamp": when})],
    ]


def test_a_captured_item_of_many_kinds(decode: Any, samples: Any) -> None:
    (change,) = decode(samples("dynamodb_kds")["MSG_MODIFY_NESTED"])
    shown = {column: (change.types.get(column), value) for column, value in change.after.items()}
    assert shown == {
        "id": ("string", "5F9E-Fsadd41C-4C92-A8C1-70BF3FFB9266"),
        "device": ("string", "foo"),
        "tags": ("array<string>", '["foo","bar"]'),
        "empty_map": ("string", "{}"),
        "empty_list": (None, "[]"),
        "timestamp": ("string", "2024-07-12T01:17:42"),
        "string_set": ("array<string>", '["location_1"]'),
        "number_set": ("array<double>", "[0.34,1,2,3]"),
        "binary_set": ("array<binary>", '["U3Vubnk="]'),
        "somemap": ("string", '{"test":1,"test2":2}'),
        "list_of_objects": ("string", '[{"foo":"bar"},{"baz":"qux"}]'),
    }
    assert change.sent is None


@pytest.mark.parametrize(
    ("written", "text", "type_"),
    [
        ('{"S": "x"}', '"x"', "string"),
        ('{"S": null}', "null", None),
        ('{"N": "42"}', "42", "bigint"),
        ('{"N": 42}', "42", "bigint"),
        ('{"N": "42.50"}', "42.50", "double"),
        ('{"N": "1E+3"}', "1000", "bigint"),
        ('{"N": "99999999999999999999999999999999999999"}', "9" * 38, "decimal(38,0)"),
        ('{"N": "1.5E-7"}', "0.00000015", "double"),
        ('{"B": "yv4="}', '"yv4="', "binary"),
        ('{"BOOL": true}', "true", "boolean"),
        ('{"NULL": true}', "null", None),
        ('{"M": {"a": {"N": "1"}, "b": {"L": [{"NULL": true}]}}}', '{"a":1,"b":[null]}', "string"),
        ('{"L": [{"N": "1"}, {"N": "2.5"}]}', "[1,2.5]", "array<double>"),
        ('{"L": [{"N": "1"}, {"S": "a"}]}', '[1,"a"]', "string"),
        ('{"L": [{"L": []}]}', "[[]]", "string"),
        ('{"L": []}', "[]", None),
        ('{"SS": ["b", "a"]}', '["a","b"]', "array<string>"),
        ('{"NS": ["10", "9", "-1"]}', "[-1,9,10]", "array<bigint>"),
        ('{"NS": [3, 0.34]}', "[0.34,3]", "array<double>"),
        ('{"BS": ["yv4=", "AA=="]}', '["AA==","yv4="]', "array<binary>"),
    ],
)
def test_every_kind_of_attribute_value(written: str, text: str, type_: str | None) -> None:
    value, of = attribute(parse(written.encode()))
    assert (json_text(value), of) == (text, type_)


@pytest.mark.parametrize(
    "written",
    ['{"N": "x"}', '{"S": 5}', '{"B": "??"}', '{"BOOL": "true"}', '{"X": 1}', "{}", '{"S": "a", "N": "1"}', "5",
     '{"SS": "a"}', '{"M": []}', '{"L": {"S": "a"}}'],
)  # fmt: skip
def test_a_malformed_attribute_value_is_refused(written: str) -> None:
    with pytest.raises(Unusable) as refused:
        attribute(parse(written.encode()))
    assert refused.value.reason == "incompatible value"


def test_a_set_in_any_order_is_the_same_repeat(decode: Any, samples: Any) -> None:
    event = samples("dynamodb_kds")["MSG_INSERT_BASIC"]
    event["dynamodb"]["NewImage"] |= {"NS": {"NS": [str(n) for n in range(12)]}, "SS": {"SS": list("abcdefg")}}
    first = decode(event)
    random.Random(7).shuffle(event["dynamodb"]["NewImage"]["NS"]["NS"])
    event["dynamodb"]["NewImage"]["SS"]["SS"].reverse()
    assert decode(event) == first


@pytest.mark.parametrize(
    ("created", "precision", "micros"),
    [
        (1720740233012, "MILLISECOND", 1720740233012000),
        (1720740233012995, "MICROSECOND", 1720740233012995),
        (1720740233012, None, 1720740233012000),
        (1720740233012995, None, 1720740233012995),
        (1720740233, None, 1720740233000000),
    ],
)
def test_the_creation_time_honours_its_precision(
    decode: Any, samples: Any, created: int, precision: str | None, micros: int
) -> None:
    event = samples("dynamodb_kds")["MSG_INSERT_BASIC"]
    event["dynamodb"] |= {"ApproximateCreationDateTime": created, "ApproximateCreationDateTimePrecision": precision}
    (change,) = decode(event)
    assert (change.changed_at, change.position[:-12]) == (micros, f"0000-{micros:020d}-4")


def test_an_expired_item_was_deleted_by_ttl(decode: Any, samples: Any) -> None:
    event = samples("dynamodb_kds")["MSG_REMOVE"]
    assert decode(event)[0].initiator is None
    event["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    (change,) = decode(event)
    assert (change.op, change.initiator, set(change.after)) == ("delete", "ttl", {"id"})


def test_the_same_event_twice_is_an_equal_change(decode: Any, samples: Any) -> None:
    event = samples("dynamodb_kds")["MSG_MODIFY_BASIC"]
    assert decode(event) == decode(event)


def test_a_declared_type_holds_for_an_attribute(decoding: Any, samples: Any) -> None:
    decode = decoding("dynamodb", "foo", types={"humidity": "decimal(6,2)", "timestamp": "timestamp"})
    (change,) = decode(samples("dynamodb_kds")["MSG_INSERT_BASIC"])
    assert (change.after["humidity"], change.types["humidity"]) == ("84.84", "decimal(6,2)")
    assert change.types["timestamp"] == "timestamp"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"eventName": "FOOBAR"}, "unknown operation"),
        ({"dynamodb": None}, "unknown shape"),
        ({"tableName": None}, "unknown shape"),
        ({"dynamodb": {"ApproximateCreationDateTime": 1720740233012}}, "unknown shape"),
        ({"dynamodb": {"NewImage": {"id": {"S": "a"}}}}, "unreadable position"),
        ({"dynamodb": {"ApproximateCreationDateTime": "soon", "NewImage": {}}}, "unreadable position"),
        ({"dynamodb": {"ApproximateCreationDateTime": 1720740233012, "NewImage": {"a": {"S": "a"}}}}, "no key"),
        ({"dynamodb": {"ApproximateCreationDateTime": 1720740233012, "NewImage": {"id": {"NULL": True}}}}, "null key"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_by_its_reason(
    decode: Any, samples: Any, changed: dict[str, Any], reason: str
) -> None:
    (refused,) = decode(samples("dynamodb_kds")["MSG_INSERT_BASIC"] | changed)
    assert isinstance(refused, Reject)
    assert refused.reason == reason


def test_the_malformed_samples_are_refused(decode: Any, samples: Any) -> None:
    events = samples("dynamodb_kds")
    assert decode(events["MSG_UNKNOWN_SOURCE"])[0].reason == "unknown shape"
    assert decode(events["MSG_UNKNOWN_EVENT"])[0].reason == "unknown operation"


def test_a_stream_record_names_its_table_in_the_arn(decode: Any, samples: Any) -> None:
    event = samples("dynamodb_kds")["MSG_INSERT_BASIC"]
    del event["tableName"]
    event["eventSourceARN"] = "arn:aws:dynamodb:us-east-1:1:table/foo/stream/2024-07-12T00:00:00.000"
    assert decode(event)[0].table == "foo"
