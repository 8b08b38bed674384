"""The two commands of a stranger: what `make` says on machines where something is missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(folder: Path, *targets: str, **environ: str) -> subprocess.CompletedProcess[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST"))}
    return subprocess.run(
        ["make", *targets], cwd=folder, env=keep | environ, capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what `make install` reads, without any environment."""
    for name in ("Makefile", "setup.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return tmp_path


def test_make_alone_prints_every_target_with_its_purpose(checkout: Path) -> None:
    answer = make(checkout)
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    printed = [line.split()[1] for line in answer.stdout.splitlines()]
    assert sorted(printed) == sorted(targets.group(1).split())
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("python", "found"),
    [("", "none"), ("{folder}/old", "Python 3.9.2"), ("{folder}/absent", "none")],
)
def test_without_a_new_enough_python_one_sentence_says_so(checkout: Path, python: str, found: str) -> None:
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(shutil.which(name) or "")
    old = checkout / "old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    answer = make(checkout, f"PYTHON={python.format(folder=checkout)}", "test", PATH=str(tools))
    sentence = (
        f"make install: failed. Headrace needs Python 3.11 or newer; found {found}. "
        "Install one, or name it: make PYTHON=/path/to/python3.12"
    )
    assert answer.stderr.splitlines()[0] == sentence
    assert answer.returncode != 0


@pytest.mark.parametrize(
    "trouble",
    [
        {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"},
        {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
    ],
    ids=["no index", "no proxy"],
)
def test_pypi_out_of_reach_is_one_sentence_and_no_stack_trace(checkout: Path, trouble: dict[str, str]) -> None:
    # One small package that is nowhere: the machine's own wheels must not satisfy the lock.
    (checkout / "requirements.lock").write_text("headrace-nowhere==1.0\n")
    answer = make(checkout, f"PYTHON={sys.executable}", "demo", PIP_RETRIES="1", PIP_NO_INDEX="0", **trouble)
    said = answer.stdout + answer.stderr
    assert "make install: failed. PyPI could not be reached: check the network or the proxy" in said
    assert "Traceback" not in said
    assert answer.returncode != 0
    assert "headrace-nowhere" in (checkout / ".venv" / "install.log").read_text()


def test_a_package_pypi_does_not_have_is_told_in_pips_own_words(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("headrace-nowhere==1.0\n")
    answer = make(checkout, f"PYTHON={sys.executable}", "install", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(checkout))
    assert "pip said: Could not find a version that satisfies the requirement headrace-nowhere==1.0" in answer.stderr
    assert "PyPI could not be reached" not in answer.stderr


def test_every_requirement_of_setup_py_is_pinned_in_the_lock_with_no_address_in_it() -> None:
    lock = "".join((ROOT / f"requirements{part}.lock").read_text() for part in ("", "-emulators", "-notebooks"))
    pinned = {line.split("==")[0].lower() for line in lock.splitlines() if "==" in line}
    wanted = set(re.findall(r'["\']([A-Za-z][A-Za-z0-9-]*)(?:\[\w+\])?[>=~<]=', (ROOT / "setup.py").read_text()))
    assert {"pyspark", "delta-spark", "pydantic", "psycopg", "pytest"} <= wanted
    assert {name.lower() for name in wanted} - pinned == set()
    assert not re.search(r"://|--(index|find-links|trusted)|file:", lock)
    assert all(re.match(r"[a-z0-9-]+==\S+", line) for line in lock.splitlines() if line and not line.startswith("#"))
