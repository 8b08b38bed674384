"""The command line itself: help, exit codes, errors, and what it does not load."""

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from headrace import __version__, cli
from headrace.cli import VERBS, main
from headrace.commands import jobs
from headrace.commands import run as run_verb
from headrace.errors import Unreachable
from headrace.stores.disk import disk_trouble

SETTINGS = """
lake: ./lake
sources: {feed: {from: files, path: ./in, format: debezium}}
tables: {users: {source: feed, key: [id]}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> str:
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    return str(tmp_path / "headrace.yaml")


def use_job(monkeypatch, run) -> None:
    """Make `run` the job apply_changes."""
    monkeypatch.setitem(sys.modules, "a_job", SimpleNamespace(run=run))
    monkeypatch.setitem(jobs.JOBS, "apply_changes", "a_job")


def test_help_lists_every_verb_with_one_line_and_three_examples(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for verb, summary in VERBS.items():
        assert re.search(rf"^    {verb}\s+{re.escape(summary.split()[0])}", out, re.MULTILINE)
    assert len(re.findall(r"^  headrace ", out.split("examples:")[1], re.MULTILINE)) == 3


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_own_help(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"usage: headrace {verb}" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"headrace {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["table"], ["trace", "users"], ["status", "--nope"]])
def test_a_wrong_command_line_ends_with_2(arguments, capsys):
    assert main(arguments) == 2
    assert "usage: headrace" in capsys.readouterr().err


def test_help_and_wrong_settings_load_neither_spark_nor_a_client_library(tmp_path):
    """What makes them instant; the time itself depends on the machine."""
    (tmp_path / "wrong.yaml").write_text("lake: 5")
    script = """
import sys
from headrace.cli import main
assert main(["--help"]) == 0
assert main(["run", "apply_changes", "--config", sys.argv[1]]) == 2
heavy = {"pyspark", "pyarrow", "pandas", "numpy", "deltalake", "confluent_kafka", "boto3"} & set(sys.modules)
assert not heavy, heavy
"""
    command = [sys.executable, "-c", script, str(tmp_path / "wrong.yaml")]
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_wrong_settings_end_with_2_and_the_report_on_stderr(tmp_path, capsys):
    (tmp_path / "wrong.yaml").write_text(SETTINGS.replace("key: [id]", "kee: [id]"))
    assert main(["run", "apply_changes", "--config", str(tmp_path / "wrong.yaml")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "tables.users.kee" in err and "Did you mean key?" in err and "Traceback" not in err


def test_an_unknown_job_lists_the_known_ones(settings, capsys):
    assert main(["run", "apply_change", "--config", settings]) == 2
    known = "apply_changes, build_profiles, index_knowledge, track_feedback, curate_dataset, all"
    assert f"expected one of the jobs {known}; found apply_change" in capsys.readouterr().err


@pytest.mark.parametrize(("names", "once"), [(["apply_changes"], True), (["all"], False)])
def test_run_hands_the_settings_and_once_to_the_job(names, once, settings, monkeypatch):
    seen = []
    use_job(monkeypatch, lambda config, once, stop, _: seen.append((config.lake, once, stop.is_set())) or 0)
    assert main(["run", *names, "--config", settings, *(["--once"] if once else [])]) == 0
    assert seen == [(str(Path(settings).parent / "lake"), once, False)]


def test_with_once_datasets_are_made_after_what_they_are_made_of(monkeypatch):
    ran = []
    monkeypatch.setattr(run_verb, "run_named", lambda names, *_: ran.append(list(names)) or len(ran))
    all_jobs = ["apply_changes", "track_feedback", "curate_dataset"]
    monkeypatch.setattr(run_verb, "load", lambda _: None)
    monkeypatch.setattr(run_verb, "_configured", lambda _: all_jobs)
    monkeypatch.setattr(run_verb, "log_to_stderr", lambda *_: None)
    assert main(["run", "all", "--once"]) == 2
    assert ran == [["apply_changes", "track_feedback"], ["curate_dataset"]]
    ran.clear()
    assert main(["run", "all"]) == 1
    assert main(["run", "curate_dataset", "--once"]) == 2
    assert ran == [all_jobs, ["curate_dataset"]]


def test_a_job_runs_outside_the_main_thread_so_that_pyspark_installs_no_handler(settings, monkeypatch):
    names = []
    use_job(monkeypatch, lambda *_: names.append(threading.current_thread() is threading.main_thread()) or 0)
    assert main(["run", "apply_changes", "--config", settings]) == 0
    assert names == [False]


def test_the_exit_code_of_a_job_is_the_exit_code(settings, monkeypatch):
    use_job(monkeypatch, lambda *_: 3)
    assert main(["run", "apply_changes", "--config", settings]) == 3


def test_an_expected_error_is_a_message_and_1(settings, monkeypatch, capsys):
    def job(*_):
        raise Unreachable(where="shop", expected="a broker", found="silence", todo="Start it.")

    use_job(monkeypatch, job)
    assert main(["run", "apply_changes", "--config", settings]) == 1
    assert capsys.readouterr().err == "headrace: shop: expected a broker; found silence. Start it.\n"


def test_a_failing_job_stops_the_others():
    stopped = threading.Event()

    def fails(*_):
        raise Unreachable(expected="a", found="b", todo="c")

    def waits(config, once, stop, telemetry):
        if stop.wait(30):
            stopped.set()
        return 0

    with pytest.raises(Unreachable):
        jobs.run_jobs({"fails": fails, "waits": waits}, None, False)
    assert stopped.is_set()


def test_an_unexpected_error_is_short_and_its_trace_is_kept_in_a_file(settings, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    use_job(monkeypatch, lambda *_: {}["missing"])
    assert main(["run", "apply_changes", "--config", settings]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "headrace: unexpected KeyError: 'missing'"
    file = Path(re.search(r"The full trace is in (\S+); --debug shows it here\.", second)[1])
    assert "Traceback" in file.read_text() and "KeyError: 'missing'" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_full_disk_is_said_wherever_it_is_told(settings, monkeypatch, capsys):
    def job(*_):
        try:
            raise OSError(28, "No space left on device", "/lake/tables/users/1.parquet")
        except OSError as error:
            raise RuntimeError("[TASK_WRITE_FAILED] Task failed while writing rows") from error

    use_job(monkeypatch, job)
    assert main(["run", "apply_changes", "--config", settings]) == 1
    assert capsys.readouterr().err == (
        "headrace: expected a file system that takes what is written; found No space left on device "
        "(/lake/tables/users/1.parquet). Free some room, then start again: what was committed is whole, the rest is "
        "done again.\n"
    )


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("java.io.IOException: No space left on device\n\tat java.base/sun.nio", "No space left on device"),
        (
            "java.nio.file.FileSystemException: /lake/_delta_log: Read-only file system",
            "Read-only file system (/lake/_delta_log)",
        ),
        ("java.io.FileNotFoundException: /lake/a.parquet (Too many open files)", "Too many open files"),
    ],
)
def test_disk_trouble_is_found_in_what_java_says(said, found):
    trouble = disk_trouble(RuntimeError(f"An error occurred\nCaused by: {said}"))
    assert trouble is not None and trouble.found == found
    assert disk_trouble(RuntimeError("Spaces left on a device")) is None


def test_debug_shows_the_trace(settings, monkeypatch, capsys):
    use_job(monkeypatch, lambda *_: {}["missing"])
    assert main(["run", "apply_changes", "--debug", "--config", settings]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_missing_spark_names_the_install_line(settings, monkeypatch, capsys, tmp_path):
    (tmp_path / "a_job_for_spark.py").write_text("import pyspark.no_such_part")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(jobs.JOBS, "apply_changes", "a_job_for_spark")
    assert main(["run", "apply_changes", "--config", settings]) == 1
    assert "found no module pyspark.no_such_part. Run `pip install 'headrace[local]'`" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(settings):
    lines = "\n".join(f"  t{n}: {{source: feed, key: [id]}}" for n in range(3000))
    text = SETTINGS.replace("tables: {users: {source: feed, key: [id]}}", "tables:\n" + lines)
    Path(settings).write_text(text)
    command = f"{sys.executable} -m headrace.cli status --config {settings} | head -1; exit ${{PIPESTATUS[0]}}"
    environ = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_reports_each_thing_and_what_to_fix(settings, capsys):
    assert main(["check", "--config", settings]) == 1
    out = capsys.readouterr().out
    folder = Path(settings).parent
    assert f"ok      settings: {settings} (1 tables, 1 sources)" in out
    assert f"ok      lake: {folder}/lake: written, read and deleted a file (the folder is new)" in out
    assert (
        f"FAILED  source feed: folder: {folder}/in: no such folder\n        Create it, or correct sources.feed.path."
        in out
    )
    assert out.rstrip().endswith("1 of 5 checks failed.")
    assert list((folder / "lake").iterdir()) == []


def test_check_passes_when_everything_is_there(settings, capsys):
    (Path(settings).parent / "in").mkdir()
    (Path(settings).parent / "in" / "a.jsonl").write_text("{}")
    assert main(["check", "--json", "--config", settings]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["checks"][-1]["said"].endswith("/in: 1 files")


def test_check_tells_of_a_broker_that_does_not_answer_and_a_lake_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    text = SETTINGS.replace("./lake", "./file/lake")
    shop = "{from: kafka, servers: '127.0.0.1:9', topics: [a], format: debezium}"
    (tmp_path / "headrace.yaml").write_text(text.replace("{from: files, path: ./in, format: debezium}", shop))
    began = time.monotonic()
    assert main(["check", "--json", "--config", str(tmp_path / "headrace.yaml")]) == 1
    failed = {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"] if not one["ok"]}
    assert set(failed) == {"lake", "source feed: kafka"}
    assert "Connection refused" in failed["source feed: kafka"]["said"]
    assert time.monotonic() - began < 60
