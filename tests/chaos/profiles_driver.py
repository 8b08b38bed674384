"""`headrace run apply_changes build_profiles`, which tells a file of each write, and waits at one of them to be killed.

Arguments: the file, a part of what the write is called, how many such writes go by before, and those of `headrace`.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.crashing_lake import CrashingLake
from headrace import cli
from headrace.pipelines import build_profiles, profile_plan, profile_progress, progress
from headrace.stores.keyed_sqlite import SqliteStore

LONG_ENOUGH = 20.0


class Telling:
    """Stands where a `Plan` does: every write goes through, with a line before it and one after it."""

    def __init__(self, file: Path, target: str, passed: int) -> None:
        self._file, self._target, self._left = file.open("a"), target, passed + 1
        self._lock = threading.Lock()

    def write(self, what: str, commit: Callable[[], Any]) -> Any:
        with self._lock:
            self._left -= self._target in what
            here = self._left == 0 and self._target in what
        self._tell(f"{'here' if here else 'begin'} {what}")
        done = commit()
        if here:
            time.sleep(LONG_ENOUGH)
        self._tell(f"end {what}")
        return done

    def watched(self, real: Callable[..., Any], what: str) -> Callable[..., Any]:
        """A function that writes, told of."""
        return lambda *args, **named: self.write(what, lambda: real(*args, **named))

    def _tell(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


def main() -> int:
    """Run until killed, or with `--once` until all is done."""
    file, target, passed, *arguments = sys.argv[1:]
    telling = Telling(Path(file), target, int(passed))
    build_profiles.Lake = lambda spark, root: CrashingLake(spark, root, telling)  # type: ignore[arg-type]
    for owner, name, what in (
        (profile_plan, "keep", "job: keep plan"),
        (profile_plan, "done", "job: forget plan"),
        (profile_progress, "keep", "job: keep progress"),
        (progress, "keep", "publish: keep progress"),
        (SqliteStore, "write", "publish: write store"),
    ):
        setattr(owner, name, telling.watched(getattr(owner, name), what))
    return cli.main(["run", "apply_changes", "build_profiles", *arguments])


if __name__ == "__main__":
    sys.exit(main())
