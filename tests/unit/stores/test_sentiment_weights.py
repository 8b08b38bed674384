"""The script that learns the blend's weights, on made-up ratings."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from headrace.stores.sentiment_blend import BUCKETS, BlendSentimentModel, Weights, buckets

SCRIPTS = Path(__file__).parents[3] / "scripts"
TEXTS = [
    ("gate closed early", -0.8),
    ("gate open again", 0.6),
    ("closed", -0.7),
    ("open", 0.5),
    ("seat by the window", 0.0),
]


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield importlib.import_module("sentiment_weights")
    finally:
        sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def sets(script):
    rated = [script.Rated(text, rating) for text, rating in TEXTS]
    return [rated[:2], rated[2:]]


def test_words_that_no_lexicon_rates_are_learned(script, sets):
    model = BlendSentimentModel(script.learned(sets))
    assert [one.label for one in model.sentiments(["closed", "open", "closed early"], "en")] == [
        "negative", "positive", "negative",
    ]  # fmt: skip


def test_a_set_counts_alike_however_large_it_is(script, sets):
    again = [[*sets[0]] * 3, sets[1]]
    assert script.same(script.learned(again), script.learned(sets))
    assert not script.same(script.learned([[*sets[0], *sets[1]]]), script.learned(sets))


def test_the_same_ratings_give_the_same_file(script, sets):
    assert script.written(script.learned(sets)) == script.written(script.learned(sets))


def test_other_weights_are_told_from_rounding(script):
    words = np.zeros(BUCKETS, np.int8)
    words[buckets("one two three")] = 50
    mine = Weights(words, 0.01, np.zeros(5))
    rounded, other = words.copy(), words.copy()
    rounded[buckets("one")] = 49
    other[buckets("one")] = 47
    assert script.same(mine, mine._replace(words=rounded))
    assert not script.same(mine, mine._replace(words=other))
    assert not script.same(mine, mine._replace(scale=0.0101))
    assert not script.same(mine, mine._replace(vader=np.full(5, 1e-5)))


def test_conjugate_gradients_solve_a_system(script):
    matrix = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
    found = script.solved(lambda at: matrix @ at, np.array([1.0, 2.0, 3.0]))
    assert found == pytest.approx(np.linalg.solve(matrix, [1.0, 2.0, 3.0]))
