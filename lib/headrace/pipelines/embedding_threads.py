"""Embedding beside the job's loop."""

import logging
import threading
from collections.abc import Callable, Sequence

from pyspark import SparkContext

from headrace.errors import FromWorker
from headrace.knowledge.lane import Lane
from headrace.pipelines.streams import POLL_SECONDS

log = logging.getLogger("headrace")
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30.0, 600.0
GRACE_SECONDS = 3.0
"""What a round of embedding may still take once it is not wanted any more. A service may answer none of its calls."""


class EmbeddingThreads:
    """A thread for each lane, so that a new model's backlog holds up nobody.

    What a model cannot go on with, such as a password that ran out, is tried again: what needs no vector goes on.

    Args:
        context: where the jobs of embedding run; those of a round that is not wanted any more are cancelled. What it
            had not written yet is embedded another time.
    """

    def __init__(self, embed: Callable[[Lane], None], context: SparkContext) -> None:
        self._embed, self._context = embed, context
        self._threads: dict[Lane, tuple[threading.Thread, threading.Event]] = {}
        self.failure: BaseException | None = None

    def follow(self, lanes: Sequence[Lane]) -> None:
        """Run threads for these lanes alone; those of others are waited for."""
        for lane in lanes:
            if lane not in self._threads:
                stop = threading.Event()
                thread = threading.Thread(target=self._work, args=(lane, stop), daemon=True)
                self._threads[lane] = (thread, stop)
                thread.start()
        for lane in [one for one in self._threads if one not in lanes]:
            thread, stop = self._threads.pop(lane)
            stop.set()
            thread.join(GRACE_SECONDS)
            while thread.is_alive():
                self._context.cancelJobGroup(_group(lane))
                thread.join(1)

    def _work(self, lane: Lane, stop: threading.Event) -> None:
        pause = PAUSE_SECONDS
        self._context.setJobGroup(_group(lane), f"embedding with {lane.model.name}", interruptOnCancel=True)
        try:
            while not stop.is_set():
                if not lane.lacks_vectors:
                    stop.wait(POLL_SECONDS)
                    continue
                try:
                    self._embed(lane)
                    pause = PAUSE_SECONDS
                except FromWorker as error:
                    log.error("model=%s documents wait for %.0f s, deletes go on: %s", lane.model.name, pause, error)
                    stop.wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        except BaseException as error:
            if not stop.is_set():
                self.failure = error


def _group(lane: Lane) -> str:
    return f"embedding {lane.model.fingerprint}"
