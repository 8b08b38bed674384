"""Embedding beside the job's loop."""

import threading
from collections.abc import Callable, Sequence

from headrace.knowledge.lane import Lane
from headrace.pipelines.streams import POLL_SECONDS


class EmbeddingThreads:
    """A thread for each lane, so that a new model's backlog holds up nobody."""

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
        try:
            while not stop.is_set():
                if lane.lacks_vectors:
                    self._embed(lane)
                else:
                    stop.wait(POLL_SECONDS)
        except BaseException as error:
            self.failure = error
