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
    lists = _Lists(cache_folder() / "debian")
    packages, version = lists.needed()
    if not packages:
        return Path("/") / _PROGRAM, dict(os.environ)
    place = cache_folder() / f"chromium-{version.replace(':', '_')}"
    if not (place / "complete").exists():
        (place / "debs").mkdir(parents=True, exist_ok=True)
        lists.apt("download", *packages, cwd=place / "debs")
        for file in sorted((place / "debs").glob("*.deb")):
            _run("dpkg", "-x", str(file), str(place))
        (place / "complete").touch()
    libraries = place / "usr" / "lib" / "x86_64-linux-gnu"
    found = f"{libraries}:{libraries / 'pulseaudio'}"
    return place / _PROGRAM, {**os.environ, "LD_LIBRARY_PATH": found}


class _Lists:
    """Package lists of our own: a fresh machine has none, and only root may fetch the machine's."""

    def __init__(self, folder: Path) -> None:
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        places = {"Dir::State::Lists": folder / "lists", "Dir::Cache": folder / "cache", "APT::Sandbox::User": "root"}
        self._options = [word for name, value in places.items() for word in ("-o", f"{name}={value}")]

    def needed(self) -> tuple[list[str], str]:
        """The packages this machine lacks and Chromium's version; none where it has Chromium."""
        self.apt("update")
        lines = self.apt("--no-install-recommends", "install", "-s", PACKAGE, "fonts-dejavu-core").splitlines()
        lacking = [line for line in lines if line.startswith("Inst ")]
        versions = [line.split("(")[1].split()[0] for line in lacking if line.startswith(f"Inst {PACKAGE} ")]
        return ([line.split()[1] for line in lacking], versions[0]) if versions else ([], "")

    def apt(self, *words: str, cwd: Path | None = None) -> str:
        """What apt-get says. Raises ServerError with its words."""
        return _run("apt-get", *self._options, *words, cwd=cwd)


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        todo = "Name a Chromium with HEADRACE_TEST_CHROMIUM where Debian's packages cannot be fetched."
        raise ServerError(f"{' '.join(command)} failed: {done.stderr[-1000:]} {todo}")
    return done.stdout
