"""Signed requests to OpenSearch on AWS: session tokens, roles whose credentials end, refusals. No AWS is called."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from headrace.config_indexes import OpenSearchIndex
from headrace.errors import Fatal, Unreachable
from headrace.stores.opensearch_client import Server

ROLE = "arn:aws:iam::123456789012:role/search"


@contextmanager
def answering(answer) -> Iterator[tuple[str, list]]:
    """A server's URL and the requests it got. `answer` makes (status, body) of a request's number and body."""
    seen: list = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((dict(self.headers.items()), sent))
            status, said = answer(len(seen), sent)
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if said.startswith(b"{") else "text/xml")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}", seen
        finally:
            web.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "AKIAOWN"), ("SECRET_ACCESS_KEY", "s3cret"), ("SESSION_TOKEN", "own-token")):
        monkeypatch.setenv(f"AWS_{name}", value)


def server(host, **more):
    return Server(OpenSearchIndex(store="opensearch", hosts=(host,), index="passages", auth="aws", **more))


def test_a_session_token_is_sent_and_signed_and_the_region_is_the_jobs(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    with answering(lambda *_: (200, b"{}")) as (host, seen):
        one = server(host)
        one.call("GET", "/")
        one.close()
    ((headers, _),) = seen
    assert headers["X-Amz-Security-Token"] == "own-token"
    assert "/eu-north-1/es/aws4_request" in headers["Authorization"]
    assert "x-amz-security-token" in headers["Authorization"].partition("SignedHeaders=")[2]


def assumed(number, ends):
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>ASIAROLE{number}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>"
        f"<SessionToken>t{number}</SessionToken><Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    ).encode()


@pytest.mark.parametrize(("minutes", "taken_on"), [(60, 1), (1, 3)])
def test_a_role_is_taken_on_again_only_when_its_credentials_are_about_to_end(monkeypatch, minutes, taken_on):
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    with (
        answering(lambda number, _: (200, assumed(number, ends))) as (sts, asked),
        answering(lambda *_: (200, b"{}")) as (host, seen),
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
        one = server(host, region="eu-central-1", role=ROLE, serverless=True)
        for _ in range(3):
            one.call("GET", "/_search")
        one.close()
    assert len(asked) == taken_on
    assert parse_qs(asked[0][1].decode())["RoleArn"] == [ROLE]
    for headers, _ in seen:
        assert "Credential=ASIAROLE" in headers["Authorization"] and "/eu-central-1/aoss/" in headers["Authorization"]
    assert seen[-1][0]["X-Amz-Security-Token"] == f"t{taken_on}"


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, "The security token included in the request is expired", Fatal),
        (403, "Signature expired: 20261126T000000Z is now earlier than 20261126T001000Z", Fatal),
        (403, "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: es:ESHttpPost", Fatal),
        (429, "Too Many Requests", Unreachable),
        (503, "Service Unavailable", Unreachable),
        (504, "Gateway Timeout", Unreachable),
    ],
)
def test_every_refusal_of_the_service_means_one_thing_to_us(status, message, kind):
    with answering(lambda *_: (status, json.dumps({"message": message}).encode())) as (host, seen):
        one = server(host, region="eu-central-1")
        with pytest.raises(kind) as raised:
            one.call("POST", "/passages/_bulk", b"{}\n")
        one.close()
    assert len(seen) == 1, "those who know why it is busy ask again"
    said = str(raised.value)
    assert "own-token" not in said and "s3cret" not in said
    if kind is Fatal:
        assert message in said and "auth: aws" in said
