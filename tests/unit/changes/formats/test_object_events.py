from typing import Any

import pytest

from headrace.changes.envelope import Ignored


@pytest.fixture
def decode(decoding: Any) -> Any:
    return decoding("objects", key=("bucket", "key"))


def test_the_documented_notification(decode: Any, samples: Any) -> None:
    (change,) = decode(samples("s3_events")["notification_put"])
    assert (change.table, change.op, change.position[:-12]) == ("", "upsert", "0000-0055AED6DCD90281E500000000000000-4")
    assert change.after == {
        "bucket": "mybucket",
        "key": "HappyFace.jpg",
        "size": "1024",
        "etag": "d41d8cd98f00b204e9800998ecf8427e",
        "version_id": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
        "event": "ObjectCreated:Put",
        "url": "s3://mybucket/HappyFace.jpg",
    }
    assert change.types["size"] == "bigint"


def test_the_documented_eventbridge_events(decode: Any, samples: Any) -> None:
    found = [decode(event) for event in samples("s3_events")["eventbridge"]]
    assert found[3] == [Ignored("object unchanged")]
    thing = {"bucket": "DOC-EXAMPLE-BUCKET1", "key": "example-key"}
    assert [[(c.op, c.position[:-12], c.changed_at) for c in changes] for changes in found[:3]] == [
        [("upsert", "0000-617F08299329D1890000000000000000-4", 1636675200000000)],
        [("delete", "0000-617F0837B476E4630000000000000000-3", 1636675200000000)],
        [("delete", "0000-617B3980000000000000000000000000-3", 1636675200000000)],
    ]
    assert found[0][0].after["version_id"] == "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
    assert [changes[0].after for changes in found[1:3]] == [thing, thing]


def test_the_test_message_is_ignored(decode: Any, samples: Any) -> None:
    assert decode(samples("s3_events")["notification_test_message"]) == [Ignored("test message")]


@pytest.mark.parametrize(
    ("written", "key"),
    [("a+b/c%2Bd.txt", "a b/c+d.txt"), ("r%C3%A9sum%C3%A9.pdf", "résumé.pdf"), ("plain.txt", "plain.txt")],
)
def test_notification_keys_are_url_decoded_and_eventbridge_keys_are_not(
    decode: Any, samples: Any, written: str, key: str
) -> None:
    event = samples("s3_events")["notification_put"]
    event["Records"][0]["s3"]["object"]["key"] = written
    assert decode(event)[0].after["key"] == key
    other = samples("s3_events")["eventbridge"][0]
    other["detail"]["object"]["key"] = written
    assert decode(other)[0].after["key"] == written


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("ObjectCreated:CompleteMultipartUpload", "upsert"),
        ("s3:ObjectCreated:Copy", "upsert"),
        ("ObjectRemoved:Delete", "delete"),
        ("ObjectRemoved:DeleteMarkerCreated", "delete"),
        ("LifecycleExpiration:Delete", "delete"),
    ],
)
def test_events_by_name(decode: Any, samples: Any, name: str, op: str) -> None:
    event = samples("s3_events")["notification_put"]
    event["Records"][0]["eventName"] = name
    assert decode(event)[0].op == op


@pytest.mark.parametrize("name", ["ObjectRestore:Completed", "ObjectTagging:Put", "ObjectAcl:Put", "Replication:Done"])
def test_events_that_leave_the_object_as_it_is_are_ignored(decode: Any, samples: Any, name: str) -> None:
    event = samples("s3_events")["notification_put"]
    event["Records"][0]["eventName"] = name
    del event["Records"][0]["s3"]["object"]["sequencer"]
    assert decode(event) == [Ignored("object unchanged")]


def test_one_bad_record_of_a_message_does_not_stop_the_others(decode: Any, samples: Any) -> None:
    event = samples("s3_events")["notification_put"]
    broken = {**event["Records"][0], "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}
    found = decode({"Records": [broken, event["Records"][0], 5]})
    assert [getattr(one, "reason", None) or one.op for one in found] == [
        "unreadable position", "upsert", "unknown shape",
    ]  # fmt: skip


def test_a_table_may_be_keyed_by_url(decoding: Any, samples: Any) -> None:
    (change,) = decoding("objects", key=("url",))(samples("s3_events")["eventbridge"][1])
    assert change.after == {"url": "s3://DOC-EXAMPLE-BUCKET1/example-key"}


@pytest.mark.parametrize("event", [{}, [], {"Records": 5}, {"detail": {}}, {"detail-type": "Object Created"}, 5])
def test_other_shapes_are_refused(decode: Any, event: Any) -> None:
    assert decode(event)[0].reason == "unknown shape"


def test_a_key_that_is_not_utf8_after_decoding_is_refused(decode: Any, samples: Any) -> None:
    event = samples("s3_events")["notification_put"]
    event["Records"][0]["s3"]["object"]["key"] = "%FF"
    assert decode(event)[0].reason == "wrong UTF-8"
