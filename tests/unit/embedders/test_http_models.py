"""The HTTP embedder against a real server on this machine that misbehaves in every way we know of."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pydantic import SecretStr

from headrace.config_knowledge import HttpEmbed
from headrace.errors import ConfigError, Fatal, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.http_models import HttpEmbedder, retry_after
from unit.embedders.model_server import CERTIFICATE, DIMENSION, ModelServer, Reply, model_server, vector_of, vectors

KEY = "sk-very-secret"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as one:
        yield one


def made(server: ModelServer, **more: object) -> HttpEmbedder:
    values = {"provider": "http", "url": server.url, "model": "m", "dimension": DIMENSION, "key": KEY, "timeout": "1s"}
    return HttpEmbedder(HttpEmbed.model_validate(values | more))


def items(*numbers: object) -> bytes:
    return json.dumps({"data": [{"index": place, "embedding": one} for place, one in enumerate(numbers)]}).encode()


def test_the_request_has_model_texts_key_and_headers(server):
    one = made(server, headers={"X-Team": "search", "X-Token": SecretStr("hidden")})
    one.embed(["a", "b"])
    call = server.calls[0]
    assert call.path == "/v1/embeddings"
    assert call.body == {"model": "m", "input": ["a", "b"]}
    sent = [call.headers[name] for name in ("authorization", "x-team", "x-token")]
    assert sent == [f"Bearer {KEY}", "search", "hidden"]


def test_prefixes_go_before_the_text_and_the_dimension_is_sent_where_asked_for(server):
    one = made(server, query_prefix="query: ", document_prefix="passage: ", send_dimension=True)
    one.embed(["a"], "query")
    one.embed(["a"], "document")
    assert [call.body["input"] for call in server.calls] == [["query: a"], ["passage: a"]]
    assert server.calls[0].body["dimensions"] == DIMENSION


def test_items_are_put_in_the_order_of_their_index(server):
    found = made(server).embed(["a", "b", "c"])
    wanted = np.array([vector_of(text) for text in "abc"])
    assert np.allclose(found, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)


def test_items_without_an_index_are_taken_as_they_come(server):
    body = json.dumps({"data": [{"embedding": [1.0] + [0] * 15}, {"embedding": [0] * 15 + [2.0]}]}).encode()
    server.answer = lambda call: Reply(body=body)
    assert made(server).embed(["a", "b"]).argmax(axis=1).tolist() == [0, 15]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "pause"), [({"Retry-After": "7"}, 7.0), ({"retry-after-ms": "250"}, 0.25), ({}, None)]
)
def test_a_server_that_asks_for_a_pause_is_heard(server, status, header, pause):
    server.answer = lambda call: Reply(status, b"slow down", header)
    with pytest.raises(Retryable, match=f"found {status} slow down") as caught:
        made(server).embed(["a"])
    if status == 503 and pause is None:
        assert isinstance(caught.value, Unreachable), "any failure, and perhaps of this one text"
    else:
        assert isinstance(caught.value, Throttled) and caught.value.retry_after == pause


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("12", 12.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 14:00:00 +0200", 0.0),
        ("Sun, 01 Mar 2026 12:00:10", 10.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert retry_after({"RETRY-AFTER": text}, NOW) == seconds


@pytest.mark.parametrize("status", [500, 502, 504, 529, 408])
def test_a_failing_server_is_worth_another_try(server, status):
    server.answer = lambda call: Reply(status, b"oh")
    with pytest.raises(Unreachable, match=f"found {status} oh"):
        made(server).embed(["a"])


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_text_is_unacceptable(server, status):
    server.answer = lambda call: Reply(status, b'{"error": "too long"}')
    with pytest.raises(Unacceptable, match="too long"):
        made(server).embed(["a"])


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 301])
def test_what_no_try_can_mend_is_fatal(server, status):
    server.answer = lambda call: Reply(status, b"no", {"Location": "http://127.0.0.1:1/"})
    with pytest.raises(Fatal, match=r"Check embed\."):
        made(server).embed(["a"])


def test_an_empty_account_is_fatal_though_its_status_is_429(server):
    server.answer = lambda call: Reply(429, b'{"error": {"code": "insufficient_quota"}}')
    with pytest.raises(Fatal, match="Raise the account's budget"):
        made(server).embed(["a"])


def test_a_server_that_repeats_the_key_does_not_make_us_show_it(server):
    server.answer = lambda call: Reply(401, f"bad key {KEY}".encode())
    one = made(server)
    with pytest.raises(Fatal) as caught:
        one.embed(["a"])
    assert KEY not in str(caught.value) and "***" in str(caught.value)
    assert caught.value.__cause__ is None
    assert KEY not in str(vars(one)["_where"])


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>gateway</html>", b"[]", b"{}", b'{"data": 3}', b'{"data": [{"embedding": "!!"}]}', items(),
        items([1.0] * DIMENSION, [1.0] * DIMENSION), b'{"data": [{"index": 4, "embedding": [1, 2]}]}',
        b'{"data": [{"embedding": "AAA="}]}', b'{"data": [{"embedding": [1, "x"]}]}', b"\xff\xfe", items([]),
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_worth_another_try(server, body):
    server.answer = lambda call: Reply(body=body)
    with pytest.raises((Retryable, ConfigError), match="expected") as caught:
        made(server).embed(["a"])
    assert isinstance(caught.value, Retryable) is (body != items([]))


def test_another_dimension_is_a_wrong_setting_and_the_right_one_is_named(server):
    server.answer = lambda call: vectors(call, dimension=8)
    with pytest.raises(ConfigError, match=r"expected vectors of 16 numbers; found 8\. Set `dimension: 8`"):
        made(server).embed(["a"])


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf"), None])
def test_a_vector_without_a_direction_is_the_texts_fault(server, bad):
    server.answer = lambda call: Reply(body=items([1.0] * DIMENSION, [bad] * DIMENSION))
    with pytest.raises(Unacceptable, match="zero, NaN or infinity for text number 1 of 2"):
        made(server).embed(["a", "b"])


def test_large_numbers_do_not_overflow(server):
    server.answer = lambda call: Reply(body=items([1e30] * DIMENSION))
    assert np.allclose(made(server).embed(["a"]), 1 / 4)


def test_a_server_that_says_nothing_is_left_after_the_timeout(server):
    server.answer = lambda call: Reply(wait=20)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="Read timed out"):
        made(server, timeout=timedelta(seconds=0.2)).embed(["a"])
    assert time.monotonic() - began < 15
    assert len(server.calls) == 1


def test_a_server_that_drips_is_left_after_the_timeout(server):
    server.answer = lambda call: Reply(body=b" " * 1000, drip=0.01)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"a whole answer within 0\.3 s; found one that is still coming"):
        made(server, timeout=timedelta(seconds=0.3)).embed(["a"])
    assert time.monotonic() - began < 9


@pytest.mark.parametrize("when", ["Wed, 21 Oct 2026 07:28:00 +99999999999999999", "21 Oct 2026 999999999999:00:00 GMT"])
def test_a_date_that_cannot_be_is_no_pause(server, when):
    server.answer = lambda call: Reply(429, b"slow down", {"Retry-After": when})
    with pytest.raises(Throttled) as caught:
        made(server).embed(["a"])
    assert caught.value.retry_after is None


def test_json_nested_too_deeply_is_an_answer_like_any_wrong_one(server):
    server.answer = lambda call: Reply(body=b"[" * 200_000)
    with pytest.raises(Retryable, match="expected JSON with `data`"):
        made(server).embed(["a"])


def test_an_endless_answer_is_left(server, monkeypatch):
    monkeypatch.setattr("headrace.stores.http_models._LARGEST", 100_000)
    server.answer = lambda call: Reply(body=b" " * 10_000_000)
    with pytest.raises(Unreachable, match="found more than 100,000 bytes"):
        made(server).embed(["a"])


def test_a_connection_closed_without_a_word_is_worth_another_try(server):
    server.answer = lambda call: Reply(close=True)
    with pytest.raises(Unreachable):
        made(server).embed(["a"])
    assert len(server.calls) == 1


def test_a_server_that_is_not_there_is_worth_another_try(server):
    one = made(server, url="http://127.0.0.1:9/v1")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9.*Check embed\.url"):
        one.embed(["a"])


@pytest.mark.parametrize("url", ["localhost:80/v1", "ftp://x/v1", "http:///v1"])
def test_a_url_that_is_none_is_a_wrong_setting(server, url):
    with pytest.raises(ConfigError, match="expected an http or https URL"):
        made(server, url=url)


def test_a_server_nobody_else_vouches_for_is_trusted_by_its_certificate_alone():
    with model_server(tls=True) as server:
        with pytest.raises(Unreachable, match="self-signed"):
            made(server).embed(["a"])
        assert len(made(server, ca_file=str(CERTIFICATE)).embed(["a"])) == 1


@pytest.mark.parametrize("name", ["none.pem", "empty.pem"])
def test_a_file_without_certificates_is_a_wrong_setting(server, tmp_path, name):
    (tmp_path / "empty.pem").write_text("nothing\n")
    with pytest.raises(ConfigError, match=r"embed\.ca_file: expected a file with certificates"):
        made(server, url="https://localhost/v1", ca_file=str(tmp_path / name))


def test_a_password_in_the_url_is_not_shown(server):
    one = made(server, url=server.url.replace("http://", "http://me:hidden@"))
    server.answer = lambda call: Reply(500)
    with pytest.raises(Unreachable) as caught:
        one.embed(["a"])
    assert "hidden" not in str(caught.value)


def test_the_fingerprint_follows_the_vectors_and_not_the_address(server):
    base = made(server).fingerprint
    assert made(server, url="http://elsewhere/v1", key="other", headers={"a": "b"}).fingerprint == base
    changed = [{"model": "n"}, {"dimension": 8}, {"query_prefix": "q"}, {"document_prefix": "q"}]
    assert len({base, *(made(server, **change).fingerprint for change in changed)}) == 5
