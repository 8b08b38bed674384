"""How much of a question a passage holds."""

import pytest

from headrace.context.coverage import covered


@pytest.mark.parametrize(
    ("question", "text", "share"),
    [
        ("bag weight", "The weight of a bag", 1.0),
        ("bag weight", "A heavy bag", 3 / 9),
        ("bags bags weight", "weight", 6 / 10),
        ("Wójcik İstanbul", "wojcik istanbul", 1.0),
        ("cat", "catalogue", 0.0),
        ("東京のホテル", "東京駅", 2 / 6),
        ("東京 hotel", "hotel 東北", 6 / 7),
        ("", "anything", 0.0),
        ("?!", "?!", 0.0),
        ("23 kg", "", 0.0),
    ],
)
def test_each_different_word_counts_by_its_length(question, text, share):
    assert covered(question, text) == pytest.approx(share)


def test_all_texts_count_together():
    assert covered("fees of visas", "Visas", "Fees") == pytest.approx(9 / 11)
