import json
from typing import Any

import pytest

from headrace.changes.envelope import Ignored
from headrace.changes.formats.extended_json import plain
from headrace.changes.formats.payload import parse

SOURCE = {"connector": "mongodb", "db": "inventory", "collection": "customers", "ts_ms": 1558965508000, "ord": 1}
KEY = {"id": '{"$oid": "67ab25755c0d5ac87eb8c632"}'}
OID = "67ab25755c0d5ac87eb8c632"


def event(op: str, **members: Any) -> dict[str, Any]:
    return {"op": op, "source": SOURCE} | {
        name: json.dumps(value) if name in ("after", "before") and value is not None else value
        for name, value in members.items()
    }


def patch(updated: dict[str, Any] | None = None, removed: Any = None, truncated: Any = None) -> dict[str, Any]:
    fields = json.dumps(updated) if updated is not None else None
    return {"updatedFields": fields, "removedFields": removed, "truncatedArrays": truncated}


@pytest.fixture
def decode(decoding: Any) -> Any:
    return decoding("debezium", "inventory.customers", key=("_id",))


def test_the_documented_events_of_mongodb(decode: Any, samples: Any) -> None:
    events = samples("debezium_mongodb")
    key = events["key_with_schema"]
    create, update, delete = (decode(events[name], key) for name in ("create_c_with_schema", "update_u", "delete_d"))
    assert [(c.op, c.position[:-12], c.after, c.sent, c.types["_id"]) for c in create] == [
        (
            "upsert",
            # The page shows nanoseconds in ts_ms.
            "0000-00000001558965508000-0000000031-0000000000-4",
            {"_id": "1004", "first_name": "Anne", "last_name": "Kretchmar", "email": "annek@noanswer.org"},
            None,
            "bigint",
        )
    ]
    assert [(c.op, c.position[:-12], c.after, c.sent) for c in update] == [
        (
            "upsert",
            "0000-00000001558965508000-0000000001-0000000000-4",
            {"_id": "1004", "first_name": "Anne Marie"},
            ("_id", "first_name"),
        )
    ]
    assert [(c.op, c.position[:-12], c.after) for c in delete] == [
        ("delete", "0000-00000001558965508000-0000000006-0000000000-3", {"_id": "1004"})
    ]
    assert [decode(one) for one in events["transaction_topic"]] == [[Ignored("transaction marker")]] * 2


def test_captured_pairs_of_mongodb(decoding: Any, samples: Any) -> None:
    pairs = samples("debezium_captured")["mongodb_key_value_pairs_insert_update_delete"]
    decode = decoding("debezium", "bigdata_test.sync_test_table", key=("_id",))
    found = [decode(value, key)[0] for key, value in zip(pairs[::2], pairs[1::2], strict=True)]
    assert [(one.op, one.after.get("tags"), one.after["_id"]) for one in found] == [
        ("upsert", '["pending"]', OID),
        ("upsert", '["succeed"]', OID),
        ("upsert", '["succeed"]', OID),
        ("delete", None, OID),
        ("delete", None, OID),
        ("delete", None, OID),
    ]
    assert found[0].types == {
        "_id": "string",
        "created_at": "bigint",
        "created_by": "string",
        "tags": "array<string>",
        "updated_at": "timestamp",
    }
    assert found[0].after["updated_at"] == "2025-02-13T14:01:37.970000Z"


@pytest.mark.parametrize(
    ("written", "value", "type_"),
    [
        ('{"$oid": "67ab25755c0d5ac87eb8c632"}', OID, "string"),
        ('{"$numberLong": "9007199254740993"}', 9007199254740993, "bigint"),
        ('{"$numberInt": "-5"}', -5, "bigint"),
        ('{"$numberDouble": "NaN"}', "NaN", "double"),
        ('{"$numberDecimal": "12.500"}', "12.500", "string"),
        ('{"$numberDecimal": "1.5E+3"}', "1500", "string"),
        ('{"$numberDecimal": "1E+6000"}', "1E+6000", "string"),
        ('{"$numberDecimal": "Infinity"}', "Infinity", "string"),
        ('{"$date": 1739455297970}', "2025-02-13T14:01:37.970000Z", "timestamp"),
        ('{"$date": "2025-02-13T14:01:37.97Z"}', "2025-02-13T14:01:37.97Z", "timestamp"),
        ('{"$date": {"$numberLong": "-1000"}}', "1969-12-31T23:59:59Z", "timestamp"),
        ('{"$binary": {"base64": "yv4=", "subType": "00"}}', "yv4=", "binary"),
        ('{"$binary": "yv4=", "$type": "00"}', "yv4=", "binary"),
        ('{"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "04"}}',
         "00112233-4455-6677-8899-aabbccddeeff", "string"),
        ('{"$uuid": "00112233-4455-6677-8899-aabbccddeeff"}', "00112233-4455-6677-8899-aabbccddeeff", "string"),
        ('{"$timestamp": {"t": 1, "i": 2}}', {"$timestamp": {"t": 1, "i": 2}}, "string"),
        ('{"a": {"$numberLong": "1"}, "b": [{"$oid": "x"}]}', {"a": 1, "b": ["x"]}, "string"),
        ('[{"$numberLong": "1"}, 2]', [1, 2], "array<bigint>"),
        ('[{"$date": 0}]', ["1970-01-01T00:00:00Z"], "array<timestamp>"),
        ('[{"$oid": "x"}, null, "y"]', ["x", None, "y"], "array<string>"),
        ('[1, "a"]', [1, "a"], "string"),
        ('[{"a": 1}]', [{"a": 1}], "string"),
        ("[]", [], None),
        ("null", None, None),
        ("true", True, "boolean"),
    ],
)  # fmt: skip
def test_extended_json_becomes_plain_values(written: str, value: Any, type_: str | None) -> None:
    assert plain(parse(written.encode())) == (value, type_)


def test_an_update_sends_the_members_it_changed_and_nulls_for_those_it_removed(decode: Any) -> None:
    update = event("u", updateDescription=patch({"name": "Anne", "age": 7}, removed=["email"]), after=None)
    (change,) = decode(update, KEY)
    assert change.after == {"_id": OID, "email": None, "name": "Anne", "age": "7"}
    assert change.sent == ("_id", "email", "name", "age")


def test_a_change_inside_a_member_takes_the_whole_member_from_after(decode: Any) -> None:
    described = patch({"address.city": "Bern"}, removed=["tags.0"], truncated=[{"field": "log", "newSize": 1}])
    full = {"_id": {"$oid": OID}, "address": {"city": "Bern", "zip": 1}, "tags": ["b"], "log": [1], "name": "Anne"}
    (change,) = decode(event("u", updateDescription=described, after=full), KEY)
    assert change.after == {"_id": OID, "address": '{"city":"Bern","zip":1}', "tags": '["b"]', "log": "[1]"}
    (refused,) = decode(event("u", updateDescription=described, after=None), KEY)
    assert (refused.reason, "change_streams_update_full" in refused.detail) == ("unresolved patch", True)


def test_an_update_without_a_description_is_the_full_document(decode: Any) -> None:
    (change,) = decode(event("u", updateDescription=None, after={"_id": {"$oid": OID}, "name": "Anne"}), KEY)
    assert (change.after, change.sent) == ({"_id": OID, "name": "Anne"}, None)
    (refused,) = decode(event("u", updateDescription=None, after=None), KEY)
    assert refused.reason == "unresolved patch"


def test_changes_of_one_transaction_keep_their_order(decode: Any) -> None:
    found = []
    for place in (9, 10, 11):
        one = event("u", updateDescription=patch({"n": 20 - place}), transaction={"id": "t", "total_order": place})
        found.append(decode(one, KEY)[0].position)
    assert found == sorted(found)


@pytest.mark.parametrize("key", [{"id": '"text id"'}, {"id": "text id"}, {"payload": {"id": '"text id"'}}])
def test_an_id_is_read_from_the_key(decode: Any, key: Any) -> None:
    (change,) = decode(event("d"), key)
    assert change.after == {"_id": "text id"}


def test_a_delete_without_any_id_is_refused(decode: Any) -> None:
    assert decode(event("d"))[0].reason == "no key"
    (change,) = decode(event("d", before={"_id": 5, "name": "x"}))
    assert change.after == {"_id": "5"}


@pytest.mark.parametrize("after", ["{", "[1]", "5", '"x"'])
def test_an_image_that_is_no_document_is_refused(decode: Any, after: str) -> None:
    (refused,) = decode({"op": "c", "source": SOURCE, "after": after}, KEY)
    assert refused.reason in ("not JSON", "unknown shape")


def test_declared_types_hold_for_documents(decoding: Any) -> None:
    types = {"born": "date", "seen": "timestamp from millis"}
    decode = decoding("debezium", "inventory.customers", key=("_id",), types=types)
    document = {"_id": 1, "born": {"$date": 0}, "seen": {"$numberLong": "1700000000000"}}
    (change,) = decode(event("c", after=document))
    assert change.after == {"_id": "1", "born": "1970-01-01T00:00:00Z", "seen": "1700000000000000"}
    assert change.types == {"_id": "bigint", "born": "date", "seen": "timestamp"}
