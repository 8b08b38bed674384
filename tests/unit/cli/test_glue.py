"""What AWS Glue's arguments become, and how a stop file and JSON log lines look. No Spark."""

import io
import json
import logging
import threading

import pytest

from headrace import databricks, glue
from headrace.commands import hosted, jobs
from headrace.commands.jobs import run_jobs
from headrace.commands.logs import JsonLines
from headrace.commands.stop_file import StopFile
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.pipelines.check import check
from headrace.pipelines.lake_place import LAKE_ANYWHERE
from headrace.pipelines.watch import telemetry

SETTINGS = """
lake: ./lake
sources: {shop: {from: files, path: ./in, format: debezium}}
tables: {users: {source: shop, key: [id]}}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv(LAKE_ANYWHERE, "1")
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    return str(tmp_path / "headrace.yaml")


@pytest.fixture
def ran(monkeypatch):
    """The configs a job was run with."""
    seen = []

    def job(config, once, stop, telemetry):
        seen.append((config, once))
        return 0

    monkeypatch.setattr(jobs, "load_jobs", lambda names: {name: job for name in names})
    monkeypatch.setattr(hosted, "log_to_stderr", lambda *_: None)
    return seen


def test_glues_own_arguments_are_passed_over(file, ran):
    argv = [
        "--job-bookmark-option", "job-bookmark-disable", "--config", file, "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_1",
        "--TempDir", "s3://b/t", "--name", "prod", "--enable-metrics", "--JOB_NAME", "apply_changes", "--once", "true",
    ]  # fmt: skip
    glue.main("apply_changes", argv)
    [(config, once)] = ran
    assert config.runtime == "glue" and config.metrics.name == "prod" and once and config.metrics.cloudwatch is None


def test_the_settings_can_be_told_to_measure(file):
    assert glue.settings(file, "", "cloudwatch").metrics.cloudwatch.namespace == "Headrace"


@pytest.mark.parametrize("lake", ["./lake", "/dbfs/lake", "dbfs:/lake", "/Volumes/main/shop/lake"])
def test_a_lake_that_is_in_no_bucket_is_refused_on_a_platform(lake, file, tmp_path, monkeypatch):
    (tmp_path / "headrace.yaml").write_text(SETTINGS.replace("./lake", lake))
    monkeypatch.delenv(LAKE_ANYWHERE)
    for runtime in ("glue", "databricks"):
        with pytest.raises(ConfigError, match=f"^lake: expected a bucket, s3://..., with runtime {runtime}; found "):
            hosted.hosted_settings(file, runtime, "")


def test_check_refuses_a_lake_in_no_bucket_where_the_settings_name_a_platform(file, tmp_path, monkeypatch):
    (tmp_path / "headrace.yaml").write_text(SETTINGS + "runtime: glue\n")
    monkeypatch.delenv(LAKE_ANYWHERE)
    [found] = [one for one in check(load(file)) if one.name == "lake"]
    assert not found.ok and found.said.startswith("lake: expected a bucket, s3://..., with runtime glue")


def test_a_lake_in_a_bucket_is_taken_on_a_platform(file, tmp_path, monkeypatch):
    (tmp_path / "headrace.yaml").write_text(SETTINGS.replace("./lake", "s3://shop/lake"))
    monkeypatch.delenv(LAKE_ANYWHERE)
    assert hosted.hosted_settings(file, "glue", "").lake == "s3://shop/lake"


def test_databricks_parameters_become_a_run(file, ran):
    databricks.main(["apply_changes", "--config", file, "--name", "prod", "--once", "true", "--run-id", "7"])
    [(config, once)] = ran
    assert (config.runtime, config.metrics.name, once) == ("databricks", "prod", True)


def test_wrong_databricks_parameters_make_the_run_fail(file, ran, capsys):
    for wrong in (["apply_change", "--config", file], ["apply_changes"], ["apply_changes", "--config", "/nowhere"]):
        with pytest.raises(SystemExit) as ended:
            databricks.main(wrong)
        assert ended.value.code == 2 and not ran


@pytest.mark.parametrize(("settings", "code"), [("lake: 1", 2), (None, 2)])
def test_what_fails_makes_the_run_fail_with_its_message(settings, code, file, ran, tmp_path, capsys):
    if settings is None:
        file = str(tmp_path / "nothing.yaml")
    else:
        (tmp_path / "headrace.yaml").write_text(settings)
    with pytest.raises(SystemExit) as ended:
        glue.main("apply_changes", ["--config", file])
    assert ended.value.code == code and "headrace: " in capsys.readouterr().err and not ran


def test_an_unforeseen_error_makes_the_run_fail(file, ran, monkeypatch, capsys):
    def broken(config, once, stop, telemetry):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(jobs, "load_jobs", lambda names: {name: broken for name in names})
    with pytest.raises(SystemExit) as ended:
        glue.main("apply_changes", ["--config", file])
    assert ended.value.code == 1 and "ZeroDivisionError: odd" in capsys.readouterr().err


def test_a_stop_file_ends_a_running_job_and_keeps_the_next_from_starting(file, tmp_path):
    config, stop_file, runs = load(file), tmp_path / "stop" / "apply_changes", []

    def job(config, once, stop, telemetry):
        runs.append(1)
        stop_file.parent.mkdir()
        stop_file.touch()
        assert stop.wait(20)
        return 0

    watched = StopFile(str(stop_file))
    look = watched.watched
    watched.watched = lambda stop: look(stop, 0.05)
    assert run_jobs({"apply_changes": job}, config, False, None, watched) == 0
    assert run_jobs({"apply_changes": job}, config, False, None, watched) == 0
    assert len(runs) == 1


def test_heartbeats_are_kept_in_the_lake_with_the_runs_id(file, tmp_path):
    def job(config, once, stop, told):
        told.alive("apply_changes", "shop")
        return 0

    config = load(file)
    run_jobs({"apply_changes": job}, config, True, telemetry(config, "jr_7"))
    rows = json.loads((tmp_path / "lake" / "heartbeats" / "apply_changes.json").read_text())
    assert rows["shop"]["run"] == "jr_7"


def test_jobs_run_in_a_thread_that_gets_no_signals(file):
    """Databricks starts a wheel's entry point so."""
    codes = []
    job = {"apply_changes": lambda config, once, stop, telemetry: 0}
    thread = threading.Thread(target=lambda: codes.append(jobs.run_jobs(job, load(file), True)))
    thread.start()
    thread.join(20)
    assert codes == [0]


def test_a_log_line_is_one_json_object():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines("jr_1", ["apply_changes"]))
    logger = logging.Logger("x")
    logger.addHandler(handler)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception('said "so" %s', 7)
    [line] = out.getvalue().splitlines()
    found = json.loads(line)
    assert (found["level"], found["run"], found["jobs"]) == ("ERROR", "jr_1", ["apply_changes"])
    assert found["message"] == 'said "so" 7'
    assert "two\nlines" in found["error"] and found["at"].endswith("+00:00")
