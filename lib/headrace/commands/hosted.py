"""Runs a job where a platform starts it: its message in the log, its exit code for the platform."""

import sys
import traceback
from collections.abc import Callable

from headrace.commands.jobs import run_named
from headrace.commands.logs import log_to_stderr
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import HeadraceError, exit_code
from headrace.pipelines.lake_place import check_lake
from headrace.pipelines.runtime import Runtime


def run_hosted(job: str, settings: Callable[[], Config], once: bool, run: str, stop: str) -> None:
    """Run a job. Returns where it ended well.

    Args:
        settings: loads them; may raise HeadraceError.
        run: the platform's id of this run.
        stop: the place of the stop file; empty for none.

    Raises:
        SystemExit: with the exit code (`errors.exit_code`). A value that is returned a platform would pass over.
    """
    if code := _code(job, settings, once, run, stop):
        sys.exit(code)


def hosted_settings(file: str, runtime: Runtime, name: str) -> Config:
    """The settings file's for a platform, under the name of a deployment where one is given. Raises ConfigError."""
    config = load(file)
    check_lake(config.lake, runtime)
    metrics = config.metrics.model_copy(update={"name": name}) if name else config.metrics
    return config.model_copy(update={"runtime": runtime, "metrics": metrics})


def _code(job: str, settings: Callable[[], Config], once: bool, run: str, stop: str) -> int:
    log_to_stderr("json", run, [job])
    try:
        return run_named([job], settings(), once, run, stop)
    except HeadraceError as error:
        # Not raised: the platform's log would show a trace, and the reason far above its end.
        print(f"headrace: {error}", file=sys.stderr)
        return exit_code(error)
    except Exception as error:
        traceback.print_exc()
        return exit_code(error)
