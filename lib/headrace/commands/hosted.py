"""Runs a job where a platform starts it: its message in the log, its exit code for the platform."""

import sys
import traceback
from collections.abc import Callable

from headrace.commands.jobs import load_jobs, run_jobs
from headrace.commands.logs import log_to_stderr
from headrace.commands.stop_file import StopFile
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import ConfigError, HeadraceError
from headrace.pipelines.runtime import Runtime
from headrace.pipelines.watch import telemetry


def run_hosted(job: str, settings: Callable[[], Config], once: bool, run: str, stop: str) -> None:
    """Run a job. Returns where it ended well.

    Args:
        settings: loads them; may raise HeadraceError.
        run: the platform's id of this run.
        stop: the place of the stop file; empty for none.

    Raises:
        SystemExit: 1 it failed, 2 the settings are wrong. A value that is returned a platform would pass over.
    """
    if code := _code(job, settings, once, run, stop):
        sys.exit(code)


def hosted_settings(file: str, runtime: Runtime, name: str) -> Config:
    """The settings file's for a platform, under the name of a deployment where one is given. Raises ConfigError."""
    config = load(file)
    metrics = config.metrics.model_copy(update={"name": name}) if name else config.metrics
    return config.model_copy(update={"runtime": runtime, "metrics": metrics})


def _code(job: str, settings: Callable[[], Config], once: bool, run: str, stop: str) -> int:
    log_to_stderr("json", run, [job])
    try:
        config = settings()
        stop_file = StopFile(stop) if stop else None
        return run_jobs(load_jobs([job]), config, once, telemetry(config, run), stop_file)
    except HeadraceError as error:
        # Not raised: the platform's log would show a trace, and the reason far above its end.
        print(f"headrace: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except Exception:
        traceback.print_exc()
        return 1
