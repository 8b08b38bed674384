"""SNS by botocore's stubber, with the service's own shapes; a webhook by a real server on this machine."""

import hashlib
import hmac
import json
import re
import socket

import pytest
from botocore.session import get_session
from botocore.stub import Stubber
from pydantic import TypeAdapter, ValidationError

from headrace.config_alerts import Alerts, Output, never_called
from headrace.errors import Fatal, HeadraceError, Retryable, Unreachable
from headrace.ports import Throttled
from headrace.ports_alerts import Alert
from headrace.stores.alert_sinks import alert_sinks, close
from headrace.stores.alert_sns import SnsSink
from headrace.stores.alert_webhook import WebhookSink
from unit.conversations.alert_worlds import NOW
from unit.embedders.model_server import ModelServer, Reply, model_server

TOPIC = "arn:aws:sns:eu-central-1:123456789012:headrace"
SECRET = "a-secret-of-sixteen"
ALERT = Alert("0f" * 16, "failing", "threshold", NOW, "errors", "failing: errors is 0.2 (ü)", {"model": "m"}, {"n": 40})


def output(**settings: object):
    return TypeAdapter(Output).validate_python(settings)


@pytest.fixture
def server():
    with model_server() as started:
        started.answer = lambda call: Reply()
        yield started


def hook(server: ModelServer, pauses: list[float] | None = None, **more: object) -> WebhookSink:
    url = server.url.removesuffix("/v1") + "/hooks/T0P-SECRET"
    settings = output(to="webhook", url=url, **{"secret": SECRET, "timeout": "1s", **more})
    return WebhookSink(settings, "ops", (pauses if pauses is not None else []).append, lambda: 1_764_150_000.5)


def test_the_webhook_gets_the_alert_signed_with_time_and_body(server):
    sink = hook(server, headers={"X-Team": "travel"})
    sink.send(ALERT)
    (call,) = server.calls
    assert call.path == "/hooks/T0P-SECRET"
    assert call.body == ALERT.as_dict()
    assert (call.headers["x-headrace-alert"], call.headers["x-team"]) == (ALERT.id, "travel")
    body = json.dumps(ALERT.as_dict(), ensure_ascii=False).encode()
    expected = hmac.new(SECRET.encode(), b"1764150000." + body, hashlib.sha256).hexdigest()
    assert call.headers["x-headrace-signature"] == f"t=1764150000,v1={expected}"


def test_without_a_secret_nothing_is_signed(server):
    hook(server, secret=None).send(ALERT)
    assert "x-headrace-signature" not in server.calls[0].headers


@pytest.mark.parametrize(
    ("replies", "pauses"),
    [
        ([Reply(status=500), Reply(status=204)], [1.0]),
        ([Reply(close=True), Reply(status=502), Reply()], [1.0, 2.0]),
        ([Reply(status=429, headers={"Retry-After": "7"}), Reply()], [7.0]),
        ([Reply(status=503, headers={"Retry-After": "900"}), Reply()], [30.0]),
    ],
)
def test_what_may_pass_is_tried_again(server, replies, pauses):
    waiting, waited = iter(replies), []
    server.answer = lambda call: next(waiting)
    hook(server, waited).send(ALERT)
    assert waited == pauses and len(server.calls) == len(replies)
    assert {call.headers["x-headrace-alert"] for call in server.calls} == {ALERT.id}


@pytest.mark.parametrize(
    ("reply", "kind", "calls"),
    [
        (Reply(status=500, body=b"no"), Unreachable, 3),
        (Reply(status=429), Throttled, 3),
        (Reply(status=401, body=f"bad {SECRET}".encode()), Fatal, 1),
        (Reply(status=302, headers={"Location": "http://169.254.169.254/"}), Fatal, 1),
        (Reply(wait=3), Unreachable, 1),
    ],
)
def test_what_does_not_pass_says_why_and_no_secret(server, reply, kind, calls):
    server.answer = lambda call: reply
    with pytest.raises(kind) as told:
        hook(server, attempts=calls if calls > 1 else 1).send(ALERT)
    assert len(server.calls) == calls
    assert SECRET not in str(told.value) and "T0P-SECRET" not in str(told.value)
    assert "alerts.outputs.ops" in str(told.value)


def test_a_server_that_is_not_there_is_told_without_the_path():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = output(to="webhook", url=f"http://127.0.0.1:{port}/hooks/T0P-SECRET", attempts=2)
    waited: list[float] = []
    with pytest.raises(Unreachable) as told:
        WebhookSink(settings, "ops", waited.append).send(ALERT)
    assert waited == [1.0] and "T0P-SECRET" not in str(told.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "0xa9fea9fe",
        "169.254.43518",
        "me:you@hooks.example",
    ],
)
def test_an_address_with_the_machines_credentials_or_ones_own_is_refused_in_the_settings(host):
    with pytest.raises(ValidationError, match="url"):
        output(to="webhook", url=f"http://{host}/latest")


def test_a_name_that_leads_to_such_an_address_is_not_called(monkeypatch, server):
    sink = hook(server)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *some, **more: found)
    with pytest.raises(Fatal, match=re.escape("169.254.169.254")):
        sink.send(ALERT)
    assert server.calls == []
    assert not never_called("127.0.0.1") and not never_called("hooks.example") and not never_called("10.0.0.1")


def stubbed(topic: str = TOPIC):
    client = get_session().create_client(
        "sns", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return SnsSink(output(to="sns", topic=topic), client), Stubber(client)


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


@pytest.mark.parametrize("topic", [TOPIC, f"{TOPIC}.fifo"])
def test_sns_gets_the_alert_with_attributes_to_filter_by(topic):
    sink, stub = stubbed(topic)
    expected = {
        "TopicArn": topic, "Subject": "Headrace: failing (errors)",
        "Message": json.dumps(ALERT.as_dict(), ensure_ascii=False),
        "MessageAttributes": {"rule": text("failing"), "kind": text("threshold"), "measure": text("errors")},
    }  # fmt: skip
    if topic.endswith(".fifo"):
        expected |= {"MessageGroupId": "failing", "MessageDeduplicationId": ALERT.id}
    stub.add_response("publish", {"MessageId": "1"}, expected)
    with stub:
        sink.send(ALERT)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ThrottlingException", Retryable), ("AccessDeniedException", Fatal), ("InternalErrorException", Retryable)],
)
def test_sns_that_refuses_says_why(code, kind):
    sink, stub = stubbed()
    stub.add_client_error("publish", service_error_code=code, service_message="said so")
    with stub, pytest.raises(kind, match=f"{code}.*said so"):
        sink.send(ALERT)


def test_every_output_of_the_settings_is_made_and_the_log_is_there(caplog):
    settings = Alerts.model_validate({"outputs": {
        "topic": {"to": "sns", "topic": TOPIC}, "hook": {"to": "webhook", "url": "https://hooks.example/x"},
        "mine": {"to": "log"},
    }})  # fmt: skip
    sinks = alert_sinks(settings.outputs)
    sinks["log"].send(ALERT)
    close(sinks)
    assert sorted(sinks) == ["hook", "log", "mine", "topic"]
    assert ALERT.text in caplog.text and ALERT.id in caplog.text


def test_a_file_without_certificates_is_told_when_outputs_are_made(tmp_path):
    settings = Alerts.model_validate({"outputs": {
        "hook": {"to": "webhook", "url": "https://hooks.example/x", "ca_file": str(tmp_path / "none.pem")},
    }})  # fmt: skip
    with pytest.raises(HeadraceError, match=r"alerts\.outputs\.hook\.ca_file"):
        alert_sinks(settings.outputs)
