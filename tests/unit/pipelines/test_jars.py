import os
import stat
import sys
from pathlib import Path

import pytest
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

from headrace.errors import Fatal, Unreachable
from headrace.pipelines import jars
from headrace.pipelines.jars import Jars, Packages, class_path, jar_files, needed, proxy_options, refusal

KAFKA = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1"


def test_the_delta_package_is_the_one_delta_itself_asks_for() -> None:
    theirs = configure_spark_with_delta_pip(SparkSession.builder)._options["spark.jars.packages"]
    assert needed(kafka=False, s3=False).coordinates == (theirs,)


def test_kafka_and_extra_packages_are_added_and_s3_leaves_out_the_huge_sdk_bundle() -> None:
    assert needed(kafka=True, s3=False, extra=["a:b:1"]).coordinates[1:] == (KAFKA, "a:b:1")
    s3 = needed(kafka=False, s3=True)
    assert "org.apache.hadoop:hadoop-aws:3.4.2" in s3.coordinates
    assert s3.excludes == ("software.amazon.awssdk:bundle",)


def test_the_answer_is_kept_and_asked_for_again_when_a_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def resolve(packages: Packages, guide: dict[str, str], environ: dict[str, str]) -> list[str]:
        asked.append((packages.coordinates, guide))
        (tmp_path / "a.jar").touch()
        return [str(tmp_path / "a.jar")]

    monkeypatch.setattr(jars, "_resolve", resolve)
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    settings = {"spark.jars.repositories": "https://example.org", "spark.sql.x": "1"}

    def again(name: str = "g:a:1", settings: dict[str, str] = settings) -> int:
        packages = Packages((name,))
        assert jar_files(packages, settings, environ) == [str(tmp_path / "a.jar")]
        return len(asked)

    assert again() == 1
    assert asked == [(("g:a:1",), {"spark.jars.repositories": "https://example.org"})]
    assert again() == 1
    (tmp_path / "a.jar").unlink()
    assert again() == 2
    assert again("g:a:2") == 3
    assert again(settings={}) == 4


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "-Dhttps.proxyHost=proxy.example -Dhttps.proxyPort=3128"),
        ({"https_proxy": "proxy.example:80"}, "-Dhttps.proxyHost=proxy.example -Dhttps.proxyPort=80"),
        ({"http_proxy": "http://p"}, "-Dhttp.proxyHost=p -Dhttp.proxyPort=80"),
    ],
)
def test_the_proxy_of_the_environment_is_told_to_java(environ: dict[str, str], options: str) -> None:
    assert proxy_options(environ) == options


def test_the_class_path_leaves_out_what_spark_brings_and_takes_each_artifact_once(tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    for own in ("slf4j-api-2.0.17.jar", "jackson-core-2.20.0.jar"):
        (tmp_path / "jars" / own).touch()
    files = [
        "/ivy/io.delta_delta-spark_4.1_2.13-4.2.0.jar",
        "/ivy/org.slf4j_slf4j-api-2.0.13.jar",
        "/ivy/org.xerial.snappy_snappy-java-1.1.10.7.jar",
        "/ivy/org.xerial.snappy_snappy-java-1.1.10.8.jar",
    ]
    assert class_path(files, tmp_path) == [files[0], files[2]]


def test_maven_central_out_of_reach_is_one_sentence_without_a_stack_trace(tmp_path: Path) -> None:
    # Nothing listens on port 9; an empty home makes Ivy forget what it fetched before.
    environ = {
        **os.environ,
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "XDG_CACHE_HOME": str(tmp_path),
        "SPARK_SUBMIT_OPTS": f"-Duser.home={tmp_path}",
    }
    with pytest.raises(Unreachable) as refused:
        jar_files(Packages((KAFKA,)), {"spark.jars.ivy": str(tmp_path / "ivy")}, environ)
    assert str(refused.value) == (
        f"jars: expected the Spark packages {KAFKA} from Maven Central; found Maven Central could not be reached. "
        "Check the network, or set HTTPS_PROXY, or name your mirror in an ivysettings.xml and point "
        "spark.jars.ivySettings at it."
    )
    assert not list((tmp_path / "headrace").glob("jars-*.json"))


def test_a_package_that_does_not_exist_is_named() -> None:
    said = ":: UNRESOLVED DEPENDENCIES ::\n:: org.example#nonesuch;1.0: not found\nException in thread main ..."
    error = refusal(Packages(("io.delta:delta-spark_4.1_2.13:4.2.0", "org.example:nonesuch:1.0")), said)
    assert isinstance(error, Fatal)
    assert "expected the Spark packages org.example:nonesuch:1.0; found Maven Central does not have them" in str(error)


def test_a_launcher_that_dies_is_quoted_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'Error: Could not\n create the Java Virtual Machine' >&2\nexit 1\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(Fatal, match=r"Spark's launcher stopped: Error: Could not create the Java Virtual Machine\."):
        jar_files(Packages(("g:a:1",)), {}, {**os.environ, "XDG_CACHE_HOME": str(tmp_path)})


def test_the_jars_kept_for_this_session_all_exist(spark: SparkSession) -> None:
    files = Jars({}, os.environ).files(kafka=True, s3=False)
    assert any("delta-spark_4.1_2.13-4.2.0" in file for file in files)
    assert [file for file in files if not Path(file).exists()] == []
    # Delta's lead in every session, or the class archive would not fit.
    assert files[: len(Jars({}, os.environ).base())] == Jars({}, os.environ).base()
    assert len(files) == len(set(files))
