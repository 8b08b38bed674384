"""Aurora's IAM tokens and certificates against a real PostgreSQL with TLS, which takes a token as a password."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from certificates import Certificates, certificates
from headrace.config_indexes import PgvectorIndex
from headrace.errors import ConfigError, Fatal
from headrace.stores import pgvector_schema, postgres_login
from headrace.stores.rds_trust import BUNDLE

from .postgres import DEBIAN, Postgres


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The authority that signed the server's certificate."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, made: Certificates) -> Iterator[Postgres]:
    """A server that wants TLS and a password of `headrace`, and trusts `anybody`."""
    if not (DEBIAN / "postgres").exists():
        pytest.skip("PyPI's PostgreSQL knows no TLS; install Debian's package postgresql")
    server = Postgres(tmp_path_factory.mktemp("login") / "data", DEBIAN, "HEADRACE_TEST_POSTGRES_TLS")
    try:
        with server.start().connect() as connection:
            owner = server.data.owner()
            for source, name in ((made.certificate, "s.pem"), (made.key, "s.key")):
                shutil.chown(shutil.copy2(source, server.data / name), owner)
            rules = ("hostssl all headrace 127.0.0.1/32 password", "hostssl all anybody 127.0.0.1/32 trust",
                     "host all postgres 127.0.0.1/32 trust")  # fmt: skip
            (server.data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
            connection.execute("create role headrace login password 'unknown'")
            connection.execute("create role anybody login")
            for name, value in (("ssl_cert_file", "s.pem"), ("ssl_key_file", "s.key"), ("ssl", "on")):
                connection.execute(f"alter system set {name} = '{value}'")
            connection.execute("select pg_reload_conf()")
        yield server
    finally:
        server.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tokens are signed with."""
    for name, value in (("ACCESS_KEY_ID", "AKIAEXAMPLE"), ("SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(f"AWS_{name}", value)


def settings(server: Postgres, user: str, ca: Path, host: str = "127.0.0.1") -> PgvectorIndex:
    url = f"postgresql://{user}@{host}:{server.port}/postgres"
    return PgvectorIndex(store="pgvector", url=url, auth="iam", region="eu-central-1", ca_file=str(ca))


def test_each_connection_asks_for_a_token_of_its_own_and_is_encrypted(server, made, credentials, monkeypatch):
    tokens, sign = [], postgres_login.token
    monkeypatch.setattr(postgres_login, "token", lambda given: tokens.append(sign(given)) or tokens[-1])
    for _ in range(3):
        with pgvector_schema.connect(settings(server, "anybody", made.authority)) as connection:
            found = connection.execute("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()").fetchone()
            assert found[0] is True and found[1].startswith("TLSv1")
    assert len(tokens) == 3
    for token in tokens:
        place, _, query = token.partition("/?")
        said = {name: values[0] for name, values in parse_qs(query).items()}
        assert place == f"127.0.0.1:{server.port}"
        assert (said["Action"], said["DBUser"], said["X-Amz-Expires"]) == ("connect", "anybody", "900")
        assert said["X-Amz-Credential"].endswith("/eu-central-1/rds-db/aws4_request")


def test_the_token_is_the_password_the_server_gets(server, made, credentials, monkeypatch):
    given = settings(server, "headrace", made.authority)
    token = postgres_login.token(given)
    monkeypatch.setattr(postgres_login, "token", lambda _: token)
    with server.connect() as connection:
        connection.execute(f"alter role headrace password '{token}'")
    with pgvector_schema.connect(given) as connection:
        assert connection.execute("select current_user").fetchone() == ("headrace",)


def test_a_token_the_server_does_not_take_says_what_to_grant(server, made, credentials):
    with server.connect() as connection:
        connection.execute("alter role headrace password 'another'")
    with pytest.raises(Fatal) as raised:
        pgvector_schema.connect(settings(server, "headrace", made.authority))
    said = str(raised.value)
    assert "grant rds_iam" in said and "15 minutes" in said and "AKIAEXAMPLE" not in said and "X-Amz" not in said


def test_a_server_signed_by_somebody_else_is_told_with_the_command_that_fetches_aws_certificates(
    server, made, credentials, tmp_path
):
    with pytest.raises(Fatal, match="certificate verify failed.*curl -fsSo global-bundle.pem " + BUNDLE):
        pgvector_schema.connect(settings(server, "anybody", certificates(tmp_path).authority))


def test_a_file_of_certificates_that_is_not_there_is_named(server, credentials, tmp_path):
    with pytest.raises(ConfigError, match=r"ca_file: expected a file of certificates; found none at .*none\.pem"):
        pgvector_schema.connect(settings(server, "anybody", tmp_path / "none.pem"))


def test_a_password_in_the_url_can_be_sent_to_a_checked_server_too(server, made):
    with server.connect() as connection:
        connection.execute("alter role headrace password 'plain'")
    url = f"postgresql://headrace:plain@127.0.0.1:{server.port}/postgres?sslmode=disable"
    given = PgvectorIndex(store="pgvector", url=url, ca_file=str(made.authority))
    with pgvector_schema.connect(given) as connection:
        assert connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (True,)
    assert urlsplit(url).password not in repr(given)
