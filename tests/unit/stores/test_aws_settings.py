"""Settings from S3, secrets from Secrets Manager: against small servers on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
import pytest
from botocore.stub import Stubber

from headrace.config_file import load
from headrace.errors import ConfigError, Unreachable
from headrace.stores import aws_settings
from s3_server import s3_server

SETTINGS = """
lake: {lake}
sources:
  shop: {{from: kafka, servers: "h:9092", topics: [t], format: debezium,
          options: {{kafka.ssl.key.password: {{secret: "{secret}"}}}}}}
tables: {{users: {{source: shop, key: [id]}}}}
"""
SECRETS = {"plain": "hunter2", "prod/kafka": '{"user": "me", "password": "hunter2"}', "list": "[1]"}


@pytest.fixture
def secrets(monkeypatch):
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"]
            calls.append(wanted)
            known = wanted in SECRETS
            body = (
                {"Name": wanted, "SecretString": SECRETS[wanted]} if known else {"__type": "ResourceNotFoundException"}
            )
            answer = json.dumps(body).encode()
            self.send_response(200 if known else 400)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{server.server_port}")
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("DEFAULT_REGION", "eu-central-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(aws_settings, "_kept", {})
    yield calls
    server.shutdown()
    server.server_close()


def loaded(tmp_path, secret, lake="./lake"):
    file = tmp_path / "headrace.yaml"
    file.write_text(SETTINGS.format(secret=secret, lake=lake))
    return load(file)


@pytest.mark.parametrize("secret", ["aws:plain", "aws:prod/kafka#password"])
def test_a_secret_comes_from_secrets_manager_and_does_not_print(secret, secrets, tmp_path):
    config = loaded(tmp_path, secret)
    found = config.sources["shop"].options["kafka.ssl.key.password"]
    assert found.get_secret_value() == "hunter2" and "hunter2" not in repr(config)


def test_a_secret_is_asked_for_once(secrets, tmp_path):
    for _ in range(3):
        loaded(tmp_path, "aws:prod/kafka#password")
    assert secrets == ["prod/kafka"]


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("aws:nobody", "ResourceNotFoundException"),
        ("aws:prod/kafka#pasword", "the keys password, user"),
        ("aws:plain#password", "other text"),
        ("aws:list#password", "other text"),
        ("aws:", "something else"),
    ],
)
def test_a_secret_that_is_not_there_is_told_with_its_key_and_nothing_of_it(secret, told, secrets, tmp_path):
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, secret)
    message = str(raised.value)
    assert "sources.shop.options" in message and told in message and "hunter2" not in message


def test_settings_are_read_from_s3(monkeypatch):
    monkeypatch.setenv("PW", "hunter2")
    with s3_server() as s3:
        s3.put("code", "config/headrace.yaml", SETTINGS.format(lake="s3://lake/prod", secret="env:PW").encode())
        config = load("s3://code/config/headrace.yaml")
    assert config.lake == "s3://lake/prod"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://code/config/relative.yaml", "a whole path, as these settings lie in S3"),
        ("s3://code/config/nothing.yaml", "NoSuchKey"),
        ("s3://code", "s3://bucket/key"),
        ("s3://code/config/bytes.yaml", "UTF-8"),
    ],
)
def test_settings_in_s3_that_cannot_be_used_say_why(url, told, monkeypatch):
    monkeypatch.setenv("PW", "hunter2")
    with s3_server() as s3:
        s3.put("code", "config/relative.yaml", SETTINGS.format(lake="./lake", secret="env:PW").encode())
        s3.put("code", "config/bytes.yaml", b"lake: \xff")
        with pytest.raises(ConfigError) as raised:
            load(url)
    assert told in str(raised.value)


class Manager:
    """Secrets Manager behind botocore's stub: answers and errors in the order they are given."""

    def __init__(self, client, monkeypatch):
        self.stub = Stubber(client)
        self.stub.activate()
        session = type("Session", (), {"create_client": lambda *_, **__: client})
        monkeypatch.setattr("botocore.session.get_session", session)
        monkeypatch.setattr(aws_settings, "_kept", {})

    def gives(self, **answer):
        self.stub.add_response("get_secret_value", {"Name": "db", **answer}, {"SecretId": "db"})

    def refuses(self, code, status):
        self.stub.add_client_error("get_secret_value", code, "no", status)


@pytest.fixture(scope="module")
def client():
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
    return botocore.session.get_session().create_client("secretsmanager", **keys)


@pytest.fixture
def manager(client, monkeypatch):
    made = Manager(client, monkeypatch)
    yield made
    made.stub.deactivate()


def test_a_rotated_secret_is_seen_once_the_old_one_is_no_longer_kept(manager, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(aws_settings.time, "monotonic", lambda: now[0])
    manager.gives(SecretString='{"user": "app", "password": "old"}')
    manager.gives(SecretString='{"user": "app", "password": "new"}')
    found = []
    for later in (0, aws_settings.KEPT_SECONDS - 1, 1, 1):
        now[0] += later
        found.append(aws_settings.secret_value("db#password"))
    assert found == ["old", "old", "new", "new"]
    manager.stub.assert_no_pending_responses()


def test_a_secret_of_bytes_is_refused(manager):
    manager.gives(SecretBinary=b"hunter2")
    with pytest.raises(ConfigError, match="expected a secret of text; found one of bytes") as raised:
        aws_settings.secret_value("db")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, Unreachable),
        ("InternalServiceError", 500, Unreachable),
        ("ResourceNotFoundException", 400, ConfigError),
        ("AccessDeniedException", 400, ConfigError),
        ("DecryptionFailure", 400, ConfigError),
        ("InvalidRequestException", 400, ConfigError),
        ("InvalidParameterException", 400, ConfigError),
    ],
)
def test_every_error_of_secrets_manager_means_one_thing_to_us_and_is_not_kept(manager, code, status, kind):
    manager.refuses(code, status)
    with pytest.raises(kind, match=code):
        aws_settings.secret_value("db")
    manager.gives(SecretString="later")
    assert aws_settings.secret_value("db") == "later"
