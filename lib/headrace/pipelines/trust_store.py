"""The certificate authorities Python trusts, as a trust store for Java.

A company's own authority (a proxy that opens TLS) is usually known to the system and to `SSL_CERT_FILE`, which a Java
runtime that came as a Python package does not read.
"""

import hashlib
import os
import ssl
import struct
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_JKS_MAGIC, _JKS_VERSION, _TRUSTED_CERTIFICATE = 0xFEEDFEED, 2, 2
_PASSWORD = "changeit"


def trust_store(folder: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Write the authorities Python trusts to a Java trust store in `folder`; None where Python knows of none."""
    context = ssl.create_default_context()
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"):
        if Path(environ.get(name, "")).is_file():
            context.load_verify_locations(cafile=environ[name])
    certificates = context.get_ca_certs(binary_form=True)
    if not certificates:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "trusted.jks"
    unfinished = store.with_name(f"{store.name}.{os.getpid()}")
    unfinished.write_bytes(jks(certificates))
    unfinished.replace(store)
    return store


def jks(certificates: Iterable[bytes]) -> bytes:
    """Return DER certificates in Java's own key store format (JKS), which every Java reads without further tools."""
    entries = [_entry(f"ca{number}", der) for number, der in enumerate(certificates)]
    body = struct.pack(">III", _JKS_MAGIC, _JKS_VERSION, len(entries)) + b"".join(entries)
    # The phrase is part of the format: a key of its own for the digest at the end.
    digest = hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body, usedforsecurity=False).digest()
    return body + digest


def _entry(alias: str, der: bytes) -> bytes:
    stamp = struct.pack(">Q", int(time.time() * 1000))
    return b"".join(
        [
            struct.pack(">I", _TRUSTED_CERTIFICATE),
            _text(alias),
            stamp,
            _text("X.509"),
            struct.pack(">I", len(der)),
            der,
        ]
    )


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()
