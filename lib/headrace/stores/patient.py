"""A service that tells how texts feel, asked again while it fails for the time being, for so long and so many texts."""

import time
from collections.abc import Callable, Sequence

from headrace.errors import Fatal, HeadraceError, Retryable
from headrace.ports import Unacceptable
from headrace.ports_texts import Sentiment, SentimentModel

TEXTS = 25
"""In one call, so that a failure takes no answers with it."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0


class PatientSentimentModel:
    """A `ports_texts.SentimentModel` that raises for a language alone: why a text has no answer stands in its place.

    Args:
        seconds: no call is begun later than that after this was made.
        told: given how many texts were answered, after each call.
        clock, sleep: as those of `time`.
    """

    def __init__(
        self,
        inner: SentimentModel,
        seconds: float,
        told: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner, self._told, self._clock, self._sleep = inner, told, clock, sleep
        self._deadline = clock() + seconds
        self._over: HeadraceError | None = None

    def sentiments(self, texts: Sequence[str], language: str) -> list[Sentiment | HeadraceError]:
        """As in `SentimentModel`. After a Fatal no text is asked for any more."""
        found: list[Sentiment | HeadraceError] = []
        for start in range(0, len(texts), TEXTS):
            found += self._some(texts[start : start + TEXTS], language)
        return found

    def close(self) -> None:
        """Close the inner one."""
        self._inner.close()

    def _some(self, texts: Sequence[str], language: str) -> list[Sentiment | HeadraceError]:
        found: list[Sentiment | HeadraceError] = [self._late() for _ in texts]
        places, pause = list(range(len(texts))), FIRST_PAUSE
        while places and self._over is None and self._clock() < self._deadline:
            for place, answer in zip(places, self._asked([texts[place] for place in places], language), strict=True):
                found[place] = answer
            answered = sum(isinstance(found[place], Sentiment | Unacceptable) for place in places)
            self._told(answered)
            places = [place for place in places if isinstance(found[place], Retryable)]
            if places and self._over is None:
                self._sleep(min(pause, max(0.0, self._deadline - self._clock())))
                pause = min(2 * pause, LONGEST_PAUSE)
        return found

    def _asked(self, texts: Sequence[str], language: str) -> Sequence[Sentiment | HeadraceError]:
        try:
            return self._inner.sentiments(texts, language)
        except Retryable as error:
            return [error] * len(texts)
        except Fatal as error:
            self._over = error
            return [error] * len(texts)

    def _late(self) -> HeadraceError:
        if self._over is not None:
            return self._over
        expected, todo = "an answer in the time given", "It is asked again later."
        return Retryable(where="sentiment", expected=expected, found="none yet", todo=todo)
