"""Starts a script of `glue_jobs/` as AWS Glue does: Spark and Delta are there, Glue's own arguments stand among ours.

Open-source Spark in place of Glue's: what is Glue's own (its catalog, its metrics) is not shown by this.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from headrace.pipelines.jars import Jars, class_path
from headrace.pipelines.java import cache_folder, find_java, shim
from headrace.pipelines.lake_place import LAKE_ANYWHERE
from headrace.pipelines.runtime import SHORT_LIVED

ROOT = Path(__file__).resolve().parents[1]
DELTA = (
    "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension "
    "--conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog"
)
"""What `--conf` of a Glue job holds: further settings are chained inside the one value."""
_SMALL = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.driver.extraJavaOptions": f"{SHORT_LIVED['spark.driver.extraJavaOptions']} -XX:+UseSerialGC",
    # Spark notes the line of Python that made each expression: half of all calls into Java.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}


def start(
    job: str,
    arguments: Sequence[str],
    folder: Path,
    *,
    conf: str = DELTA,
    spark: Mapping[str, str] = {},
    s3: bool = False,
    script: Path | None = None,
    python: str = sys.executable,
    environ: Mapping[str, str] | None = None,
) -> "subprocess.Popen[str]":
    """The running process; its output is in `folder`/<job>.log.

    Args:
        conf: the value of Glue's `--conf`.
        spark: what the platform's own Spark is set to, on top of a small local one.
        script: in place of the one in `glue_jobs/`.
        python: the interpreter that has the job's packages.
        environ: variables on top of this process's.
    """
    java = find_java()
    spark_home = _spark_home(python)
    jars = class_path(Jars({}, os.environ).files(kafka=False, s3=s3), spark_home)
    settings = {**_SMALL, "spark.driver.extraClassPath": ":".join(jars), **spark}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    given = {
        "JAVA_HOME": str(shim(java.home, cache_folder())),
        "SPARK_HOME": str(spark_home),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": f"--conf {conf} pyspark-shell",
        "PYTHONUNBUFFERED": "1",
        LAKE_ANYWHERE: "1",
    }
    command = [
        python,
        str(script or ROOT / "glue_jobs" / f"{job}.py"),
        "--JOB_ID",
        "j_1",
        "--JOB_NAME",
        job,
        *arguments,
        "--enable-metrics",
        "true",
    ]
    with (folder / f"{job}.log").open("a") as log:
        return subprocess.Popen(
            command,
            env={**os.environ, **(environ or {}), **given},
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def _spark_home(python: str) -> Path:
    code = "import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
