"""The jars a laptop session needs: which coordinates, and where the files lie.

Spark asks Ivy for `spark.jars.packages` at every start, which costs seconds even when every file is there already. So
the resolving is done once, in a process of its own, and its answer (a list of files) is kept in the user's cache.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from headrace.errors import Fatal, HeadraceError, Unreachable
from headrace.pipelines.java import cache_folder
from headrace.pipelines.trust_store import trust_store

_SCALA = "2.13"
_AWS_SDK = "2.29.52"
_AWS_MODULES = ("s3", "s3-transfer-manager", "sts", "kms", "apache-client", "netty-nio-client", "dynamodb")
_SECONDS_TO_RESOLVE = 900
_UNREACHABLE_SIGNS = ("Server access error", "UnknownHost", "ConnectException", "timed out", "SSLHandshake")


@dataclass(frozen=True)
class Packages:
    """Maven coordinates (`group:artifact:version`) and what to leave out of their dependencies (`group:artifact`)."""

    coordinates: tuple[str, ...]
    excludes: tuple[str, ...] = ()


def needed(*, kafka: bool, s3: bool, extra: Sequence[str] = ()) -> Packages:
    """Return the packages for a session with Delta, and with Kafka and S3 where asked for."""
    spark = version("pyspark")
    series = ".".join(spark.split(".")[:2])
    coordinates = [f"io.delta:delta-spark_{series}_{_SCALA}:{version('delta-spark')}"]
    excludes = []
    if kafka:
        coordinates.append(f"org.apache.spark:spark-sql-kafka-0-10_{_SCALA}:{spark}")
    if s3:
        # hadoop-aws must equal Spark's own Hadoop. Its SDK "bundle" weighs 641 MB; the parts it uses weigh 22 MB.
        coordinates.append("org.apache.hadoop:hadoop-aws:3.4.2")
        coordinates += [f"software.amazon.awssdk:{module}:{_AWS_SDK}" for module in _AWS_MODULES]
        excludes.append("software.amazon.awssdk:bundle")
    return Packages((*coordinates, *extra), tuple(excludes))


def for_avro() -> Packages:
    """Return the packages for files in Avro: a set of its own, so that one answer of Ivy's serves every session."""
    return Packages((f"org.apache.spark:spark-avro_{_SCALA}:{version('pyspark')}",))


def jar_files(packages: Packages, settings: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the local paths of all jars of `packages`, their dependencies included.

    Args:
        packages: what is wanted.
        settings: Spark settings; those that begin with `spark.jars.` (repositories, ivySettings) guide the search.
        environ: where the cache folder and the proxy are read from.

    Raises:
        Unreachable: Maven Central (or the configured repository) did not answer.
        Fatal: it answered, but does not have one of them.
    """
    guide = {key: value for key, value in settings.items() if key.startswith("spark.jars.")}
    key = hashlib.sha256(json.dumps([packages.coordinates, packages.excludes, guide]).encode()).hexdigest()[:12]
    remembered = cache_folder(environ) / f"jars-{key}.json"
    if remembered.exists():
        files: list[str] = json.loads(remembered.read_text())
        if all(Path(file).exists() for file in files):
            return files
    print(f"headrace: fetching {len(packages.coordinates)} Spark packages from Maven Central ...", file=sys.stderr)
    files = _resolve(packages, guide, environ)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    unfinished = remembered.with_name(f"{remembered.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(files))
    unfinished.replace(remembered)
    return files


class Jars:
    """The jars of sessions with these Spark settings and this environment."""

    def __init__(self, settings: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ

    def base(self) -> list[str]:
        """Return the jars every session has: Delta's. They head the class path, always in the same order."""
        return jar_files(needed(kafka=False, s3=False), self._settings, self._environ)

    def files(self, *, kafka: bool, s3: bool, avro: bool = False, extra: Sequence[str] = ()) -> list[str]:
        """Return the jars of one session, Delta's first, each once."""
        found = self.base()
        if kafka or s3 or extra:
            found = found + jar_files(needed(kafka=kafka, s3=s3, extra=extra), self._settings, self._environ)
        if avro:
            found = found + jar_files(for_avro(), self._settings, self._environ)
        return list(dict.fromkeys(found))


def class_path(files: Sequence[str], spark_home: Path) -> list[str]:
    """Return those of `files` that Spark does not bring itself, one per artifact, the first of each.

    Spark's own version wins, as it would under `spark.jars`. On a laptop, where the driver is the only JVM, the class
    path spares copying every jar at each start.
    """
    taken = {_artifact(jar.name) for jar in (spark_home / "jars").glob("*.jar")}
    chosen = []
    for file in files:
        # Ivy names its copies group_artifact-version.jar.
        artifact = _artifact(Path(file).name.split("_", 1)[-1])
        if artifact not in taken:
            taken.add(artifact)
            chosen.append(file)
    return chosen


def _artifact(jar: str) -> str:
    return re.sub(r"-[0-9][^_]*[.]jar$", "", jar)


def proxy_options(environ: Mapping[str, str]) -> str:
    """Return the JVM options for the proxy named by `HTTPS_PROXY` or `HTTP_PROXY`; Java does not read these itself."""
    options = []
    for scheme in ("https", "http"):
        name = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")
        proxy = urlsplit(name if "//" in name else f"//{name}") if name else None
        if proxy and proxy.hostname:
            options.append(f"-D{scheme}.proxyHost={proxy.hostname} -D{scheme}.proxyPort={proxy.port or 80}")
    return " ".join(options)


def _resolve(packages: Packages, guide: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    conf = dict(guide)
    conf["spark.jars.packages"] = ",".join(packages.coordinates)
    if packages.excludes:
        conf["spark.jars.excludes"] = ",".join(packages.excludes)
    said = _ask_ivy(conf, proxy_options(environ), environ)
    if said.returncode != 0 and "SSLHandshakeException" in said.stderr + said.stdout:
        store = trust_store(cache_folder(environ), environ)
        if store:
            said = _ask_ivy(conf, f"{proxy_options(environ)} -Djavax.net.ssl.trustStore={store}", environ)
    if said.returncode != 0:
        raise refusal(packages, said.stderr + said.stdout)
    files: list[str] = json.loads(said.stdout.splitlines()[-1])
    return files


def _ask_ivy(conf: Mapping[str, str], options: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headrace.pipelines.jars", json.dumps(conf)],
        env={**environ, "SPARK_SUBMIT_OPTS": f"{environ.get('SPARK_SUBMIT_OPTS', '')} {options}".strip()},
        capture_output=True,
        text=True,
        timeout=_SECONDS_TO_RESOLVE,
    )


def refusal(packages: Packages, said: str) -> HeadraceError:
    """Return the error that tells a person what Ivy's many lines in `said` mean."""
    missing = [c for c in packages.coordinates if f"{':'.join(c.split(':')[:2]).replace(':', '#')};" in said]
    expected = f"the Spark packages {', '.join(missing or packages.coordinates)}"
    if any(sign in said for sign in _UNREACHABLE_SIGNS):
        return Unreachable(
            expected=f"{expected} from Maven Central",
            found="Maven Central could not be reached",
            todo="Check the network, or set HTTPS_PROXY, or name your mirror in an ivysettings.xml and point "
            "spark.jars.ivySettings at it.",
            where="jars",
        )
    if "not found" in said:
        return Fatal(
            expected=expected,
            found="Maven Central does not have them",
            todo="Check the spelling and the version of the packages.",
            where="jars",
        )
    return Fatal(
        expected=expected,
        found=f"Spark's launcher stopped: {' '.join(said.split())[-300:]}",
        todo="Check that this Java starts: `java -version`.",
        where="jars",
    )


def _main() -> None:
    # Ivy runs inside Spark's launcher, so starting the launcher alone (no Spark session) resolves the packages.
    from pyspark.conf import SparkConf
    from pyspark.java_gateway import launch_gateway

    conf = SparkConf(loadDefaults=False).setAll(json.loads(sys.argv[1]).items()).setMaster("local[1]")
    gateway = launch_gateway(conf)  # type: ignore[no-untyped-call]
    urls = gateway.jvm.System.getProperty("spark.jars").split(",")
    gateway.shutdown()
    print(json.dumps([urlsplit(url).path for url in urls]))


if __name__ == "__main__":
    _main()
