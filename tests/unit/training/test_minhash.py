"""MinHash: which texts meet, and how alike they truly are."""

import math

import numpy as np
import pytest

from chat_world import chats
from headrace.training.duplicates import compared, question
from headrace.training.minhash import (
    HASHES,
    PART,
    Banding,
    band_keys,
    banding,
    gram_count,
    jaccard,
    shingles,
    true_similarities,
)

WRITTEN_DOWN = [
    [-5619390337603570041, 4312389764645186373, 5028339821923718249],
    [-1121318376455936781, 4171727234693590943, -4904526587009434710],
]
TEXTS = [compared(question(one), one.completion) for one in chats(300)]


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("", [[]]),
        ("hey", [["hey"]]),
        ("hello", [["hello"]]),
        ("hello!", [["hello", "ello!"]]),
        ("aaaaaaa", [["aaaaa"]]),
        (f"hey{PART}hello!", [["hey"], ["hello", "ello!"]]),
        (f"{PART}yes", [[], ["yes"]]),
    ],
)
def test_grams_stay_inside_a_part(text: str, grams: list[list[str]]) -> None:
    assert shingles(text) == [set(part) for part in grams]


@pytest.mark.parametrize(("text", "count"), [("", 0), ("hey", 1), ("aaaaaaa", 3), (f"hey{PART}hello!", 3), (PART, 0)])
def test_grams_are_counted_as_often_as_they_stand_there(text: str, count: int) -> None:
    assert gram_count(text) == count


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        ("abcdefgh", "abcdefgh", 1),
        ("abcdefgh", "abcdefghi", 4 / 5),
        ("abcdefgh", "hgfedcba", 0),
        # The same words, but the other one's.
        (f"a question{PART}an answer", f"an answer{PART}a question", 0),
        (f"abcdefgh{PART}yes", f"abcdefgh{PART}no", 4 / 6),
        ("", "", 0),
    ],
)
def test_similarity_is_the_share_of_grams_in_common(one: str, other: str, similarity: float) -> None:
    assert jaccard(shingles(one), shingles(other)) == pytest.approx(similarity)
    assert jaccard(shingles(other), shingles(one)) == pytest.approx(similarity)


def test_similarities_are_those_of_the_grams_themselves_however_many_pairs_there_are() -> None:
    texts = [*TEXTS[:88], "", "hey", PART, "long " * 900, "long " * 900 + "other", "ключ" * 9, "鍵" * 20]
    pairs = [(one, other) for one in range(len(texts)) for other in range(one)]
    assert len(pairs) > 4096
    exact = np.array([jaccard(shingles(texts[one]), shingles(texts[other])) for one, other in pairs])
    for threshold in (0.3, 0.8):
        found = true_similarities(texts, np.array(pairs), threshold)
        assert (found == np.where(exact >= threshold, exact, 0)).all()
        assert 5 < np.count_nonzero(found) < len(pairs) / 2


def test_at_least_as_many_bands_as_the_catch_needs_and_no_more_rows_than_hashes() -> None:
    assert banding(0.8) == Banding(bands=20, rows=5)
    for threshold in (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.99, 1.0):
        cut = banding(threshold)
        assert cut.catch(threshold) >= 0.9995
        assert cut.bands * cut.rows <= HASHES
    assert Banding(20, 5).catch(0.8) == pytest.approx(0.99964, abs=1e-5)
    assert Banding(20, 5).catch(0.3) == pytest.approx(0.04749, abs=1e-5)


@pytest.mark.parametrize("threshold", [0.49, 1.01, math.nan])
def test_a_threshold_that_says_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"expected a similarity from 0\.5 to 1; found"):
        banding(threshold)


def test_keys_are_of_the_text_alone() -> None:
    cut = banding(0.8)
    keys, orders = band_keys(TEXTS, cut, seed=1)
    # Written down once: another machine, another process and another version of numpy must say the same.
    told = band_keys([f"where is my bag?{PART}it is in faro."], cut, seed=1)
    assert [values[0, :3].tolist() for values in told] == WRITTEN_DOWN
    for some in ([5], [299, 0, 5], list(range(300))[::-1]):
        again = band_keys([TEXTS[at] for at in some], cut, seed=1)
        assert (again[0] == keys[some]).all() and (again[1] == orders[some]).all()
    other, _ = band_keys(TEXTS, cut, seed=2)
    assert not (other == keys).any()


def test_texts_of_the_same_grams_have_the_same_keys_and_others_hardly_any() -> None:
    cut = banding(0.8)
    keys, _ = band_keys(["again and again and again", "again and again and again and again", TEXTS[0], ""], cut, seed=1)
    assert shingles("again and again and again") == shingles("again and again and again and again")
    assert (keys[0] == keys[1]).all()
    assert len(set(keys.ravel().tolist())) == 3 * cut.bands


def test_a_short_part_is_the_same_whatever_follows_it() -> None:
    texts = [f"hi{PART}{'round and ' * 5}", f"hi{PART}{'ound and r' * 5}"]
    assert shingles(texts[0]) == shingles(texts[1])
    keys, _ = band_keys(texts, banding(0.8), seed=1)
    assert (keys[0] == keys[1]).all()


def test_bands_meet_as_often_as_the_theory_says() -> None:
    """A fixed set and fixed seeds: nothing is drawn. The bounds are five standard deviations wide."""
    cut = Banding(bands=1, rows=1)
    texts = [TEXTS[0], TEXTS[0][: len(TEXTS[0]) * 3 // 4], TEXTS[0] + " Do you have anything else to say about that?"]
    seeds = range(600)
    met = np.array([(found := band_keys(texts, cut, seed)[0].ravel())[1:] == found[0] for seed in seeds])
    for at in (1, 2):
        true = jaccard(shingles(texts[0]), shingles(texts[at]))
        assert 0.5 < true < 0.9
        assert met[:, at - 1].mean() == pytest.approx(true, abs=5 * math.sqrt(true * (1 - true) / len(seeds)))
