"""The model that tells how comments feel, made once in each worker."""

from functools import cache, partial

from headrace.config_feedback import Local
from headrace.conversations.feelings import Feeler
from headrace.conversations.sentiment import Detect
from headrace.errors import MissingDependency
from headrace.knowledge.parse.language import detect, likely
from headrace.ports_texts import SentimentModel
from headrace.stores.sentiment_blend import BlendSentimentModel
from headrace.stores.sentiment_vader import VaderSentimentModel


def feeler(settings: Local) -> Feeler | None:
    """What finds how texts feel; None where the settings say none.

    Raises:
        MissingDependency: the extra `sentiment` is not installed. It is told here, not by a worker.
    """
    if settings == "none":
        return None
    detector()
    _model(settings)
    return Feeler(settings, partial(_in_worker, settings))


def _in_worker(settings: Local) -> tuple[SentimentModel, Detect]:
    return _model(settings), detect


@cache
def _model(settings: Local) -> SentimentModel:
    return BlendSentimentModel() if settings == "blend" else VaderSentimentModel()


def detector() -> Detect:
    """What tells the language of a comment. Raises MissingDependency without the extra `sentiment`."""
    try:
        likely("some words")
    except ModuleNotFoundError as error:
        raise MissingDependency(
            where="feedback.sentiment",
            expected="py3langid, which finds the language of a comment",
            found=f"no module {error.name}",
            todo="Install it: pip install 'headrace[sentiment]'; or set sentiment: none.",
        ) from error
    return detect
