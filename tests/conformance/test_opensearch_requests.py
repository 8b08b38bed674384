"""OpenSearch requests without a server: retries, sizes, refusals, signatures."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from headrace.config_indexes import OpenSearchIndex
from headrace.errors import Fatal, Unreachable
from headrace.ports import Filters, Written
from headrace.stores.opensearch_bulk import Bulk, index_item
from headrace.stores.opensearch_client import Refused, Server
from headrace.stores.opensearch_search import conditions
from headrace.stores.opensearch_template import cosine
from headrace.stores.passage_rows import Row
from headrace.testing.passages import NOW, body, direction, without_vector


def settings(**more):
    return OpenSearchIndex(store="opensearch", hosts=("http://127.0.0.1:1",), index="passages", **more)


class Answers:
    """A server that answers bulk requests as told."""

    where = "opensearch index passages"

    def __init__(self, *answers, **more):
        self.settings, self.answers, self.sent = settings(**more), list(answers), []

    def call(self, method, path, data, params):
        self.sent.append([json.loads(line) for line in data.splitlines()][::2])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"items": [{"index": item} for item in answer]}


def items(count):
    rows = [Row(f"k{at}", 1, without_vector(body()), direction(1)) for at in range(count)]
    return [index_item(row) for row in rows]


def error(status, kind="es_rejected_execution_exception"):
    return {"status": status, "error": {"type": kind, "reason": "too much", "caused_by": {"reason": "the cause"}}}


OK, STALE = {"status": 201}, error(409, "version_conflict_engine_exception")


def test_items_of_a_busy_server_are_sent_again_alone():
    server, pauses = Answers([OK, error(429), STALE, error(503)], [error(429), OK], [OK]), []
    assert Bulk(server, "g1", pauses.append).send(items(4)) == Written(applied=3, stale=1)
    assert [[one["index"]["_id"] for one in sent] for sent in server.sent] == [
        ["k0", "k1", "k2", "k3"],
        ["k1", "k3"],
        ["k1"],
    ]
    assert len(pauses) == 2 and 0 < pauses[0] <= 0.2 and pauses[1] <= 0.4


def test_a_server_that_stays_busy_is_given_up_in_time_and_the_rows_may_be_tried_later():
    server = Answers([OK, error(429)], timeout="0.1s")
    written = Bulk(server, "g1", lambda _: None).send(items(2))
    assert written.applied == 1
    assert [(one.key, one.retry) for one in written.failed] == [("k1", True)]


@pytest.mark.parametrize(("status", "retry"), [(400, False), (403, True)])
def test_refused_items_name_the_innermost_cause(status, retry):
    written = Bulk(Answers([OK, error(status)]), "g1").send(items(2))
    (failed,) = written.failed
    assert (failed.key, failed.retry, written.applied) == ("k1", retry, 1)
    assert "too much (the cause)" in failed.reason


def test_a_request_that_is_too_large_is_halved():
    large = Refused(413, "error", "too large", "")
    server = Answers(large, large, [OK], [OK], [OK, STALE])
    assert Bulk(server, "g1").send(items(4)) == Written(applied=3, stale=1)
    (failed,) = Bulk(Answers(large), "g1").send(items(1)).failed
    assert not failed.retry


def test_a_dropped_generation_is_not_brought_back():
    server = Answers([error(404, "index_not_found_exception")])
    with pytest.raises(Fatal, match="'g1'"):
        Bulk(server, "g1").send(items(1))


def test_a_generation_without_a_library_scores_inner_products_as_cosines():
    for wanted in (1.0, 0.25, 0.0, -0.5):
        assert cosine("lucene", (1 + wanted) / 2) == pytest.approx(wanted)
        assert cosine("faiss", 1 + wanted if wanted >= 0 else 1 / (1 - wanted)) == pytest.approx(wanted)


def test_a_search_never_shows_deleted_rows_or_another_tenant():
    for filters in (Filters(), Filters(tenant="t", audience=("a",), tags=("x",))):
        found = conditions(filters, NOW)
        assert {"term": {"row.deleted": False}} in found
        assert any("tenant" in json.dumps(one) for one in found)


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[str, list]]:
    """The URL of a server that says it is OpenSearch, and what it was sent."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.path, dict(self.headers.items()), sent))
            said = b'{"items": []}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}", seen
        finally:
            web.shutdown()
            thread.join()


def asked(host, data=b"x" * 5_000 + b"\n", **more):
    server = Server(OpenSearchIndex(store="opensearch", hosts=(host,), index="passages", **more))
    try:
        server.call("POST", "/passages/_bulk", data, {"require_alias": "true"})
    finally:
        server.close()


def test_large_bodies_are_packed():
    with listening() as (host, seen):
        asked(host)
    ((path, headers, sent),) = seen
    assert path == "/passages/_bulk?require_alias=true"
    assert headers["content-encoding"] == "gzip"
    assert headers["content-type"] == "application/x-ndjson"
    assert gzip.decompress(sent) == b"x" * 5_000 + b"\n"


@pytest.mark.parametrize(("serverless", "service"), [(False, "es"), (True, "aoss")])
def test_requests_to_aws_are_signed_over_what_is_sent(monkeypatch, serverless, service):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with listening() as (host, seen):
        asked(host, auth="aws", region="eu-central-1", serverless=serverless)
    ((_, headers, sent),) = seen
    assert f"/eu-central-1/{service}/aws4_request" in headers["Authorization"]
    from hashlib import sha256

    assert headers["X-Amz-Content-SHA256"] == sha256(sent).hexdigest()


def test_a_login_is_sent_and_never_shown():
    with listening(401) as (host, seen), pytest.raises(Fatal, match="auth: basic") as caught:
        asked(host, auth="basic", user="me", password="hunter2")
    assert seen[0][1]["authorization"].startswith("Basic ")
    assert "hunter2" not in str(caught.value)


def test_another_host_is_asked_where_one_does_not_answer():
    with listening() as (host, seen):
        server = Server(OpenSearchIndex(store="opensearch", hosts=("http://127.0.0.1:1", host), index="passages"))
        for _ in range(3):
            server.call("GET", "/")
        server.close()
    assert len(seen) == 3


def test_a_busy_server_is_unreachable_not_fatal():
    with listening(503) as (host, _), pytest.raises(Unreachable):
        asked(host)
