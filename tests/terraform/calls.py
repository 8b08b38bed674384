"""What a job asked of the emulated AWS, in the words of IAM, and whether a role allows it."""

import base64
import json
import re
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REGION, ACCOUNT = "eu-west-1", "123456789012"
"""Where moto says it is."""


@dataclass(frozen=True, order=True)
class Call:
    """An action of IAM on a resource, `*` where the service knows none."""

    action: str
    resource: str


def record(url: str) -> None:
    """Let moto keep every call from now on, and forget earlier ones."""
    for step in ("reset-recording", "start-recording"):
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/recorder/{step}", method="POST"), timeout=10)


def recorded(url: str, secrets: Mapping[str, str]) -> set[Call]:
    """The calls kept.

    Args:
        secrets: ARNs of secrets, which calls name otherwise.
    """
    with urllib.request.urlopen(f"{url}/moto-api/recorder/download-recording", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {call for line in lines for call in calls_of(json.loads(line), secrets)}


def calls_of(entry: Mapping[str, Any], secrets: Mapping[str, str]) -> Iterator[Call]:
    """What IAM is asked for one request: several actions where it deletes several objects, none where nobody signed."""
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    # Every client signs, and names the service it means.
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", headers.get("authorization", ""))
    if signed is None:
        return
    body = base64.b64decode(entry["body"] or "") if entry["body_encoded"] else (entry["body"] or "").encode()
    if signed[1] == "s3":
        yield from _of_s3(entry["method"], urlsplit(entry["url"]), body)
    else:
        target = headers.get("x-amz-target", "").rpartition(".")[2] or parse_qs(body.decode()).get("Action", ["?"])[0]
        service = {"monitoring": "cloudwatch"}.get(signed[1], signed[1])
        yield Call(f"{service}:{target}", _resource(service, body, secrets))


def _resource(service: str, body: bytes, secrets: Mapping[str, str]) -> str:
    if service == "dynamodb":
        asked = json.loads(body)
        # A read of many keys names its tables inside.
        name = asked.get("TableName") or next(iter(asked.get("RequestItems", ())), "unknown")
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    if service == "sns":
        return parse_qs(body.decode())["TopicArn"][0]
    if service == "secretsmanager":
        name = json.loads(body)["SecretId"]
        return secrets.get(name, name)
    return "*"


def _of_s3(method: str, url: Any, body: bytes) -> Iterator[Call]:
    bucket, _, key = unquote(url.path).removeprefix("/").partition("/")
    if not re.fullmatch(r"[a-z0-9.-]+", bucket):
        return  # a name no bucket can have: a client's test of a server that is not AWS
    asked = parse_qs(url.query, keep_blank_values=True)
    whole, one = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
    if method == "POST" and "delete" in asked:
        for name in re.findall(rb"<Key>(.*?)</Key>", body):
            yield Call("s3:DeleteObject", f"{whole}/{name.decode()}")
    elif not key:
        yield Call("s3:GetBucketLocation" if "location" in asked else "s3:ListBucket", whole)
    elif method in ("GET", "HEAD"):
        yield Call("s3:GetObject", one)
    elif method == "DELETE":
        yield Call("s3:AbortMultipartUpload" if "uploadId" in asked else "s3:DeleteObject", one)
    else:
        yield Call("s3:PutObject", one)


def allowed(call: Call, policy: Mapping[str, Any]) -> bool:
    """Whether a statement allows it and none denies it; conditions are taken to hold."""
    effects = {statement["Effect"] for statement in policy["Statement"] if _names(statement, call)}
    return effects == {"Allow"}


def idle(calls: Collection[Call], policy: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Every action that a statement allows and no call needed of it, beside the statement's Sid."""
    return {
        (statement["Sid"], action)
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        if not any(fnmatchcase(call.action, action) and _names(statement, call) for call in calls)
    }


def _names(statement: Mapping[str, Any], call: Call) -> bool:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    return any(fnmatchcase(call.action, action) for action in actions) and (
        call.resource == "*" or any(fnmatchcase(call.resource, one) for one in resources)
    )


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
