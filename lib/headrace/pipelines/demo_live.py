"""The job that follows the sources while the demo plays: the real one, from the first wave to the last answer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.errors import Fatal
from headrace.pipelines import apply_changes
from headrace.pipelines.lag import lag

TRIGGER = timedelta(seconds=0.5)
PATIENCE = 900.0
"""Seconds that the job may take for a wave; a quiet machine needs ten."""
_LOOK_SECONDS = 0.1


def share(session: SparkSession) -> None:
    """Have this thread use a session: another thread of Python knows none, and would change the settings of the one."""
    session.createDataFrame([], "nothing int")


class Following:
    """A job that runs. Attributes: failure, what ended it."""

    def __init__(self, config: Config, session: SparkSession | None = None) -> None:
        self._config, self._session = config, session
        self.failure: BaseException | None = None

    def run(self, stop: threading.Event) -> None:
        """Run until a stop is asked for; what goes wrong is told by `until`."""
        apply = self._config.apply.model_copy(update={"trigger": TRIGGER})
        try:
            if self._session is not None:
                share(self._session)
            apply_changes.run(self._config.model_copy(update={"apply": apply}), once=False, stop=stop)
        except BaseException as error:
            self.failure = error

    def taken(self, *sources: str) -> None:
        """Wait until all files of these sources are in the lake. Raises as `until`."""
        self.until(lambda: all(lag(self._config, source).behind == 0 for source in sources))

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for what the job will do. Raises what made it fail, or Fatal where it takes too long."""
        end = time.monotonic() + PATIENCE
        while not true():
            if self.failure is not None:
                raise self.failure
            if time.monotonic() > end:
                todo = "Start the demo on a machine with less to do."
                raise Fatal(expected=f"the job to follow within {PATIENCE:.0f} s", found="nothing new", todo=todo)
            time.sleep(_LOOK_SECONDS)


@contextmanager
def following(config: Config, session: SparkSession) -> Iterator[Following]:
    """Run `apply_changes` beside; it is ended in the end. Raises what made it fail."""
    job, stop = Following(config, session), threading.Event()
    thread = threading.Thread(target=job.run, args=[stop], name="apply_changes", daemon=True)
    thread.start()
    try:
        yield job
    finally:
        stop.set()
        thread.join()
    if job.failure is not None:
        raise job.failure
