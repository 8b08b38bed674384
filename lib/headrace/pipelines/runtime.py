"""The Spark session: taken from the platform on Glue and Databricks, made here on a laptop."""

import logging
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from headrace.errors import ConfigError, HeadraceError, MissingDependency
from headrace.pipelines import class_archive
from headrace.pipelines.jars import Jars, class_path
from headrace.pipelines.java import Java, cache_folder, find_java, shim

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Runtime = Literal["local", "glue", "databricks"]
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"

SHORT_LIVED = {
    # The second compiler would still be warming up when the session ends: 30-35% off a test suite's time. The first
    # alone would keep room for 48 MB of code only, and throw away what is needed again.
    _JAVA_OPTIONS: "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
    # Rows are few: every further partition is a task of pure overhead.
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
}
"""Settings for a session that lives for minutes, such as the demo's and the tests'."""

SPARE_SLOTS = 2
"""Slots for tasks beyond the cores: Spark hands slots out in order of coming, and a round of embedding holds one for
each core for many seconds. The small jobs of everything else, a delete's among them, would wait for it."""

INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
"""Plans run as they are: for a handful of rows compiling one, and planning it again at each stage, costs more than
running it. Measured: 132 -> 86 seconds of CPU for three batches of two small tables."""

TINY = {
    # To write a file of a few rows anew is one job; to mark some of them as gone, and to read past the marks, many.
    "spark.databricks.delta.merge.deletionVectors.persistent": "false",
    "spark.databricks.delta.delete.deletionVectors.persistent": "false",
    "spark.databricks.delta.update.deletionVectors.persistent": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
}
"""For tables of a few hundred rows, such as the demo's."""


_EVERYWHERE = {
    # A position or a time must not depend on where the driver is.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def spark_session(
    app: str,
    *,
    kafka: bool = False,
    s3: bool = False,
    avro: bool = False,
    settings: Mapping[str, str] | None = None,
    packages: Sequence[str] = (),
    runtime: Runtime = "local",
) -> "SparkSession":
    """Return the one Spark session of this process.

    A session that exists already is returned as it is, after the SQL settings asked for are set on it. Otherwise
    `local` makes one on this machine, with Delta, and with Kafka, S3 and Avro where asked for.

    Args:
        app: name shown in Spark's own pages and logs.
        kafka: whether the session must read from Kafka.
        s3: whether `s3://` paths must work.
        avro: whether the session must read files in Avro.
        settings: Spark settings that win over Headrace's own; `spark.driver.extraJavaOptions` is added to them.
        packages: more Maven coordinates, `group:artifact:version`.
        runtime: `glue` and `databricks` bring Spark, Delta and Kafka themselves: nothing is configured there.

    Raises:
        MissingDependency: pyspark, delta-spark, Delta's jar or a fitting Java is not there.
        Unreachable: jars are needed from Maven Central and it does not answer.
        ConfigError: the running session cannot take one of the settings.
    """
    try:
        import delta  # noqa: F401
        from pyspark.sql import SparkSession
    except ImportError as missing:
        raise MissingDependency(
            expected="pyspark and delta-spark",
            found=f"no module {missing.name}",
            todo="Run `pip install 'headrace[local]'`; Glue and Databricks bring them.",
            where=f"runtime {runtime}",
        ) from missing
    asked = dict(settings or {})
    existing = SparkSession.getActiveSession()
    if existing is None and runtime != "local":
        existing = SparkSession.builder.appName(app).getOrCreate()
    if existing is not None:
        _needs_delta(existing, runtime)
        return _adjusted(existing, asked if runtime == "local" else {**_EVERYWHERE, **asked})
    return _laptop_session(app, kafka, s3, avro, asked, packages)


def prepare(*, archive: bool) -> str:
    """Make this machine ready for a session and return a sentence that says what is used.

    Finds Java and fetches the jars. With `archive` also makes the archive of classes, which takes about a minute and
    spares half the work of every later start.
    """
    java = find_java()
    jars = Jars({}, {**os.environ, **_launch_environment(java)})
    files = jars.files(kafka=True, s3=False, avro=True)
    ready = f"Java {java.major} ({java.found_in}), {len(files)} jars"
    if archive:
        ready += ", classes archived" if class_archive.make(java.home, jars.base()) else ", no class archive"
    return ready


def _laptop_session(
    app: str, kafka: bool, s3: bool, avro: bool, asked: dict[str, str], packages: Sequence[str]
) -> "SparkSession":
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    conf = {**_laptop_settings(s3=s3), **asked}
    java = find_java()
    launch = _launch_environment(java)
    jars = Jars(asked, {**os.environ, **launch})
    files = jars.files(kafka=kafka, s3=s3, avro=avro, extra=packages)
    master = conf.pop("spark.master", f"local[{_cores() + SPARE_SLOTS}]")
    options = [_java_options(), asked.get(_JAVA_OPTIONS, "")]
    if master.startswith("local"):
        own = class_path(files, Path(launch["SPARK_HOME"]))
        launch["SPARK_DIST_CLASSPATH"] = ":".join([*own, os.environ.get("SPARK_DIST_CLASSPATH", "")]).rstrip(":")
        options.insert(1, class_archive.options(java.home, jars.base()))
    else:
        conf["spark.jars"] = ",".join([*filter(None, [asked.get("spark.jars")]), *files])
    conf[_JAVA_OPTIONS] = " ".join(filter(None, options))
    builder = SparkSession.builder.appName(app).master(master)
    for key, value in conf.items():
        builder = builder.config(key, value)
    # PySpark writes every error about SQL to stderr as well, with Java's whole trace. What is raised says it.
    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)
    with _environment(launch):
        return builder.getOrCreate()


def _needs_delta(session: "SparkSession", runtime: Runtime) -> None:
    """Raise MissingDependency where the session has no jar of Delta: the first table would end in a TypeError."""
    java = getattr(session, "_jvm", None)  # none with Spark Connect, where the server brings it
    if java is None or type(java.io.delta.tables.DeltaTable).__name__ != "JavaPackage":
        return
    raise MissingDependency(
        expected="Delta's jar on Spark's class path",
        found="no class io.delta.tables.DeltaTable",
        todo={
            "glue": "Give the job --datalake-formats delta.",
            "databricks": "Take a Databricks runtime, which brings Delta.",
            "local": "End the running session and let Headrace start its own, or start yours with Delta's jar.",
        }[runtime],
        where=f"runtime {runtime}",
    )


def _adjusted(session: "SparkSession", asked: Mapping[str, str]) -> "SparkSession":
    for key, value in asked.items():
        if session.conf.isModifiable(key):
            session.conf.set(key, value)
        elif session.conf.get(key, None) != value:
            raise ConfigError(
                expected=f"a session with {key}={value}",
                found=f"a running session with {key}={session.conf.get(key, 'not set')}",
                todo="Give this setting to the job that starts Spark; it cannot change while Spark runs.",
                where="spark settings",
            )
    return session


def _laptop_settings(*, s3: bool) -> dict[str, str]:
    settings = {
        # Nothing outside this machine may connect, and a laptop's host name often resolves to nothing.
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        **_EVERYWHERE,
        # Spark's 200 shuffle partitions and Delta's 50 for its own state are for clusters: one task per core does here.
        "spark.sql.shuffle.partitions": str(_cores()),
        "spark.default.parallelism": str(_cores()),
        "spark.databricks.delta.snapshotPartitions": "2",
        # VACUUM lists folders in parallel tasks, 10,000 by default: 20 s instead of 2 s on a small driver.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        # A batch runs over 100 generated classes, Spark's default cache, so that each would be compiled again in each
        # batch; and with stage numbers in their names equal ones would differ. A third of a small batch's CPU.
        "spark.sql.codegen.cache.maxEntries": "1000",
        "spark.sql.codegen.useIdInClassName": "false",
        # Spark notes the line of Python that made each expression, for its error messages: half of all calls into Java.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        # Every query's plan is written out for Spark's pages: 4% of a small batch in the long form.
        "spark.sql.ui.explainMode": "simple",
        # Otherwise Spark makes ./spark-warehouse wherever the program is started.
        "spark.sql.warehouse.dir": (cache_folder() / "warehouse").as_uri(),
    }
    if s3:
        # One name for the lake everywhere: Glue and Databricks say s3://, Hadoop's client listens to s3a://.
        settings["spark.hadoop.fs.s3.impl"] = "org.apache.hadoop.fs.s3a.S3AFileSystem"
        settings["spark.hadoop.fs.AbstractFileSystem.s3.impl"] = "org.apache.hadoop.fs.s3a.S3A"
    return settings


def _cores() -> int:
    return max(2, os.cpu_count() or 2)


def _java_options() -> str:
    log_settings = Path(__file__).with_name("log4j2.properties").as_uri()
    return f"-Dlog4j2.configurationFile={shlex.quote(log_settings)} -Duser.timezone=UTC -XX:+UseSerialGC"


def _launch_environment(java: Java) -> dict[str, str]:
    import pyspark

    return {
        "JAVA_HOME": str(shim(java.home, cache_folder())),
        # The Spark of this Python environment, not one that SPARK_HOME happens to name.
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        # Otherwise the workers take the first python3 on the PATH.
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


if __name__ == "__main__":
    try:
        print(prepare(archive="--archive" in sys.argv))
    except HeadraceError as error:
        sys.exit(f"{error}")
