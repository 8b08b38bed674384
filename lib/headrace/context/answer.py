"""A question's answer: asked of one model after another, shown as it comes, and recorded.

A model is tried again only before its first piece. A stream that breaks after that ends the answer as `failed` with
what came: a second answer would stand below the half of the first. Citations of items that were not given never show.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime

from headrace.citations import Citations
from headrace.config_assistant import Answers
from headrace.context.answered import Answer, Failure, Try, cost, failure_of, outcome_of
from headrace.context.reading import Reading
from headrace.ports_chat import Answerer, ChatEnd, ChatRequest

_AGAIN: frozenset[Failure] = frozenset({"throttled", "unavailable", "timeout"})


def answer(
    models: Sequence[Answerer],
    request: ChatRequest,
    limits: Answers,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    wait: Callable[[float], None] = time.sleep,
) -> "Answering":
    """Ask, when the first piece is read.

    Args:
        models: in the order in which they are asked; at least one.
        now, wait: the clock, for tests.
    """
    return Answering(models, request, limits, now, wait)


class Answering(Iterator[str]):
    """The pieces to show, as they come. It never raises for a model's failure: `answer` tells of it."""

    def __init__(
        self,
        models: Sequence[Answerer],
        request: ChatRequest,
        limits: Answers,
        now: Callable[[], datetime],
        wait: Callable[[float], None],
    ) -> None:
        self._models, self._request, self._limits, self._wait = models, request, limits, wait
        self._citations = Citations(item.id for item in request.items)
        self._started_at, self._began = now(), time.monotonic()
        self._until = self._began + limits.timeout.total_seconds()
        self._said: list[str] = []
        self._tries: list[Try] = []
        self._speaker: Answerer | None = None
        self._first: float | None = None
        self._end: ChatEnd | None = None
        self._asked_for: float | None = None
        self._answer: Answer | None = None
        self._pieces = self._run()

    def __next__(self) -> str:
        return next(self._pieces)

    def stop(self) -> None:
        """Nobody reads on. What came is kept, as `failed`."""
        self._pieces.close()
        self._record()

    @property
    def answer(self) -> Answer:
        """The record. What has not been read yet is read first."""
        for _ in self:
            pass
        self._record()
        assert self._answer is not None
        return self._answer

    def _run(self) -> Generator[str, None, None]:
        try:
            for one in self._models:
                for pause in self._pauses():
                    yield from self._asked(one)
                    if self._over() or not self._pause(pause):
                        break
                if self._over():
                    return
        finally:
            self._record()

    def _pauses(self) -> Iterator[float | None]:
        """How long to wait after each try of a model; None after the last."""
        first = self._limits.retry_after.total_seconds()
        yield from (first * 2**number for number in range(self._limits.attempts - 1))
        yield None

    def _over(self) -> bool:
        return self._speaker is not None or self._end is not None or self._left() <= 0

    def _left(self) -> float:
        return self._until - time.monotonic()

    def _pause(self, pause: float | None) -> bool:
        """Wait before the next try; whether there is one."""
        last = self._tries[-1]
        if pause is None or last.failure not in _AGAIN:
            return False
        pause = pause if self._asked_for is None else self._asked_for
        # A model that wants more patience than its first words are worth is passed over.
        if pause >= min(self._left(), self._limits.first_piece.total_seconds()):
            return False
        self._wait(pause)
        return True

    def _asked(self, one: Answerer) -> Generator[str, None, None]:
        """The pieces of one try."""
        began, reading = time.monotonic(), Reading(one.model, self._request)
        failed: tuple[Failure, str] | tuple[None, None] = ("left", "nobody read on")
        try:
            yield from self._read(one, reading, began)
            failed = (None, None)
        except Exception as raised:
            failed = failure_of(raised)
            self._asked_for = getattr(raised, "retry_after", None)
            yield from self._shown(self._citations.rest())
        finally:
            reading.leave()
            self._tries.append(Try(one.provider, one.model.name, time.monotonic() - began, *failed))

    def _read(self, one: Answerer, reading: Reading, began: float) -> Iterator[str]:
        while True:
            until = self._until
            if self._speaker is None:
                until = min(until, began + self._limits.first_piece.total_seconds())
            got = reading.next(until - time.monotonic())
            if isinstance(got, ChatEnd):
                self._speaker, self._end = one, got
                yield from self._shown(self._citations.rest())
                return
            if got and self._speaker is None:
                self._speaker, self._first = one, time.monotonic() - self._began
            yield from self._shown(self._citations.shown(got))

    def _shown(self, text: str) -> Iterator[str]:
        if text:
            self._said.append(text)
            yield text

    def _record(self) -> None:
        if self._answer is None:
            self._answer = self._recorded("".join(self._said), self._end)

    def _recorded(self, text: str, end: ChatEnd | None) -> Answer:
        speaker = self._speaker
        price = speaker.price if speaker and end else None
        return Answer(
            outcome=outcome_of(end, text),
            text=text,
            citations=self._citations.valid,
            invalid_citations=self._citations.invalid,
            provider=speaker.provider if speaker else None,
            model=speaker.model.name if speaker else None,
            fallback=speaker is not None and speaker is not self._models[0],
            ended=end.reason if end else None,
            input_tokens=end.input_tokens if end else None,
            output_tokens=end.output_tokens if end else None,
            cached_tokens=end.cached_tokens if end else None,
            cost=cost(price, end) if price and end else None,
            currency=price.currency if price else None,
            price_as_of=price.as_of.isoformat() if price else None,
            started_at=self._started_at,
            seconds=time.monotonic() - self._began,
            seconds_to_first=self._first,
            tries=tuple(self._tries),
        )
