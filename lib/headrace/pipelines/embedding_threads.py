"""Embedding beside the job's loop."""

import logging
import threading
from collections.abc import Callable, Sequence

from headrace.errors import FromWorker
from headrace.knowledge.lane import Lane
from headrace.pipelines.streams import POLL_SECONDS

log = logging.getLogger("headrace")
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30.0, 600.0


class EmbeddingThreads:
    """A thread for each lane, so that a new model's backlog holds up nobody.

    What a model cannot go on with, such as a password that ran out, is tried again: what needs no vector goes on.
    """

    def __init__(self, embed: Callable[[Lane], None]) -> None:
        self._embed = embed
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
            thread.join()

    def _work(self, lane: Lane, stop: threading.Event) -> None:
        pause = PAUSE_SECONDS
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
            self.failure = error
