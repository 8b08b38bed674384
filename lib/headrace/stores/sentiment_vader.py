"""VADER: how English texts feel, by a list of rated words and rules. Nothing leaves the process.

C.J. Hutto and E.E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text",
ICWSM 2014.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headrace.errors import HeadraceError, MissingDependency
from headrace.ports import Unacceptable
from headrace.ports_texts import Sentiment

LANGUAGES = ("en",)
THRESHOLD = 0.05
"""From here on a text counts as positive, and from its negative on as negative: the value VADER's authors give."""
_CHARACTERS = 5_000
"""VADER looks for each word's place from the text's beginning, so its time grows with the square of the length."""
_NAME = "vader"


class VaderSentimentModel:
    """A `ports_texts.SentimentModel` for English. Of a text over 5,000 characters only the beginning counts.

    `positive` less `negative` is VADER's compound score. It may be used from several threads.
    """

    def __init__(self) -> None:
        self._polarity = polarity(_NAME)

    def sentiments(self, texts: Sequence[str], language: str) -> list[Sentiment | HeadraceError]:
        """As in `SentimentModel`. Other languages than English are refused: every foreign text would be neutral."""
        return each(texts, language, _NAME, lambda text: sentiment(self._polarity(text)["compound"], THRESHOLD))

    def close(self) -> None:
        """As in `SentimentModel`: there is nothing to give back."""


def sentiment(valence: float, threshold: float) -> Sentiment:
    """A sentiment from one number, from -1 to 1: `positive` less `negative` is that number."""
    label = "positive" if valence >= threshold else "negative" if valence <= -threshold else "neutral"
    scores = {"positive": max(valence, 0.0), "negative": max(-valence, 0.0), "neutral": 1.0 - abs(valence)}
    return Sentiment(label, scores)


def each(
    texts: Sequence[str], language: str, where: str, one: Callable[[str], Sentiment]
) -> list[Sentiment | HeadraceError]:
    """What `one` finds in the beginning of each text; an empty one is Unacceptable.

    Raises:
        Unacceptable: the texts are not in English.
    """
    if language not in LANGUAGES:
        todo = "Leave texts of other languages out, or give them to another model, such as Comprehend."
        raise Unacceptable(where=where, expected=f"one of {', '.join(LANGUAGES)}", found=language, todo=todo)
    return [one(text[:_CHARACTERS]) if text[:_CHARACTERS].strip() else _empty(where) for text in texts]


def polarity(where: str) -> Callable[[str], Mapping[str, float]]:
    """VADER's own function: shares of `pos`, `neg` and `neu` in a text, and its `compound` score from -1 to 1.

    Raises:
        MissingDependency: the extra `sentiment` is not installed.
    """
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ModuleNotFoundError as error:
        todo = "Install it: pip install 'headrace[sentiment]'"
        found = f"no module {error.name}"
        raise MissingDependency(where=where, expected="vaderSentiment", found=found, todo=todo) from error
    analyzer: Any = SentimentIntensityAnalyzer()

    def scores(text: str) -> Mapping[str, float]:
        found: Mapping[str, float] = analyzer.polarity_scores(text)
        return found

    return scores


def _empty(where: str) -> HeadraceError:
    expected, todo = "a text with words in it", "Leave empty texts out."
    return Unacceptable(where=where, expected=expected, found="an empty one", todo=todo)
