"""Texts to vectors within a given time: batches, threads, turns at the service, one bad text at a time.

Works on the ports only.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from headrace.errors import Fatal, HeadraceError, Retryable
from headrace.ports import Embedder, Purpose, Throttled, Unacceptable, Vectors

FAILURES = 16
"""Calls that failed, and none that worked, after which it is not the texts' fault."""
THROTTLED_OFTEN = 3
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

    A batch the embedder finds unacceptable is halved until the bad text stands alone. So is one that failed in any
    other way: the rest of it must not be taken for bad, and a firewall may refuse a text with the status of a wrong
    key. A throttled call waits for the pause and is made again. No call is begun after `seconds`; one under way may run
    for its own timeout longer.

    Args:
        parallel: calls at a time; the embedder's own wish (`parallel`) where not given.

    Raises: what the embedder raises, except Retryable and Unacceptable; a Fatal only where not one text got a vector.
        Outcomes known by then come first.
    """
    run = _Run(embedder, texts, limiter, time.monotonic() + seconds, purpose, tokens)
    threads = min(parallel or int(getattr(embedder, "parallel", 1)), len(run.todo))
    yield from run.together(threads) if threads > 1 else run.alone()
    yield from run.rest()


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
        self._works = False
        self._failures: list[HeadraceError] = []
        self._said: dict[int, str] = {}
        self._aside: list[int] = []
        self._throttled: Counter[int] = Counter()
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
            self._again(piece)
        except Unacceptable as error:
            if len(piece) == 1:
                return [(piece[0], Missed(str(error), retry=False))]
            self.todo.extendleft(reversed(_halves(piece)))
        except (Retryable, Fatal) as error:
            return self._failed(piece, error)
        else:
            self._works = True
            return list(zip(piece, vectors, strict=True))
        return []

    def _again(self, piece: list[int]) -> None:
        """A throttled batch waits for its turn; one that is throttled every time may be too large for a quota."""
        self._throttled[piece[0]] += 1
        if len(piece) > 1 and self._throttled[piece[0]] % THROTTLED_OFTEN == 0:
            self.todo.extendleft(reversed(_halves(piece)))
        else:
            self.todo.appendleft(piece)

    def _failed(self, piece: list[int], error: HeadraceError) -> Outcomes:
        self._failures.append(error)
        self._said.update(dict.fromkeys(piece, str(error)))
        if not self._works and len(self._failures) >= FAILURES:
            # Not the texts' fault.
            self._stop.set()
        if len(piece) > 1:
            # Last, as others may show that the service works.
            self.todo.extend(_halves(piece))
        else:
            self._aside += piece
        return []

    def rest(self) -> Iterator[tuple[int, Outcome]]:
        """What has no outcome once no more calls are made. Raises the first Fatal where nothing worked."""
        if not self._works:
            fatal = next((error for error in self._failures if isinstance(error, Fatal)), None)
            if fatal is not None:
                raise fatal
        yield from ((index, Missed(self._said[index], retry=True)) for index in self._aside)
        for index in (index for piece in self.todo for index in piece):
            # Where nothing works each of them counts as tried; else it only shared a batch with a bad one.
            reason = LATER if self._works else self._said.get(index, LATER)
            yield index, Missed(reason, retry=True)

    def _wait(self, piece: list[int]) -> Turn | None:
        tokens = sum(self._tokens(self._texts[index]) for index in piece)
        while (turn := self._limiter.turn(tokens, self._deadline)) is not None:
            if self._stop.wait(max(0.0, turn[0] - time.monotonic())):
                return None
            if self._limiter.stands(turn):
                return turn
        return None


def _halves(piece: list[int]) -> list[list[int]]:
    middle = len(piece) // 2
    return [piece[:middle], piece[middle:]]
