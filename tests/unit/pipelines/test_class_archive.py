import sys
from pathlib import Path

import pytest

from headrace.pipelines import class_archive

JARS = ["/ivy/io.delta_delta-spark_4.1_2.13-4.2.0.jar"]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the virtual environment, where the archive is kept."""
    monkeypatch.setattr(class_archive, "_environment", lambda: tmp_path)
    return tmp_path


def java(folder: Path, script: str) -> Path:
    launcher = folder / "bin" / "java"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(f"#!/bin/sh\n{script}\n")
    launcher.chmod(0o755)
    return folder


# Writes what it was asked to write, as `java -Xshare:dump` does.
DUMPS = 'for a in "$@"; do case $a in -XX:SharedArchiveFile=*) echo "$@" > "${a#*=}";; esac; done'
# Stands for the warm-up: leaves the class list where the JVM option says, and prints the class path.
WARMS_UP = 'options=$4; list=${options#*List=}; echo Class > "${list%% *}"; echo noise; echo \'"/a.jar:/b.jar"\''


def warm_up(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(sys, "executable", str(java(folder / "python", script) / "bin" / "java"))


def test_a_session_uses_an_archive_only_when_one_was_made_for_this_java_and_these_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = java(tmp_path / "jdk", DUMPS)
    warm_up(tmp_path, monkeypatch, WARMS_UP)
    assert class_archive.options(home, JARS) == ""
    assert class_archive.make(home, JARS)
    (archive,) = tmp_path.glob("headrace-classes-*")
    assert class_archive.options(home, JARS) == f"-XX:SharedArchiveFile={archive} -Xlog:cds*=off"
    assert class_archive.options(home, [*JARS, "/ivy/other.jar"]) == ""
    assert class_archive.options(tmp_path / "other jdk", JARS) == ""
    assert "-cp /a.jar:/b.jar" in archive.read_text()


def test_an_archive_for_other_jars_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = java(tmp_path / "jdk", DUMPS)
    warm_up(tmp_path, monkeypatch, WARMS_UP)
    assert class_archive.make(home, JARS)
    assert class_archive.make(home, ["/ivy/newer.jar"])
    assert len(list(tmp_path.glob("headrace-classes-*"))) == 1
    assert class_archive.options(home, JARS) == ""


@pytest.mark.parametrize(
    ("warming", "dumping"), [("exit 1", DUMPS), ("echo '\"/a.jar\"'", DUMPS), (WARMS_UP, "exit 1")]
)
def test_without_an_archive_sessions_start_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warming: str, dumping: str
) -> None:
    home = java(tmp_path / "jdk", dumping)
    warm_up(tmp_path, monkeypatch, warming)
    assert not class_archive.make(home, JARS)
    assert class_archive.options(home, JARS) == ""
    assert list(tmp_path.glob("headrace-classes-*")) == []
