"""AWS's certificates from a file or from S3."""

import pytest

from headrace.errors import ConfigError
from headrace.stores import rds_trust
from headrace.stores.rds_trust import trusted
from s3_server import s3_server


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rds_trust._fetched.cache_clear()
    yield
    rds_trust._fetched.cache_clear()


def test_a_file_of_this_machine_is_used_as_it_is(tmp_path):
    file = tmp_path / "bundle.pem"
    file.write_text("-----BEGIN CERTIFICATE-----")
    assert trusted(str(file)) == str(file)


def test_a_file_in_s3_is_fetched_once_and_only_its_owner_may_change_it(tmp_path):
    with s3_server() as s3:
        s3.put("code", "config/bundle.pem", b"certificates")
        file = trusted("s3://code/config/bundle.pem")
    assert trusted("s3://code/config/bundle.pem") == file, "S3 is gone by now"
    with open(file) as found:
        assert found.read() == "certificates"
    (folder,) = [one for one in tmp_path.iterdir() if one.name.startswith("headrace-")]
    assert file.startswith(str(folder)) and folder.stat().st_mode & 0o077 == 0


def test_a_file_that_is_not_in_s3_is_named():
    with s3_server() as s3:
        s3.put("code", "config/other.pem", b"x")
        with pytest.raises(ConfigError, match=r"s3://code/config/bundle\.pem.*NoSuchKey"):
            trusted("s3://code/config/bundle.pem")
