"""One run of a job on a lake at a time, where the lake is a folder: each table has one writer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from headrace.errors import Fatal

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def only_run(lake: str, job: str) -> Iterator[None]:
    """Hold the lake for a job; the operating system lets go of it when the process ends, however it ends.

    A lake in S3 or /Volumes is not held: there the platform starts a job once.

    Raises:
        Fatal: another process runs this job on the lake.
    """
    if "://" in lake or fcntl is None:
        yield
        return
    folder = os.path.join(lake, "locks")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, job), "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Fatal(
                where=lake,
                expected=f"one run of {job} on a lake",
                found=f"another, process {file.read().strip() or 'unknown'}",
                todo="Stop that one first: each table has one writer.",
            ) from None
        except OSError:  # a network folder without locks
            yield
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
