"""Aurora's IAM tokens: what settings may say, what goes wrong before a connection; the rest is in tests/servers."""

import pytest

from headrace.config_indexes import PgvectorIndex
from headrace.errors import ConfigError, Fatal
from headrace.stores import postgres_login

HOST = "shop.cluster-c1.eu-central-1.rds.amazonaws.com"


def settings(url, **more):
    return PgvectorIndex(**{"store": "pgvector", "url": url, "auth": "iam", "region": "eu-central-1", **more})


@pytest.mark.parametrize(
    ("url", "more", "told"),
    [
        (f"postgresql://app:hunter2@{HOST}/shop", {"ca_file": "a.pem"}, "expected no password with auth: iam"),
        (f"postgresql://app@{HOST}/shop?password=hunter2", {"ca_file": "a.pem"}, "expected no password with auth: iam"),
        (f"postgresql://app@{HOST}/shop?user=hunter2", {"ca_file": "a.pem"}, "user, host and port before the path"),
        (f"postgresql://{HOST}/shop", {"ca_file": "a.pem"}, "the database user the token is for"),
        (f"postgresql://app@{HOST}/shop", {}, "ca_file: expected the file of AWS's certificates"),
        (f"postgresql://app@{HOST}/shop?sslmode=require", {"ca_file": "a.pem"}, "found sslmode=require"),
        (f"postgresql://app@{HOST},other/shop", {"ca_file": "a.pem"}, "expected one address"),
        (f"postgresql://app@{HOST}:x/shop", {"ca_file": "a.pem"}, "expected one address"),
        (f"host={HOST} user=app password=hunter2", {"ca_file": "a.pem"}, "expected one address"),
        ("postgresql://app:a@localhost/shop", {"auth": "password"}, "region: expected auth: iam beside it"),
        ("postgresql://app@localhost/shop", {"region": "Frankfurt"}, "region"),
    ],
)
def test_what_does_not_fit_a_token_is_refused_when_settings_are_read(url, more, told):
    with pytest.raises(ValueError, match=told) as raised:
        settings(url, **more)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_server_on_this_machine_needs_no_certificate(host):
    assert settings(f"postgresql://app@{host}:5432/shop").ca_file is None


def test_the_port_is_postgresqls_own_where_the_url_names_none(monkeypatch):
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "x")
    made = postgres_login.token(settings(f"postgresql://us%40er@{HOST}/shop", ca_file="a.pem"))
    assert made.startswith(f"{HOST}:5432/?Action=connect&DBUser=us%40er&")


def test_without_a_region_or_credentials_there_is_no_token(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SHARED_CREDENTIALS_FILE", "CONFIG_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigError, match="expected an AWS region"):
        postgres_login.token(settings("postgresql://app@localhost/shop", region=None))
    with pytest.raises(Fatal, match="NoCredentialsError"):
        postgres_login.token(settings("postgresql://app@localhost/shop"))
