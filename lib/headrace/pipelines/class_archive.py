"""An archive of the classes Spark loads (Java's class data sharing): a start need not parse and verify them again.

Starting Spark and Delta is almost all class loading and compiling. The archive is made once, by `make install`, in the
virtual environment; a session uses it while Java, Spark and the jars are the same, and works without it.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import distribution, version
from pathlib import Path

_SECONDS = 600
_QUICK = "-XX:TieredStopAtLevel=1"


def options(java_home: Path, jars: Sequence[str]) -> str:
    """Return the JVM options that use the archive, or nothing where there is none for this Java and these jars."""
    archive = _place(java_home, jars)
    # A Java that refuses the archive after all (patched in place) would say so on standard output, and goes on without.
    return f"-XX:SharedArchiveFile={archive} -Xlog:cds*=off" if archive.exists() else ""


def make(java_home: Path, jars: Sequence[str]) -> bool:
    """Make the archive unless it is there, in about a minute on two cores; return whether there is one now."""
    archive = _place(java_home, jars)
    if archive.exists():
        return True
    with tempfile.TemporaryDirectory() as folder:
        loaded = Path(folder) / "classes"
        java_options = f"-XX:DumpLoadedClassList={loaded} {_QUICK}"
        class_path = _said([sys.executable, "-m", "headrace.pipelines.warm_up", folder, java_options])
        if not class_path or not loaded.exists():
            return False
        for old in archive.parent.glob("headrace-classes-*"):
            old.unlink()
        unfinished = archive.with_name(f"{archive.name}.{os.getpid()}")
        dump = ["-Xshare:dump", f"-XX:SharedClassListFile={loaded}", f"-XX:SharedArchiveFile={unfinished}", _QUICK]
        _said([str(java_home / "bin" / "java"), *dump, "-XX:+UseSerialGC", "-Xmx1g", "-cp", json.loads(class_path)])
        if unfinished.exists():
            unfinished.replace(archive)
    return archive.exists()


def _said(command: Sequence[str]) -> str | None:
    """Return the last line a command printed; None where it failed or took too long."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return ran.stdout.strip().splitlines()[-1] if ran.returncode == 0 and ran.stdout.strip() else None


def _place(java_home: Path, jars: Sequence[str]) -> Path:
    key = hashlib.sha256(json.dumps([str(java_home), version("pyspark"), *jars]).encode()).hexdigest()[:12]
    return _environment() / f"headrace-classes-{key}.jsa"


def _environment() -> Path:
    """Where pyspark is installed: an environment may see another one's packages, as that of the notebooks does."""
    return Path(str(distribution("pyspark").locate_file(""))).parents[2]
