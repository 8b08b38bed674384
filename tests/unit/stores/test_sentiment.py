"""VADER and the blend: real package, real weights."""

import sys

import numpy as np
import pytest

from headrace.errors import MissingDependency
from headrace.ports import Unacceptable
from headrace.ports_texts import Sentiment, SentimentModel
from headrace.stores import sentiment_blend
from headrace.stores.sentiment_blend import BUCKETS, BlendSentimentModel, Weights, buckets, shipped
from headrace.stores.sentiment_vader import THRESHOLD, VaderSentimentModel, polarity, sentiment

# Written for this test: complaints as travellers make them, half of them without a word that a lexicon rates.
NEGATIVE = (
    "this is the worst hotel answer I have ever read", "terrible, the assistant lied to me", "I hate this",
    "awful and useless", "you gave me wrong information and I missed my connection",
    "it did not answer my question", "it took three tries before it worked", "the link does not work at all",
    "I had to call the hotline anyway", "it only repeats what I already said", "still waiting for my refund",
    "the price is not the one that was shown", "the gate it told me does not exist",
    "it stopped in the middle of the answer", "doesn't understand what I ask",
)  # fmt: skip
POSITIVE = (
    "great, thank you!", "perfect answer, exactly what I needed", "very helpful and quick", "I love it",
    "works like a charm, rebooked in a minute", "good and clear explanation", "wow, amazing service",
    "it is easy to use and the tips are excellent",
)  # fmt: skip


@pytest.fixture(scope="module", params=[VaderSentimentModel, BlendSentimentModel])
def model(request) -> SentimentModel:
    return request.param()


def right(model: SentimentModel, texts, label) -> float:
    return sum(one.label == label for one in model.sentiments(texts, "en")) / len(texts)


def test_people_who_are_glad_are_found(model):
    assert right(model, POSITIVE, "positive") >= 0.85


def test_the_blend_finds_complaints_that_vader_does_not():
    assert right(BlendSentimentModel(), NEGATIVE, "negative") >= 0.85
    assert right(VaderSentimentModel(), NEGATIVE, "negative") <= 0.6


def test_scores_are_shares_and_their_difference_is_the_valence(model):
    for one in model.sentiments([*NEGATIVE, *POSITIVE, "the train leaves at nine"], "en"):
        assert set(one.scores) == {"positive", "negative", "neutral"}
        assert sum(one.scores.values()) == pytest.approx(1)
        assert all(0 <= score <= 1 for score in one.scores.values())
        valence = one.scores["positive"] - one.scores["negative"]
        assert one.label == sentiment(valence, THRESHOLD).label


def test_vaders_valence_is_its_compound_score():
    (found,) = VaderSentimentModel().sentiments([NEGATIVE[1]], "en")
    assert found.scores["negative"] == -polarity("vader")(NEGATIVE[1])["compound"] > 0


@pytest.mark.parametrize(
    ("valence", "label"),
    [(0.05, "positive"), (0.049, "neutral"), (0, "neutral"), (-0.049, "neutral"), (-0.05, "negative")],
)
def test_the_thresholds_belong_to_the_outer_labels(valence, label):
    assert sentiment(valence, THRESHOLD).label == label


@pytest.mark.parametrize("language", ["de", "", "EN"])
def test_other_languages_are_refused(model, language):
    with pytest.raises(Unacceptable, match="expected one of en"):
        model.sentiments(["schlecht"], language)


def test_an_empty_text_does_not_spoil_the_others(model):
    found = model.sentiments(["", "great!", " \n"], "en")
    assert [type(one) for one in found] == [Unacceptable, Sentiment, Unacceptable]
    assert model.sentiments([], "en") == []


def test_of_a_long_text_the_beginning_counts(model):
    beginning = "great service. " * 333 + "12345"
    assert model.sentiments([beginning + "terrible " * 100_000], "en") == model.sentiments([beginning], "en")


def test_emojis_surrogates_and_other_scripts_do_no_harm(model):
    for one in model.sentiments(["\U0001f600", "\ud83d", "\u6f22\u5b57", "\x00", "?!", "a" * 6_000], "en"):
        assert isinstance(one, Sentiment)


def test_the_blend_adds_what_its_weights_say():
    words = np.zeros(BUCKETS, np.int8)
    words[buckets("late")] = -100
    words[buckets("train")] = 60
    model = BlendSentimentModel(Weights(words, 0.01, np.array([0.5, 0, 0, 0, 0.1])))
    # Two words and their pair: each counts 1 over the root of 3.
    (plain, good, shouted) = model.sentiments(["late train", "good", "LATE"], "en")
    assert plain.scores["negative"] == pytest.approx(-(0.01 * (60 - 100) / 3**0.5 + 0.1))
    assert good.scores["positive"] == pytest.approx(0.5 * polarity("blend")("good")["compound"] + 0.1)
    assert shouted.scores["negative"] == pytest.approx(1 - 0.1)


def test_the_blend_stays_within_its_scale():
    words = np.full(BUCKETS, 127, np.int8)
    (found,) = BlendSentimentModel(Weights(words, 1.0, np.zeros(5))).sentiments(["one two three"], "en")
    assert found.scores == {"positive": 1.0, "negative": 0.0, "neutral": 0.0}


def test_the_shipped_weights_are_small():
    weights = shipped()
    assert weights.words.dtype == np.int8 and weights.words.shape == (BUCKETS,)
    assert weights.vader.shape == (5,) and weights.vader[0] > 0
    with (sentiment_blend.files("headrace.stores") / "sentiment_blend.npz").open("rb") as file:
        assert len(file.read()) < 200_000


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    with pytest.raises(MissingDependency, match=r"pip install 'headrace\[sentiment\]'"):
        VaderSentimentModel()
