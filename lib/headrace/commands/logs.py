"""How the jobs' log lines look: text for people, JSON for machines."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

Form = Literal["text", "json"]


def log_to_stderr(form: Form = "text", run: str = "", stream: TextIO | None = None) -> None:
    """One line a batch; what Spark has to say is left to its own log settings.

    Args:
        form: `json`: an object a line: `at`, `level`, `job`, `run`, `message`, and `error` with a trace.
        run: the id of this run.
    """
    logger = logging.getLogger("headrace")
    if logger.handlers:
        return
    handler = logging.StreamHandler(stream or sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines(run) if form == "json" else text)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """Each record as a JSON object on one line."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "job": record.threadName,
            "run": self._run,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
