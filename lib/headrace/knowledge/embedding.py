"""Texts to vectors within a given time: batches, threads, turns at the service, one bad text at a time.

Works on the ports only.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from headrace.errors import Retryable
from headrace.ports import Embedder, Purpose, Throttled, Unacceptable, Vectors

LATER = "later"
"""The reason of texts that the time given did not reach. It is no failed attempt."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Why a text has no vector. `retry`: the same text may get one later."""

    reason: str
    retry: bool

    @property
    def tried(self) -> bool:
        """Whether the service was asked and failed. A call it throttled does not count."""
        return self.reason != LATER


Outcome = Vectors | Missed
Outcomes = list[tuple[int, Outcome]]


Turn = tuple[float, float]
"""When a call may be made, and a mark of the limiter's own."""


class Limiter(Protocol):
    """Hands out turns at a service. All times are `time.monotonic()`. It may be used from several threads."""

    def turn(self, tokens: int, latest: float) -> Turn | None:
        """When a call of so many tokens may be made, now reserved; None where that is after `latest`."""

    def stands(self, turn: Turn) -> bool:
        """Whether a turn can still be used: the service refused no call in between."""

    def throttled(self, turn: Turn, retry_after: float | None) -> None:
        """The service refused the call of this turn for now; `retry_after` in seconds, where it said."""


def estimate(text: str) -> int:
    """Tokens of a text, rather too many: a third of its UTF-8 bytes. English has four a token, Chinese three."""
    return len(text.encode("utf-8", "surrogatepass")) // 3 + 1


def embed_all(
    embedder: Embedder,
    texts: Sequence[str],
    limiter: Limiter,
    seconds: float,
    *,
    purpose: Purpose = "document",
    parallel: int | None = None,
    tokens: Callable[[str], int] = estimate,
) -> Iterator[tuple[int, Outcome]]:
    """Index and outcome of every text, each once, as they come.

    A batch the embedder finds unacceptable is halved until the bad text stands alone. A throttled call waits for the
    pause and is made again. No call is begun after `seconds`; one under way may run for its own timeout longer.

    Args:
        parallel: calls at a time; the embedder's own wish (`parallel`) where not given.

    Raises: what the embedder raises, except Retryable and Unacceptable; outcomes known by then come first.
    """
    run = _Run(embedder, texts, limiter, time.monotonic() + seconds, purpose, tokens)
    threads = min(parallel or int(getattr(embedder, "parallel", 1)), len(run.todo))
    yield from run.together(threads) if threads > 1 else run.alone()
    yield from ((index, Missed(LATER, retry=True)) for piece in run.todo for index in piece)


class _Run:
    def __init__(
        self,
        embedder: Embedder,
        texts: Sequence[str],
        limiter: Limiter,
        deadline: float,
        purpose: Purpose,
        tokens: Callable[[str], int],
    ) -> None:
        self._embedder, self._texts, self._limiter = embedder, texts, limiter
        self._deadline, self._purpose, self._tokens = deadline, purpose, tokens
        self._stop = threading.Event()
        size = embedder.batch
        # Pieces are lists of indexes. Threads only pop and push, which a deque does in one step.
        self.todo = deque(list(range(len(texts)))[start : start + size] for start in range(0, len(texts), size))

    def alone(self) -> Iterator[tuple[int, Outcome]]:
        while (outcomes := self._step()) is not None:
            yield from outcomes

    def together(self, threads: int) -> Iterator[tuple[int, Outcome]]:
        results: SimpleQueue[Outcomes | BaseException | None] = SimpleQueue()
        failure: BaseException | None = None
        with ThreadPoolExecutor(threads, thread_name_prefix="embed") as pool:
            try:
                for _ in range(threads):
                    pool.submit(self._work, results)
                while threads:
                    result = results.get()
                    if result is None:
                        threads -= 1
                    elif isinstance(result, BaseException):
                        failure = failure or result
                    else:
                        yield from result
            finally:
                self._stop.set()  # also where the reader of this generator leaves early
        if failure is not None:
            raise failure

    def _work(self, results: "SimpleQueue[Outcomes | BaseException | None]") -> None:
        try:
            while (outcomes := self._step()) is not None:
                results.put(outcomes)
        except BaseException as error:  # whatever it is, the reader must hear of it
            self._stop.set()
            results.put(error)
        finally:
            results.put(None)

    def _step(self) -> Outcomes | None:
        """Outcomes of one call, none where its texts went back to `todo`; None when there is no more to do."""
        if self._stop.is_set():
            return None
        try:
            piece = self.todo.popleft()
        except IndexError:
            return None
        if (turn := self._wait(piece)) is None:
            self.todo.appendleft(piece)
            return None
        try:
            vectors = self._embedder.embed([self._texts[index] for index in piece], self._purpose)
        except Throttled as error:
            self._limiter.throttled(turn, error.retry_after)
            self.todo.appendleft(piece)
        except Retryable as error:
            return [(index, Missed(str(error), retry=True)) for index in piece]
        except Unacceptable as error:
            if len(piece) == 1:
                return [(piece[0], Missed(str(error), retry=False))]
            middle = len(piece) // 2
            self.todo.extendleft((piece[middle:], piece[:middle]))
        else:
            return list(zip(piece, vectors, strict=True))
        return []

    def _wait(self, piece: list[int]) -> Turn | None:
        tokens = sum(self._tokens(self._texts[index]) for index in piece)
        while (turn := self._limiter.turn(tokens, self._deadline)) is not None:
            if self._stop.wait(max(0.0, turn[0] - time.monotonic())):
                return None
            if self._limiter.stands(turn):
                return turn
        return None
