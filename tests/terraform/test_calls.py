"""The judge of roles is judged: what it must refuse, and what it must call unused."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from terraform.calls import Call, allowed, calls_of, idle

STREAM, BUCKET = "arn:aws:kinesis:eu-west-1:1:stream/a", "arn:aws:s3:::b"
CALLS = {
    Call("kinesis:GetRecords", STREAM), Call("kinesis:ListShards", STREAM), Call("s3:GetObject", f"{BUCKET}/x/1"),
    Call("s3:GetObject", f"{BUCKET}/y/1"), Call("cloudwatch:PutMetricData", "*"),
}  # fmt: skip


def policy() -> dict[str, Any]:
    """What those calls need, and no more."""
    return {
        "Statement": [
            statement("Read", ["kinesis:GetRecords", "kinesis:ListShards"], STREAM),
            statement("X", "s3:GetObject", f"{BUCKET}/x/*"), statement("Y", ["s3:GetObject"], [f"{BUCKET}/y/*"]),
            statement("Measure", "cloudwatch:PutMetricData", "*"),
        ]
    }  # fmt: skip


def statement(sid: str, action: Any, resource: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def refused(document: dict[str, Any]) -> set[str]:
    return {call.action for call in CALLS if not allowed(call, document)}


def test_a_role_that_fits_has_nothing_refused_and_nothing_unused() -> None:
    assert (refused(policy()), idle(CALLS, policy())) == (set(), set())


@pytest.mark.parametrize("at", range(4))
def test_without_any_statement_a_call_is_refused(at: int) -> None:
    document = policy()
    del document["Statement"][at]
    assert refused(document)


def test_without_an_action_or_on_another_resource_it_is_refused() -> None:
    document = policy()
    document["Statement"][0]["Action"].remove("kinesis:ListShards")
    assert refused(document) == {"kinesis:ListShards"}
    document["Statement"][0]["Resource"] = f"{STREAM}-b"
    assert refused(document) == {"kinesis:GetRecords", "kinesis:ListShards"}


def test_an_action_that_nothing_needs_of_a_statement_is_named() -> None:
    document = policy()
    document["Statement"][0]["Action"].append("kinesis:PutRecord")
    document["Statement"].append(statement("Z", "s3:GetObject", f"{BUCKET}/z/*"))
    document["Statement"].append(statement("Other", "kinesis:GetRecords", f"{STREAM}-b"))
    unused = {("Read", "kinesis:PutRecord"), ("Z", "s3:GetObject"), ("Other", "kinesis:GetRecords")}
    assert idle(CALLS, document) == unused


def test_what_a_statement_denies_is_refused_though_another_allows_it_and_is_not_called_unused() -> None:
    document = policy()
    document["Statement"].append(statement("Not", "s3:GetObject", f"{BUCKET}/x/*") | {"Effect": "Deny"})
    document["Statement"].append(statement("Never", "s3:PutObject", f"{BUCKET}/x/*") | {"Effect": "Deny"})
    assert [call for call in sorted(CALLS) if not allowed(call, document)] == [Call("s3:GetObject", f"{BUCKET}/x/1")]
    assert idle(CALLS, document) == set()


def test_a_message_to_a_topic_is_told_with_the_topic() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:headrace-shop-alarms"
    entry = {
        "headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260102/eu-west-1/sns/aws4_request, Signed=x"},
        "body": urlencode({"Action": "Publish", "TopicArn": topic, "Message": "m"}), "body_encoded": False,
        "method": "POST", "url": "http://127.0.0.1:1/",
    }  # fmt: skip
    assert list(calls_of(entry, {})) == [Call("sns:Publish", topic)]


@pytest.mark.parametrize(
    ("service", "target", "asked", "call"),
    [
        (
            "dynamodb", "DynamoDB_20120810.PutItem", {"TableName": "people", "Item": {}},
            Call("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/people"),
        ),
        (
            "dynamodb", "DynamoDB_20120810.BatchGetItem", {"RequestItems": {"people": {"Keys": []}}},
            Call("dynamodb:BatchGetItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/people"),
        ),
        (
            "secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": "key"},
            Call("secretsmanager:GetSecretValue", "arn:key"),
        ),
        (
            "secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": "another"},
            Call("secretsmanager:GetSecretValue", "another"),
        ),
    ],
)  # fmt: skip
def test_a_request_is_told_with_what_it_names(service: str, target: str, asked: Any, call: Call) -> None:
    signed = f"AWS4-HMAC-SHA256 Credential=a/20260102/eu-west-1/{service}/aws4_request, SignedHeaders=host"
    entry = {
        "headers": {"Authorization": signed, "X-Amz-Target": target}, "body": json.dumps(asked), "body_encoded": False,
        "method": "POST", "url": "http://127.0.0.1:1/",
    }  # fmt: skip
    assert list(calls_of(entry, {"key": "arn:key"})) == [call]
