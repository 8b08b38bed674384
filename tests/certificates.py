"""Certificates for TLS servers of tests, made with openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    """An authority of one's own, and a server's certificate and key that it signed."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> Certificates:
    """New ones in `folder`, the server's for `names`."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key, made = (
        folder / "ca.pem",
        folder / "ca.key",
        Certificates(*(folder / n for n in ("ca.pem", "s.pem", "s.key"))),
    )
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    _openssl("req", "-x509", *curve, "-subj", "/CN=test authority", "-keyout", ca_key, "-out", ca)
    for_names = ["-subj", "/CN=localhost", "-addext", f"subjectAltName={names}"]
    _openssl(
        "req", "-x509", *curve, *for_names, "-CA", ca, "-CAkey", ca_key, "-keyout", made.key, "-out", made.certificate
    )
    made.key.chmod(0o600)
    return made


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
