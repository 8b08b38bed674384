"""How the jobs' log lines look: text for people, JSON for machines."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

Form = Literal["text", "json"]


def log_to_stderr(form: Form = "text", run: str = "", jobs: Sequence[str] = ()) -> None:
    """One line a batch; what Spark has to say is left to its own log settings.

    Args:
        form: `json`: an object a line: `at`, `level`, `jobs`, `run`, `message`, and `error` with a trace.
        run: the id of this run. jobs: what runs in this process.
    """
    logger = logging.getLogger("headrace")
    if logger.handlers:
        return
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines(run, jobs) if form == "json" else text)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """Each record as a JSON object on one line."""

    def __init__(self, run: str, jobs: Sequence[str]) -> None:
        super().__init__()
        self._run, self._jobs = run, list(jobs)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "jobs": self._jobs,
            "run": self._run,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
