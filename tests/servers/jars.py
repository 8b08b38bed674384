"""Java for the servers: the same one as Spark's, and their jars, fetched once and checked against jars.lock."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from headrace.pipelines.java import find_java

from .process import ServerError

HERE = Path(__file__).parent
CENTRAL = "https://repo1.maven.org/maven2"


def cache_folder() -> Path:
    """Where downloads are kept between runs: $HEADRACE_CACHE, else ~/.cache/headrace."""
    return Path(os.environ.get("HEADRACE_CACHE") or Path.home() / ".cache" / "headrace")


def java(main: str, *arguments: str, memory: str = "512m") -> list[str]:
    """The command that runs a main class of the servers' class path in a small JVM."""
    program = str(find_java().home / "bin" / "java")
    machine = [f"-Xmx{memory}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return [program, *machine, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path(), main, *arguments]


def class_path() -> str:
    """One flat class path with the Kafka broker, Kafka Connect and Debezium's PostgreSQL connector (about 60 MB)."""
    return os.pathsep.join(str(file) for file in fetched("pom.xml", "jars.lock"))


def fetched(pom: str, locked: str) -> list[Path]:
    """The files that a lock names, all in one folder, fetched once.

    With Maven where `mvn` exists (so a configured mirror is honoured), else over HTTPS from Maven Central or from
    $HEADRACE_MAVEN_REPOSITORY. Raises ServerError naming a missing or altered file.
    """
    lock = (HERE / locked).read_text()
    wanted = {Path(path).name: (digest, path) for digest, path in (line.split() for line in lock.splitlines())}
    folder = cache_folder() / f"servers-{hashlib.sha256(lock.encode()).hexdigest()[:12]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            target = Path(unfinished) / "jars"
            target.mkdir()
            _fetch(pom, wanted, target)
            _check(wanted, target)
            shutil.copytree(target, Path(unfinished) / "done")
            (Path(unfinished) / "done").rename(folder)
    return [folder / name for name in sorted(wanted)]


def _fetch(pom: str, wanted: dict[str, tuple[str, str]], target: Path) -> None:
    maven = shutil.which("mvn")
    if maven and "HEADRACE_MAVEN_REPOSITORY" not in os.environ:
        _fetch_with_maven(pom, maven, target)
    else:
        _fetch_with_https(wanted, target)


def _fetch_with_maven(pom: str, maven: str, target: Path) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    result = subprocess.run([maven, "-q", "-B", "-f", str(HERE / pom), *goal], capture_output=True, text=True)
    if result.returncode != 0:
        raise ServerError(f"Maven could not fetch the jars of tests/servers/{pom}:\n{result.stdout[-2000:]}")


def _fetch_with_https(wanted: dict[str, tuple[str, str]], target: Path) -> None:
    root = os.environ.get("HEADRACE_MAVEN_REPOSITORY", CENTRAL).rstrip("/")

    def fetch(path: str) -> None:
        try:
            with urllib.request.urlopen(f"{root}/{path}", timeout=60) as answer:
                (target / Path(path).name).write_bytes(answer.read())
        except OSError as error:
            raise ServerError(
                f"could not download {path} from the Maven repository: {error}; check the network"
            ) from None

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, [path for _, path in wanted.values()]))


def _check(wanted: dict[str, tuple[str, str]], target: Path) -> None:
    for name, (digest, path) in wanted.items():
        jar = target / name
        if not jar.exists():
            raise ServerError(f"the lock names {path}, the download did not bring it; did the pom change?")
        if hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise ServerError(f"{path} has not the sha256 of its lock; remove it from ~/.m2 and retry")
