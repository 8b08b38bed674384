"""Connections to DocumentDB, against a server of these tests that knows TLS, the greeting and `ping` and no more."""

import socket
import ssl
import struct
import threading

import bson
import pytest

from certificates import certificates
from headrace.config_documentdb import DocumentDbConnection
from headrace.errors import ConfigError, Fatal, MissingDependency, Unreachable
from headrace.stores import documentdb_connection
from headrace.stores.documentdb_connection import connect, options
from headrace.stores.rds_trust import BUNDLE

HOST = "shop.cluster-c1.eu-central-1.docdb.amazonaws.com:27017"


def settings(**more):
    given = {"uri": f"mongodb://app:hunter2@{HOST}", "database": "profiles", "ca_file": "bundle.pem", **more}
    return DocumentDbConnection.model_validate(given)


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
    return settings(uri=f"mongodb://localhost:{server.port}", ca_file=ca and str(ca), timeout="3s", **more)


def test_a_server_with_a_trusted_certificate_is_reached(server, made):
    client = connect(near(server, made.authority))
    try:
        pings = [one for one in server.seen if "ping" in one]
        assert [one["$db"] for one in pings] == ["profiles"]
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
    with pytest.raises(Fatal, match="expected a login DocumentDB takes") as raised:
        connect(near(server, made.authority))
    assert "hunter2" not in str(raised.value)


def test_nobody_there_is_unreachable_within_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="security group"):
        connect(settings(uri=f"mongodb://127.0.0.1:{port}", ca_file=None, replica_set=None, timeout="1s"))


def test_a_server_on_this_machine_may_do_without_tls():
    server = Server()
    try:
        connect(near(server, None)).close()
    finally:
        server.close()


def test_the_options_are_those_documentdb_needs(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    assert options(settings(ca_file=str(bundle))) == {
        "appname": "headrace",
        "retryWrites": False,
        "readPreference": "primary",
        "timeoutMS": 30_000,
        "connectTimeoutMS": 5_000,
        "serverSelectionTimeoutMS": 10_000,
        "maxPoolSize": 20,
        "maxIdleTimeMS": 300_000,
        "replicaSet": "rs0",
        "tls": True,
        "tlsCAFile": str(bundle),
    }
    by_role = options(settings(uri=f"mongodb://{HOST}", auth="iam", ca_file=str(bundle)))
    assert (by_role["authMechanism"], by_role["authSource"]) == ("MONGODB-AWS", "$external")


def test_iam_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(documentdb_connection.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match=r"headrace\[documentdb\]"):
        options(settings(uri="mongodb://localhost:1", auth="iam", ca_file=None))


def test_a_missing_file_of_certificates_is_named():
    with pytest.raises(ConfigError, match=r"ca_file: expected a file of certificates; found none at bundle\.pem"):
        connect(settings())


def test_an_address_pymongo_cannot_read_is_told_without_its_password(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    with pytest.raises(ConfigError, match="expected mongodb://user:password@host:27017") as raised:
        connect(settings(uri=f"mongodb://app:hunter2@x@{HOST}", ca_file=str(bundle)))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"ca_file": None}, "ca_file: expected the file of AWS's certificates"),
        ({"uri": f"mongodb://{HOST}"}, "uri: expected user and password, or auth: iam"),
        ({"auth": "iam"}, "uri: expected no user and no password with auth: iam"),
        ({"uri": "mongodb+srv://a:hunter2@b"}, "uri: expected mongodb://"),
        ({"uri": f"mongodb://a:hunter2@{HOST}/?tlsAllowInvalidCertificates=true"}, "found tlsallowinvalidcertificates"),
        ({"uri": f"mongodb://a:hunter2@{HOST}/?tls=false"}, "found tls"),
        ({"uri": f"mongodb://a:hunter2@{HOST}/?retryWrites=true"}, "found retrywrites"),
    ],
)
def test_settings_that_do_not_fit_are_refused(more, told):
    with pytest.raises(ValueError, match=told) as raised:
        settings(**more)
    assert "hunter2" not in str(raised.value)
