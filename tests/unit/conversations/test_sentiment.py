"""Which comments a model is asked about, and in which language."""

import pytest

from headrace.conversations.sentiment import Comment, Felt, felt, valence
from headrace.errors import Retryable
from headrace.knowledge.parse.language import detect
from headrace.ports import Unacceptable
from headrace.ports_texts import Sentiment

GLAD = Sentiment("positive", {"positive": 0.8, "negative": 0.1, "neutral": 0.1, "mixed": 0.0})
GERMAN = "Der Flug wurde gestrichen und niemand hat uns gesagt, wohin wir gehen sollen."
ENGLISH = "The flight was cancelled and nobody told us where we should go."


def refusal(kind=Unacceptable):
    return kind(expected="a text with words in it", found="an empty one", todo="Leave it out.")


class EnglishOnly:
    """Answers GLAD; what `answers` has for a text instead."""

    def __init__(self, **answers):
        self.asked, self.answers = [], answers

    def sentiments(self, texts, language):
        self.asked.append((language, list(texts)))
        if language != "en":
            raise refusal()
        return [self.answers.get(text, GLAD) for text in texts]

    def close(self):
        pass


def test_other_languages_are_unknown_and_do_not_hold_up_english_ones():
    model = EnglishOnly()
    found = felt([Comment(GERMAN), Comment(ENGLISH), Comment(GERMAN, "de"), Comment("good", "en-GB")], model, detect)
    glad, unknown = Felt("positive", pytest.approx(0.7), "en"), Felt("unknown", None, "de")
    assert found == [unknown, glad, unknown, glad]
    assert model.asked == [("de", [GERMAN, GERMAN]), ("en", [ENGLISH, "good"])]


def test_a_short_text_without_a_declared_language_is_unknown():
    model = EnglishOnly()
    assert felt([Comment("gut"), Comment("gut", "")], model, detect) == [Felt("unknown", None, None)] * 2
    assert model.asked == []


def test_a_text_that_is_clearly_in_another_language_than_declared_is_taken_to_be_in_that():
    assert felt([Comment(GERMAN, "en")], EnglishOnly(), detect) == [Felt("unknown", None, "de")]


def test_a_text_that_a_model_can_say_nothing_of_is_unknown():
    model = EnglishOnly(dots=refusal())
    found = felt([Comment("dots", "en"), Comment("good", "en")], model, detect)
    assert [one.label for one in found] == ["unknown", "positive"]


def test_what_may_work_later_is_not_called_unknown():
    with pytest.raises(Retryable):
        felt([Comment("later", "en")], EnglishOnly(later=refusal(Retryable)), detect)


def test_a_sentiment_as_one_number():
    assert valence(GLAD) == pytest.approx(0.7)
    assert valence(Sentiment("neutral", {"neutral": 1.0})) == 0
