"""Worker processes that share one quota, against a server that keeps count and refuses what is too much."""

import json
import multiprocessing
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headrace.config_knowledge import HttpEmbed
from headrace.knowledge.embedding import LATER, embed_all
from headrace.stores.embedders import embedder
from headrace.stores.limiter import limiter
from unit.embedders.model_server import DIMENSION, Call, Reply, model_server, vectors


class Bucket:
    """A quota as most services keep it: filled evenly, with room for a burst."""

    def __init__(self, per_minute: int, burst_seconds: float) -> None:
        self._rate, self._room = per_minute / 60, per_minute / 60 * burst_seconds
        self._left, self._at = self._room, time.monotonic()

    def take(self, now: float) -> float | None:
        """None where the call is allowed, else the seconds until one is."""
        self._left, self._at = min(self._room, self._left + (now - self._at) * self._rate), now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return None


class Window:
    """A quota kept to the letter: no 60 seconds hold more."""

    def __init__(self, per_minute: int) -> None:
        self._most, self._taken = per_minute, deque[float]()

    def take(self, now: float) -> float | None:
        while self._taken and self._taken[0] <= now - 60:
            self._taken.popleft()
        if len(self._taken) >= self._most:
            return self._taken[0] + 60 - now
        self._taken.append(now)
        return None


@dataclass(frozen=True)
class Run:
    """What the server counted and the workers got.

    Attributes:
        accepted: times of the calls the server took, from the first.
        refused: how many it refused.
        lost: texts with neither a vector nor the word that their time did not come.
        doubled: texts the server took more than once.
        unpaid: texts with a vector the server did not take, or taken without a vector.
    """

    accepted: list[float]
    refused: int
    lost: int
    doubled: int
    unpaid: int

    def used(self, per_minute: int, seconds: float) -> float:
        """Calls taken in the first so many seconds, as a share of what the quota gives in that time."""
        return sum(time <= seconds for time in self.accepted) / (per_minute / 60 * seconds)


def run(
    quota: Bucket | Window,
    seconds: float,
    *,
    per_minute: int | None,
    folder: Path,
    one_host: bool = True,
    processes: int = 4,
    retry_after: bool = True,
) -> Run:
    """Let so many processes embed for so long, one text a call."""
    taken: list[tuple[float, str]] = []
    refused: list[float] = []
    lock = threading.Lock()

    def answer(call: Call) -> Reply:
        with lock:
            now = time.monotonic()
            wait = quota.take(now)
            if wait is None:
                taken.append((now, call.body["input"][0]))
                return vectors(call)
            refused.append(now)
        headers = {"Retry-After": f"{wait:.2f}"} if retry_after else {}
        return Reply(429, json.dumps({"error": "rate limit"}).encode(), headers)

    with model_server() as server:
        server.answer = answer
        values = {
            "provider": "http", "url": server.url, "model": "m", "dimension": DIMENSION, "batch": 1, "parallel": 8,
            "requests_per_minute": per_minute,
        }  # fmt: skip
        got = _workers(values, seconds, folder, one_host, processes)
    return _told(taken, len(refused), got)


def _workers(
    values: dict[str, Any], seconds: float, folder: Path, one_host: bool, processes: int
) -> list[tuple[str, str]]:
    # Not forked: this process has threads and a JVM's sockets.
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=work, args=(values, number, seconds, folder, one_host, processes, ready, answers))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    got = [pair for _ in workers for pair in answers.get(timeout=seconds + 90)]
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * processes
    answers.close()
    answers.join_thread()
    return got


def work(
    values: dict[str, Any],
    number: int,
    seconds: float,
    folder: Path,
    one_host: bool,
    processes: int,
    ready: Any,
    answers: Any,
) -> None:
    """One worker: its own texts, more than there is time for, in batches as Spark hands them over."""
    settings = HttpEmbed.model_validate(values)
    model = embedder(settings)
    pace = limiter(settings, writers=processes, one_host=one_host, folder=folder)
    texts = [f"text {number} {place}" for place in range(int(seconds * 20))]
    ready.wait(60)
    deadline, outcomes = time.monotonic() + seconds, []
    for start in range(0, len(texts), 64):
        for index, outcome in embed_all(model, texts[start : start + 64], pace, deadline - time.monotonic()):
            kind = "vector" if isinstance(outcome, np.ndarray) else outcome.reason
            outcomes.append((texts[start + index], kind))
    missing = set(texts) - {text for text, _ in outcomes}
    answers.put(outcomes + [(text, "lost") for text in missing])


def _told(taken: Sequence[tuple[float, str]], refused: int, got: Sequence[tuple[str, str]]) -> Run:
    first = taken[0][0]
    times = Counter(text for _, text in taken)
    told = Counter(text for text, _ in got)
    vector, later = ({text for text, kind in got if kind == wanted} for wanted in ("vector", LATER))
    unknown = set(told) - vector - later
    return Run(
        accepted=[now - first for now, _ in taken],
        refused=refused,
        lost=len(unknown) + sum(told.values()) - len(told),
        doubled=sum(count > 1 for count in times.values()),
        unpaid=len(vector ^ set(times)),
    )
