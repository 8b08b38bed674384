"""What a REST API may say, and what is made of it. A real server answers."""

import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from api_server import ApiServer, Reply, api_server
from headrace.config_api import Api
from headrace.errors import ConfigError, Fatal, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.api_client import Answer, ApiClient, address


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as found:
        yield found


def client(server: ApiServer, **more: object) -> ApiClient:
    settings = {"keys_from": "hotels", "url": f"{server.url}/v1/{{city}}?n={{n}}", "timeout": "1s", **more}
    return ApiClient(Api.model_validate(settings), "sources.weather")


def asked(client: ApiClient, city: object = "Lisbon", n: object = 1) -> Answer:
    return client.embed([json.dumps({"city": city, "n": n})])[0]


def test_an_answer_is_the_body_as_it_came(server: ApiServer) -> None:
    server.answer = lambda _: Reply(201, b' {"a": 1.50}')
    one = client(server, headers={"X-Key": SecretStr("hunter2"), "Accept": "text/json"})
    assert asked(one) == Answer(201, ' {"a": 1.50}')
    assert (server.seen["x-key"], server.seen["accept"]) == ("hunter2", "text/json")
    assert one.calls == server.total == 1


@pytest.mark.parametrize(
    ("city", "n", "path"),
    [
        ("São Tomé/../x?y#z%2F", 1, "/v1/S%C3%A3o%20Tom%C3%A9%2F..%2Fx%3Fy%23z%252F?n=1"),
        ("a&b=c+d", True, "/v1/a%26b%3Dc%2Bd?n=true"),
        ("{n}", 1.5, "/v1/%7Bn%7D?n=1.5"),
    ],
)
def test_a_value_stays_where_it_stands_in_the_url(server: ApiServer, city: str, n: object, path: str) -> None:
    asked(client(server), city, n)
    assert list(server.calls) == [path]


@pytest.mark.parametrize("city", ["", ".", "..", "\ud800"])
def test_a_value_that_would_change_the_place_is_not_asked_for(server: ApiServer, city: str) -> None:
    assert address("https://a/{city}/x", {"city": city}) is None
    if city != "\ud800":
        with pytest.raises(Unacceptable):
            asked(client(server), city)
    assert server.total == 0


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(429, headers={"Retry-After": "7"}), Throttled),
        (Reply(503, headers={"Retry-After": "7"}), Throttled),
        (Reply(503), Unreachable),
        (Reply(500), Unreachable),
        (Reply(408), Unreachable),
        (Reply(400), Unacceptable),
        (Reply(302, headers={"Location": "http://127.0.0.2/"}), Unacceptable),
        (Reply(401), Fatal),
        (Reply(403), Fatal),
        (Reply(200, b"<html>"), Unacceptable),
        (Reply(200, b""), Unacceptable),
        (Reply(200, b"\xff"), Unacceptable),
        (Reply(200, b"[" * 100_000), Unacceptable),
        (Reply(200, b'"' + b"x" * 200_000 + b'"'), Unacceptable),
        (Reply(wait=True), Unreachable),
    ],
)
def test_every_failure_is_an_error_that_shows_neither_key_nor_secret(
    server: ApiServer, reply: Reply, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda _: Reply(reply.status, reply.body or b"no hunter2", reply.headers, reply.wait)
    if reply.status == 200 and not reply.body and not reply.wait:
        server.answer = lambda _: reply
    one = client(server, headers={"X-Key": SecretStr("hunter2")}, max_bytes=100_001)
    caplog.set_level(logging.INFO)
    with pytest.raises(error) as told:
        asked(one)
    assert "hunter2" not in str(told.value) + caplog.text and "Lisbon" not in str(told.value) + caplog.text
    assert server.total == 1, "a redirect was followed or a call made again"
    if isinstance(told.value, Throttled):
        assert told.value.retry_after == 7


@pytest.mark.parametrize("status", [404, 410])
def test_what_the_service_does_not_know_is_an_answer(server: ApiServer, status: int) -> None:
    server.answer = lambda _: Reply(status)
    assert asked(client(server)) == Answer(status, None)


def test_a_server_that_is_not_there_is_unreachable(server: ApiServer) -> None:
    one = client(server)
    one.reach()
    server.stop()
    for call in (lambda: asked(one), one.reach):
        with pytest.raises(Unreachable, match="weather"):
            call()


def test_a_file_without_certificates_is_told(server: ApiServer, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"sources\.weather\.ca_file"):
        client(server, url="https://a/{city}", ca_file=str(tmp_path / "none.pem"))
