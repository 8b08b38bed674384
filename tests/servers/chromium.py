"""Debian's Chromium for tests: fetched with the libraries that this machine lacks, unpacked into the cache, no root.

Debian keeps only its newest build, so the version is what the package lists name, not pinned; Playwright, which drives
it, is pinned.
"""

import os
import subprocess
from pathlib import Path

from .jars import cache_folder
from .process import ServerError

PACKAGE = "chromium-headless-shell"
_PROGRAM = f"usr/lib/chromium/{PACKAGE}"


def chromium() -> tuple[Path, dict[str, str]]:
    """The program, or the one of $HEADRACE_TEST_CHROMIUM, and the environment it needs."""
    if given := os.environ.get("HEADRACE_TEST_CHROMIUM"):
        return Path(given), dict(os.environ)
    wanted = ["--no-install-recommends", "install", "-s", PACKAGE, "fonts-dejavu-core"]
    lines = _run("apt-get", *wanted).splitlines()
    packages = [line.split()[1] for line in lines if line.startswith("Inst ")]
    if not packages:
        return Path("/") / _PROGRAM, dict(os.environ)
    version = next(line.split("(")[1].split()[0] for line in lines if line.startswith(f"Inst {PACKAGE} "))
    place = cache_folder() / f"chromium-{version.replace(':', '_')}"
    if not (place / "complete").exists():
        (place / "debs").mkdir(parents=True, exist_ok=True)
        _run("apt-get", "download", *packages, cwd=place / "debs")
        for file in sorted((place / "debs").glob("*.deb")):
            _run("dpkg", "-x", str(file), str(place))
        (place / "complete").touch()
    libraries = place / "usr" / "lib" / "x86_64-linux-gnu"
    found = f"{libraries}:{libraries / 'pulseaudio'}"
    return place / _PROGRAM, {**os.environ, "LD_LIBRARY_PATH": found}


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        todo = "Run `apt-get update`, or name a Chromium with HEADRACE_TEST_CHROMIUM."
        raise ServerError(f"{' '.join(command)} failed: {done.stderr[-1000:]} {todo}")
    return done.stdout
