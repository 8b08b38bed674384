"""A linear model over words, pairs of words and VADER's scores. It finds complaints that use no emotional word.

`sentiment_blend.npz` is written by `scripts/sentiment_weights.py`, which says what it learned from.
"""

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.errors import HeadraceError
from headrace.ports_texts import Sentiment
from headrace.stores.sentiment_vader import each, polarity, sentiment

BUCKETS = 1 << 18
THRESHOLD = 0.05
_NAME = "blend"
_WORDS = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[!?]+")
Floats = NDArray[np.float64]


class Weights(NamedTuple):
    """What was learned.

    Attributes:
        words: one small whole number for each bucket of words and pairs; times `scale` it is the weight.
        vader: of `dense`, in its order.
    """

    words: NDArray[np.int8]
    scale: float
    vader: Floats


class BlendSentimentModel:
    """A `ports_texts.SentimentModel` for English. Of a text over 5,000 characters only the beginning counts.

    `positive` less `negative` is the rating that it expects people to give, from -1 to 1. It may be used from several
    threads.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self._polarity, self._weights = polarity(_NAME), weights or shipped()

    def sentiments(self, texts: Sequence[str], language: str) -> list[Sentiment | HeadraceError]:
        """As in `SentimentModel`. Other languages than English are refused."""
        return each(texts, language, _NAME, lambda text: sentiment(self._valence(text), THRESHOLD))

    def _valence(self, text: str) -> float:
        return valence(self._weights, buckets(text), dense(self._polarity(text)))

    def close(self) -> None:
        """As in `SentimentModel`: there is nothing to give back."""


def valence(weights: Weights, found: Sequence[int], scores: Sequence[float]) -> float:
    """What the weights make of a text's `buckets` and `dense`, from -1 to 1."""
    of_words = weights.scale * int(weights.words[list(found)].sum(dtype=np.int64)) * share(len(found))
    of_vader = sum(weight * score for weight, score in zip(weights.vader.tolist(), scores, strict=True))
    return max(-1.0, min(1.0, float(of_words + of_vader)))


def buckets(text: str) -> list[int]:
    """The buckets of its words and pairs of neighbours, each once, sorted."""
    words = _WORDS.findall(text.lower())
    pairs = (f"{one} {other}" for one, other in pairwise(words))
    return sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in (*words, *pairs)})


def share(count: int) -> float:
    """What each of so many buckets counts: a long text has no more to say than a short one."""
    return 1.0 / math.sqrt(max(1, count))


def dense(scores: Mapping[str, float]) -> tuple[float, ...]:
    """VADER's scores as the model takes them, and a constant."""
    return scores["compound"], scores["pos"], scores["neg"], scores["neu"], 1.0


def shipped() -> Weights:
    """The weights in the package."""
    with (files("headrace.stores") / "sentiment_blend.npz").open("rb") as file:
        return _read(np.load(file, allow_pickle=False))


def _read(arrays: Mapping[str, NDArray[Any]]) -> Weights:
    return Weights(arrays["words"], float(arrays["scale"]), arrays["vader"])
