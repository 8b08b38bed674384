"""The program under test: `headrace run apply_changes`, as a process of its own, on one folder."""

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from headrace.pipelines.runtime import INTERPRETED, SHORT_LIVED

from .process import Process, ServerError, wait_until

# Plans are compiled in the soak, in `make package-test` and in the README's script; servers are asked the same.
SPARK = {
    "spark.master": "local[2]",
    **SHORT_LIVED,
    **({} if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else INTERPRETED),
}


class Driver:
    """Streams changes into `<folder>/lake` until stopped, killed, or done (`once`).

    Args:
        environment: more variables, such as those that hold secrets.
        settings: more of the settings, by their names.
    """

    def __init__(
        self,
        folder: Path,
        sources: dict[str, Any],
        tables: dict[str, Any],
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.folder, self.lake = folder, folder / "lake"
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "headrace.yaml"
        body = {"lake": str(self.lake), "sources": sources, "tables": tables, "spark": SPARK, **settings}
        self.config.write_text(yaml.safe_dump(body, sort_keys=False))
        program = Path(sys.executable).with_name("headrace")
        self.command = [str(program), "run", "apply_changes", "--config", str(self.config)]
        self.environment = environment
        self.process = Process("headrace", self.command, folder, environment)

    def start(self) -> "Driver":
        """Starts streaming; returns at once."""
        self.process.start()
        return self

    def once(self, seconds: float = 900) -> None:
        """Processes what is there. Raises ServerError with the end of the log unless it ends with 0 in time."""
        process = Process("headrace", [*self.command, "--once"], self.folder, self.environment)
        process.start()
        try:
            wait_until(lambda: not process.running(), "headrace run --once ends", seconds)
        finally:
            process.kill9()
        if process.child and process.child.returncode != 0:
            raise ServerError(f"headrace run --once ended with {process.child.returncode}:\n{process.log_tail()}")

    def stop(self, seconds: float = 900) -> int | None:
        """Asks the stream to finish its batch and stop; returns the exit code."""
        return self.process.stop(signal.SIGTERM, seconds)

    def kill9(self) -> None:
        """Ends the driver, Python and JVM, as a lost machine would."""
        self.process.kill9()

    def forget_last_commit(self, source: str) -> None:
        """Leaves the checkpoint as a kill just before a batch is marked done leaves it: the batch must run again."""
        commits = self.lake / "checkpoints" / "apply_changes" / source / "commits"
        last = max(int(path.name) for path in commits.iterdir() if path.name.isdigit())
        (commits / str(last)).unlink()
        (commits / f".{last}.crc").unlink(missing_ok=True)

    def wait_commits(self, tables: Iterable[str], more: int = 1, seconds: float = 600) -> None:
        """Waits until each table has `more` commits than now; raises ServerError when the driver ends before."""
        goals = {name: self.commits(name) + more for name in tables}
        self.process.wait_ready(lambda: all(self.commits(name) >= goal for name, goal in goals.items()), seconds)

    def commits(self, table: str) -> int:
        """How many commits the ordered table has."""
        return len(list((self.lake / "tables" / table / "_delta_log").glob("*[0-9].json")))
