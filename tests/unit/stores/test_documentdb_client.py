"""Connections to DocumentDB, against a server of these tests that knows TLS, the greeting and `ping` and no more."""

import socket
import ssl
import struct
import threading

import bson
import pytest

from certificates import certificates
from headrace.config_keyed_stores import DocumentDbRows
from headrace.errors import ConfigError, Fatal, MissingDependency, Unreachable
from headrace.stores import documentdb_client
from headrace.stores.rds_trust import BUNDLE

HOST = "shop.cluster-c1.eu-central-1.docdb.amazonaws.com:27017"


def settings(**more):
    given = {"store": "documentdb", "uri": f"mongodb://app:hunter2@{HOST}", "ca_file": "bundle.pem", **more}
    return DocumentDbRows.model_validate(given)


def connect(one):
    """A client that has reached the server."""
    client = documentdb_client.connect(one)
    try:
        with documentdb_client.answering(one):
            client[one.database].command("ping")
    except BaseException:
        client.close()
        raise
    return client


class Server:
    """Answers each client in a thread. Attributes: port; seen, the commands in order; answer, to `ping`."""

    def __init__(self, context=None):
        self.seen, self.answer, self._context = [], {"ok": 1.0}, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                if self._context:
                    client = self._context.wrap_socket(client, server_side=True)
                with client, client.makefile("rwb") as stream:
                    while head := stream.read(16):
                        length, request, _, kind = struct.unpack("<4i", head)
                        stream.write(self._reply(request, kind, stream.read(length - 16)))
                        stream.flush()
            except (OSError, ValueError):
                pass  # the client refused the certificate, or left

    def _reply(self, request, kind, body):
        # OP_QUERY brings the first greeting; everything else is OP_MSG.
        document = bson.decode(body[body.index(b"\0", 4) + 9 :] if kind == 2004 else body[5:], bson.CodecOptions())
        self.seen.append(document)
        answer = bson.encode(self._answer(next(iter(document)).lower()))
        prefix, kind = (struct.pack("<iqii", 8, 0, 0, 1), 1) if kind == 2004 else (struct.pack("<ib", 0, 0), 2013)
        return struct.pack("<4i", 16 + len(prefix) + len(answer), 1, request, kind) + prefix + answer

    def _answer(self, command):
        if command in ("hello", "ismaster"):
            place = f"localhost:{self.port}"
            return {"ok": 1.0, "ismaster": True, "isWritablePrimary": True, "helloOk": True, "setName": "rs0",
                    "hosts": [place], "me": place, "primary": place, "maxWireVersion": 21, "minWireVersion": 0,
                    "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
                    "maxWriteBatchSize": 100000}  # fmt: skip
        return self.answer if command == "ping" else {"ok": 1.0}

    def close(self):
        self._listener.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("certificates"))


def serving(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return Server(context)


@pytest.fixture
def server(made):
    running = serving(made)
    yield running
    running.close()


def near(server, ca, **more):
    return settings(
        uri=f"mongodb://localhost:{server.port}", ca_file=ca and str(ca), tls=ca is not None, timeout="3s", **more
    )


def test_a_server_with_a_trusted_certificate_is_reached(server, made):
    client = connect(near(server, made.authority))
    try:
        pings = [one for one in server.seen if "ping" in one]
        assert [one["$db"] for one in pings] == ["headrace"]
        assert server.seen[0]["client"]["application"]["name"] == "headrace"
    finally:
        client.close()


def test_a_certificate_of_somebody_else_is_told_with_the_command_that_fetches_aws_certificates(server, tmp_path):
    with pytest.raises(Fatal, match="CERTIFICATE_VERIFY_FAILED.*curl -fsSo global-bundle.pem " + BUNDLE):
        connect(near(server, certificates(tmp_path).authority))


def test_a_server_whose_certificate_is_for_another_name_is_not_trusted(tmp_path):
    other = certificates(tmp_path, "DNS:other.example")
    server = serving(other)
    try:
        with pytest.raises(Fatal, match="Hostname mismatch"):
            connect(near(server, other.authority))
    finally:
        server.close()


def test_a_refused_login_is_told_without_the_password(server, made):
    server.answer = {"ok": 0.0, "code": 18, "codeName": "AuthenticationFailed", "errmsg": "Authentication failed."}
    with pytest.raises(Fatal, match="expected a login the server takes") as raised:
        connect(near(server, made.authority))
    assert "hunter2" not in str(raised.value)


def test_nobody_there_is_unreachable_within_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="the network"):
        connect(settings(uri=f"mongodb://127.0.0.1:{port}", ca_file=None, tls=False, timeout="1s"))


def test_a_server_on_this_machine_may_do_without_tls():
    server = Server()
    try:
        connect(near(server, None)).close()
    finally:
        server.close()


def options(one):
    made = documentdb_client.connect(one)
    try:
        return made.options
    finally:
        made.close()


def test_a_role_signs_in_with_its_own_credentials():
    found = options(settings(uri=f"mongodb://{HOST}", auth="iam", ca_file=None))
    credentials = found.pool_options._credentials
    assert (credentials.mechanism, credentials.source) == ("MONGODB-AWS", "$external")
    assert found.retry_writes is False and found.pool_options.max_idle_time_seconds == 300


def test_iam_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(documentdb_client.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match=r"headrace\[documentdb\]"):
        documentdb_client.connect(settings(uri="mongodb://localhost:1", auth="iam", ca_file=None))


def test_a_missing_file_of_certificates_is_named():
    with pytest.raises(ConfigError, match=r"ca_file: expected a file of certificates; found none at bundle\.pem"):
        documentdb_client.connect(settings())


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"auth": "iam"}, "uri: expected no user and no password with auth: iam"),
        ({"uri": f"mongodb://a:hunter2@{HOST}/?tlsAllowInvalidCertificates=true"}, "found tlsallowinvalidcertificates"),
        ({"uri": f"mongodb://a:hunter2@{HOST}/?tls=false"}, "found tls"),
        ({"tls": False}, "tls: expected true for a server on another machine"),
    ],
)
def test_settings_that_do_not_fit_are_refused(more, told):
    with pytest.raises(ValueError, match=told) as raised:
        settings(**more)
    assert "hunter2" not in str(raised.value)
