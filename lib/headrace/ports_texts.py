"""What may be asked about a text: how it feels, and what in it is personal. Stores implement these, as with `ports`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from headrace.errors import HeadraceError


class Sentiment(NamedTuple):
    """How a text feels.

    Attributes:
        label: `positive`, `negative`, `neutral` or `mixed`: the highest of the scores, or by the model's threshold.
        scores: from 0 to 1, by label.
    """

    label: str
    scores: Mapping[str, float]


class SentimentModel(Protocol):
    """Tells how texts feel. One per process: it holds a model or a client."""

    def sentiments(self, texts: Sequence[str], language: str) -> list[Sentiment | HeadraceError]:
        """What each text is found to be, in their order; for a text that failed, why: Unacceptable is for good.

        Args:
            language: of all of them, as ISO 639-1 says it: `en`.

        Raises:
            Throttled, Retryable: the same call may work later.
            Unacceptable: the model does not know the language.
            Fatal: no call will work.
        """

    def close(self) -> None:
        """Give back what it holds."""


class PersonalData(NamedTuple):
    """Where something personal stands in a text.

    Attributes:
        begin, end: characters; `text[begin:end]` is it.
        kind: in the model's words, such as `EMAIL`.
        score: how sure the model is, from 0 to 1.
    """

    begin: int
    end: int
    kind: str
    score: float


class PersonalDataFinder(Protocol):
    """Finds personal data in texts. One per process: it holds a model or a client."""

    def personal_data(self, text: str, language: str) -> list[PersonalData]:
        """What it finds, in the order of the text. Raises as `SentimentModel.sentiments` does."""

    def close(self) -> None:
        """Give back what it holds."""
