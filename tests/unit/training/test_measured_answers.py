"""Marks of answers, by hand-made cases."""

import pytest

from headrace.training.measured_answers import Answered, Difference, Scored, difference, overlap, quantile, scored

GOOD = "Yes, a dog under 8 kg travels free."


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        ("a b", "a b", 1.0),
        ("b a", "a b", 1.0),
        ("a b c d", "a b", 2 / 3),
        ("a a", "a b", 0.5),
        ("c", "a b", 0.0),
        ("", "a b", 0.0),
        ("", "", 1.0),
    ],
)
def test_overlap_is_the_f1_of_two_bags_of_words(said, wanted, expected):
    assert overlap(said.split(), wanted.split()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answered("yes a dog under 8 KG travels free"), Scored(1.0, True, False, False, False)),
        (Answered("", error="Unreachable"), Scored(0.0, False, False, True, False)),
        (Answered(GOOD, refused=True), Scored(0.0, False, True, False, False)),
        (Answered(GOOD, cut=True), Scored(1.0, True, False, False, True)),
    ],
)
def test_an_answer_beside_its_reference(answer, expected):
    assert scored(answer, GOOD) == expected


def test_a_refusal_in_words_counts_unless_it_is_what_was_wanted():
    no = "I'm sorry, but I can't help with that."
    assert scored(Answered(no), GOOD).refused
    assert not scored(Answered(no), no).refused
    assert not scored(Answered(GOOD), GOOD).refused


def test_the_difference_is_of_pairs():
    found = difference([1.0, 0.5, 0.2, 0.7], [0.0, 0.5, 0.4, 0.6])
    assert (found.better, found.worse) == (2, 1)
    assert found.mean == pytest.approx(0.225)
    # By hand: the differences 1, 0, -0.2, 0.1 deviate by 0.5315 from their mean; 1.96 * 0.5315 / 2 = 0.5209.
    assert (found.low, found.high) == (pytest.approx(-0.2959, abs=1e-3), pytest.approx(0.7459, abs=1e-3))
    assert difference([1.0], [0.5]) == Difference(0.5, None, None, 1, 0)
    # What is hard for both weighs nothing.
    assert difference([0.9, 0.1], [0.8, 0.0]).low == pytest.approx(0.1)


def test_quantiles_are_values_that_were_seen():
    assert [quantile([3.0, 1.0, 2.0, 4.0], share) for share in (0.5, 0.95, 0.25)] == [2.0, 4.0, 1.0]
    assert quantile([], 0.5) is None and quantile([7.0], 0.95) == 7.0
