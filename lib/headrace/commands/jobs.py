"""Runs jobs in worker threads while the main thread listens for signals."""

import importlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType, ModuleType

from headrace.commands.stop_file import StopFile
from headrace.config import Config
from headrace.config_metrics import Metrics
from headrace.errors import MissingDependency
from headrace.pipelines import watch
from headrace.pipelines.telemetry import Telemetry
from headrace.stores.files import LakeFiles
from headrace.stores.lake_lock import only_run

log = logging.getLogger("headrace")
Job = Callable[[Config, bool, threading.Event, Telemetry], int]

JOBS: Mapping[str, str] = {
    "apply_changes": "headrace.pipelines.apply_changes",
    "build_profiles": "headrace.pipelines.build_profiles",
    "index_knowledge": "headrace.pipelines.index_knowledge",
    "track_feedback": "headrace.pipelines.track_feedback",
    "curate_dataset": "headrace.pipelines.curate_dataset",
}
"""Every job and its module; `run(config, once, stop, telemetry) -> exit code` is in each."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def needs_spark() -> Iterator[None]:
    """Around imports that need Spark: a missing package is named with its install line."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pyspark", "delta", "py4j", "pyarrow", "pandas"):
            raise
        raise MissingDependency(
            expected="pyspark and delta-spark",
            found=f"no module {error.name}",
            todo="Run `pip install 'headrace[local]'`; Glue and Databricks bring them.",
        ) from error


def load_jobs(names: Sequence[str]) -> dict[str, Job]:
    """Import the jobs named. Raises MissingDependency without Spark."""
    with needs_spark():
        modules: dict[str, ModuleType] = {name: importlib.import_module(JOBS[name]) for name in names}
    return {name: _alone(name, module.run) for name, module in modules.items()}


def run_named(names: Sequence[str], config: Config, once: bool, run: str, stop: str) -> int:
    """Import jobs and run them, told of by the settings' metrics and by heartbeats; the largest of their exit codes.

    Args:
        run: the id of this run.
        stop: the place of the stop file; empty for none.
    """
    return run_jobs(load_jobs(names), config, once, watch.telemetry(config, run), StopFile(stop) if stop else None)


def _alone(name: str, job: Job) -> Job:
    """The job, refusing to run where another process runs it on the same lake."""

    def run(config: Config, once: bool, stop: threading.Event, telemetry: Telemetry) -> int:
        LakeFiles(config.lake).create()
        with only_run(config.lake, name):
            return job(config, once, stop, telemetry)

    return run


def run_jobs(
    jobs: Mapping[str, Job],
    config: Config,
    once: bool,
    telemetry: Telemetry | None = None,
    stop_file: StopFile | None = None,
) -> int:
    """Run the jobs side by side until all have ended; the largest of their exit codes.

    The first SIGINT or SIGTERM asks them to finish the running micro-batch and stop; a second one ends the process at
    once. A job that fails stops the others, and its error is raised here.

    Args:
        telemetry: is told what the jobs do, and closed in the end.
        stop_file: asks for a stop too; where it is there already, nothing runs.
    """
    if stop_file and stop_file.is_there():
        log.warning("stop file %s is there: nothing is run until it is removed", stop_file.place)
        return 0
    stop = threading.Event()
    told = telemetry or Telemetry(Metrics())
    ended: dict[str, int] = {}
    failed: list[BaseException] = []

    def work(name: str, job: Job) -> None:
        try:
            ended[name] = job(config, once, stop, told)
        except BaseException as error:
            failed.append(error)
            stop.set()

    # Not in the main thread: PySpark would put its own SIGINT handler there, which cancels the running batch.
    threads = [threading.Thread(target=work, args=item, name=item[0], daemon=True) for item in jobs.items()]
    try:
        with _graceful(stop), stop_file.watched(stop) if stop_file else nullcontext():
            told.start()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        told.close()
    if failed:
        raise failed[0]
    return max(ended.values(), default=0)


@contextmanager
def _graceful(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # A platform's own thread, which gets no signals.
        yield
        return
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        stop.set()
        # Not print: the handler may have interrupted one.
        os.write(2, b"Stopping after the running batch. Once more (Ctrl-C or SIGTERM) ends at once.\n")

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
