"""A file that asks jobs to stop: where no signal reaches them, an operator puts it there and takes it away again."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headrace.errors import HeadraceError
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
LOOK_SECONDS = 10.0


class StopFile:
    """The file at a path or `s3://bucket/key`; its content does not matter."""

    def __init__(self, place: str) -> None:
        folder, _, self._name = place.rstrip("/").rpartition("/")
        self.place, self._files = place, LakeFiles(folder or "/")

    def is_there(self) -> bool:
        """Whether a stop is asked for. Raises Unreachable."""
        return self._files.exists(self._name)

    @contextmanager
    def watched(self, stop: threading.Event, seconds: float = LOOK_SECONDS) -> Iterator[None]:
        """Within, `stop` is set soon after the file appears."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(seconds):
                try:
                    if self.is_there():
                        log.info("stop file %s is there: stopping after the running batch", self.place)
                        stop.set()
                        return
                except HeadraceError as error:
                    log.warning("stop file: %s", error)

        thread = threading.Thread(target=look, name="stop-file", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(timeout=5)
