"""Ctrl-C and SIGTERM: the running micro-batch finishes and the process ends with 0; a second signal ends it at once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

JOB = """
import sys, threading, time
from headrace.commands.jobs import run_jobs

def job(config, once, stop, telemetry):
    print("batch started", flush=True)
    stop.wait(60)
    {work}
    print("batch committed", flush=True)
    return 0

sys.exit(run_jobs({{"fake": job}}, None, False))
"""
SPARK_JOB = """
import sys
from headrace.commands.jobs import run_jobs
from headrace.pipelines.runtime import spark_session

def job(config, once, stop, telemetry):
    spark = spark_session("signals", settings={{"spark.master": "local[1]"}})
    spark.range(10).count()
    print("batch started", flush=True)
    assert stop.wait(120)
    stop.wait(2)
    print("batch committed", spark.range(1000).count(), flush=True)
    return 0

sys.exit(run_jobs({{"spark": job}}, None, False))
"""


@contextmanager
def running(script: str) -> Iterator["subprocess.Popen[str]"]:
    """The script in a process group of its own, as a shell would start it."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=environ,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "batch started\n", process.stderr.read() if process.stderr else ""
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_the_running_batch_finish(number):
    with running(JOB.format(work="time.sleep(0.3)")) as process:
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "batch committed\n")
    assert err == "Stopping after the running batch. Once more (Ctrl-C or SIGTERM) ends at once.\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_the_process_at_once(number, code):
    with running(JOB.format(work="time.sleep(60)")) as process:
        os.killpg(process.pid, number)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Stopping after")
        os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_java_outlives_a_signal_to_the_whole_group_until_the_batch_is_done(number):
    """Without the shim's `trap`, SIGTERM to the group ends the JVM under the running batch."""
    with running(SPARK_JOB.format()) as process:
        group = process.pid
        os.killpg(group, number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "batch committed 1000\n"), err
    deadline_passed = not _ends(group)
    assert not deadline_passed, "Java is still there after Python ended"


def _ends(group: int) -> bool:
    """Whether the last process of the group ends within a minute."""
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        if all(_state(entry) == "Z" for entry in _members(group)):
            return True
    return False


def _members(group: int) -> list[Path]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(entry.name)) == group:
                found.append(entry)
        except ProcessLookupError:
            continue
    return found


def _state(entry: Path) -> str:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
