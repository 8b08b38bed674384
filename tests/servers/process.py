"""Operating-system side of a test server: a free port, one process in its own group, waiting until it answers."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class ServerError(RuntimeError):
    """A test server did not start, died, or did not answer in time; the message ends with its last log lines."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(done: Callable[[], bool], what: str, seconds: float, every: float = 0.1) -> float:
    """Polls `done` until it is true; returns the seconds it took. Raises ServerError naming `what` after `seconds`."""
    started = time.monotonic()
    while not done():
        if time.monotonic() - started > seconds:
            raise ServerError(f"expected within {seconds:.0f} s: {what}; it did not happen")
        time.sleep(every)  # the only wait there is: between two polls, under a deadline
    return time.monotonic() - started


class Process:
    """One child process in its own process group, its output in a log file, always ended by its own pid."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.cwd = cwd or folder
        self.name, self.command, self.folder = name, list(command), folder
        self.environment = {**os.environ, **(environment or {})}
        self.user = user
        self.log = folder / f"{name}.log"
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process; a second start of a running process is an error."""
        if self.running():
            raise ServerError(f"{self.name} is running already as pid {self.pid}")
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
            )

    @property
    def pid(self) -> int:
        """The process id of the started child."""
        if self.child is None:
            raise ServerError(f"{self.name} was never started")
        return self.child.pid

    def running(self) -> bool:
        """Whether the child was started and has not ended."""
        return self.child is not None and self.child.poll() is None

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> float:
        """Waits until `ready()` is true; returns the seconds. Raises ServerError with the log's end when it is not."""

        def answered() -> bool:
            if not self.running():
                raise ServerError(f"{self.name} ended with {self.child and self.child.returncode}:\n{self.log_tail()}")
            return ready()

        try:
            return wait_until(answered, f"{self.name} answers", seconds)
        except ServerError as error:
            raise ServerError(f"{error}\n{self.log_tail()}") from None

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 20) -> int | None:
        """Sends `how`, kills the group when stopping takes longer than `seconds`; returns the exit code."""
        if self.child is None or self.child.poll() is not None:
            return None if self.child is None else self.child.returncode
        os.kill(self.child.pid, how)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill9()

    def kill9(self) -> int | None:
        """Ends the whole process group at once, as a lost machine would; returns the exit code."""
        if self.child is None or self.child.poll() is not None:
            return None if self.child is None else self.child.returncode
        os.killpg(self.child.pid, signal.SIGKILL)
        return self.child.wait(20)

    def rss_mb(self) -> float:
        """Resident memory of the process and its descendants in MB (Linux: read from /proc)."""
        return sum(_rss_kb(pid) for pid in _family(self.pid)) / 1024

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of the process's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


def _die_with_parent() -> None:
    """Linux: a server does not outlive a test run that was killed itself (PR_SET_PDEATHSIG is 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(children.get(pid, []))
    return found


def _rss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0
