"""An emulated AWS on 127.0.0.1: moto, from an environment of its own (`scripts/install.py --tools`)."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terraform.terraform import ROOT

SERVER = ROOT / ".venv" / "emulators" / "bin" / "moto_server"


@contextmanager
def moto(log: Path) -> Iterator[str]:
    """Its URL, until the block ends."""
    assert SERVER.exists(), "there is no emulator; run `make terraform-test`, which installs it"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environ = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    environ["MOTO_RECORDER_FILEPATH"] = str(log.with_suffix(".calls"))
    with log.open("w") as said:
        server = subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", str(port)], env=environ, stdout=said, stderr=said)
    try:
        _answers(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("moto does not answer")
