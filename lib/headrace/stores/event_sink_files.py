"""Events as files of JSON lines in a folder, which a source `from: files` reads.

Each flush is a file of its own that appears whole: written under a hidden name, which Spark passes over, synced, and
renamed. Appending would lose events: the source takes a file once, with what it holds then. So any number of processes
write side by side, and none needs a lock. A day has its own folder.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from headrace.config_conversations import FileEvents
from headrace.stores.event_spool import new_name, put_whole


class FileDelivery:
    """A folder; an `event_buffer.Delivery`."""

    def __init__(self, settings: FileEvents) -> None:
        self._folder = Path(settings.path).expanduser()

    def deliver(self, lines: Sequence[bytes]) -> int:
        """Write one file."""
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        put_whole(self._folder / day, new_name(), b"".join(line + b"\n" for line in lines))
        return 0

    def close(self) -> None:
        """Nothing to do."""
