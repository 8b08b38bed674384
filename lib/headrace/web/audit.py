"""Who read whose record: one line of JSON for each, written before the record is shown."""

import json
import logging
import os
from datetime import datetime
from pathlib import Path

from headrace.errors import Unreachable

_log = logging.getLogger("headrace.audit")


class Audit:
    """Where the lines go.

    Args:
        path: a file, which only grows; the log where None.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path

    def read(self, at: datetime, reader: str, person: str, what: str) -> None:
        """A reader is about to see something of a person.

        Raises:
            Unreachable: the line cannot be written; then nothing is shown.
        """
        line = json.dumps({"at": at.isoformat(), "reader": reader, "person": person, "what": what})
        if self._path is None:
            _log.info("audit %s", line)
            return
        try:
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                # One call: lines of several processes do not mix.
                os.write(handle, f"{line}\n".encode())
            finally:
                os.close(handle)
        except OSError as error:
            todo = "Give the process a folder it may write to."
            raise Unreachable(where="web.audit", expected="a file to write to", found=str(error), todo=todo) from error
