"""How comments feel, each by a model that knows its language."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from headrace.errors import HeadraceError
from headrace.ports import Unacceptable
from headrace.ports_texts import Sentiment, SentimentModel

UNKNOWN = "unknown"
"""The label of a comment in a language that no model knows, or that nobody could tell."""
Detect = Callable[[str], str | None]


class Comment(NamedTuple):
    """A free text.

    Attributes:
        declared: the language that its turn says, such as `en`; None where it says none.
    """

    text: str
    declared: str | None = None


class Felt(NamedTuple):
    """How a comment feels.

    Attributes:
        label: the model's, or `unknown`.
        valence: from -1 to 1; None where the label is `unknown`.
        language: that it was taken to be in.
    """

    label: str
    valence: float | None
    language: str | None


def valence(found: Sentiment) -> float:
    """A sentiment as one number, from -1 to 1: what is positive less what is negative."""
    return found.scores.get("positive", 0.0) - found.scores.get("negative", 0.0)


def felt(comments: Sequence[Comment], model: SentimentModel, detect: Detect) -> list[Felt]:
    """How each feels, in their order, as `so_far` does.

    Raises:
        Retryable, Fatal: as the model does. A text that it failed on for the time being is not called `unknown`.
    """
    found = so_far(comments, model, detect)
    for one in found:
        if isinstance(one, HeadraceError):
            raise one
    return [one for one in found if isinstance(one, Felt)]


def so_far(comments: Sequence[Comment], model: SentimentModel, detect: Detect) -> list[Felt | HeadraceError]:
    """How each feels, in their order; of what the model failed on for the time being, why.

    The model is asked once for each language.

    Args:
        detect: the language of a text, None where it is too short or unclear; it is then the declared one. A text that
            is clearly in another language than declared is taken to be in that.

    Raises:
        Retryable, Fatal: as the model does.
    """
    languages = [detect(one.text) or _short(one.declared) for one in comments]
    found: list[Felt | HeadraceError] = [Felt(UNKNOWN, None, language) for language in languages]
    for language in sorted({one for one in languages if one}):
        places = [place for place, one in enumerate(languages) if one == language]
        for place, answer in zip(places, _asked(comments, places, model, language), strict=True):
            if isinstance(answer, Sentiment):
                found[place] = Felt(answer.label, valence(answer), language)
            elif not isinstance(answer, Unacceptable):
                found[place] = answer
    return found


def _asked(
    comments: Sequence[Comment], places: Sequence[int], model: SentimentModel, language: str
) -> Sequence[Sentiment | HeadraceError]:
    try:
        return model.sentiments([comments[place].text for place in places], language)
    except Unacceptable as error:
        return [error] * len(places)


def _short(declared: str | None) -> str | None:
    """`en` of `en-GB`; `zh-TW` is `zh`."""
    return declared.replace("_", "-").split("-")[0].casefold() or None if declared else None
