"""Words and sentences in several languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.words import sentences, telling, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It costs 3.5 euro. See No. 5 of art. 7. Bye!", ["It costs 3.5 euro.", "See No. 5 of art. 7.", "Bye!"]),
        ('Dr. Ada says "Go!" and leaves. U.S. Army?', ['Dr. Ada says "Go!" and leaves.', "U.S. Army?"]),
        ("z. B. Hunde dürfen mit. Katzen nicht.", ["z. B. Hunde dürfen mit.", "Katzen nicht."]),
        ("猫は可能です。犬は\uff1fはい。", ["猫は可能です。", "犬は\uff1f", "はい。"]),
        ("# Fees\n\nA visa costs\nsixty euro. Nice.", ["# Fees", "A visa costs\nsixty euro.", "Nice."]),
        ("- one\n- two\n| a | b |\n1) three", ["- one", "- two", "| a | b |", "1) three"]),
        ("Abb. 3 zeigt es. Gut.", ["Abb. 3 zeigt es.", "Gut."]),
        ("Wait... what? (Yes.) “No.” Ok", ["Wait... what?", "(Yes.)", "“No.”", "Ok"]),
        ("", []), (" \n\n ", []), ("no end", ["no end"]),
    ],
)  # fmt: skip
def test_sentences(text, found):
    assert sentences(text) == found


@given(st.text(alphabet='aA1 .!?。\n-|#"”)e', max_size=60))
def test_sentences_are_the_text_without_the_space_between_them(text):
    at = 0
    for one in sentences(text):
        assert one == one.strip() and one
        place = text.index(one, at)
        assert not text[at:place].strip()
        at = place + len(one)
    assert not text[at:].strip()


def test_words_are_small_and_without_accents_and_han_letters_stand_alone():
    assert words("Zürich's ÉTÉ, 犬猫 2x") == ["zurich", "s", "ete", "犬", "猫", "2x"]


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        ("What does a visa for Norway cost?", ["visa", "norway", "cost"]),
        ("Wie viel kostet ein Visum, und wann?", ["viel", "kostet", "visum"]),
        ("¿Cuánto cuesta el visado?", ["cuesta", "visado"]),
        ("What is it?", ["what", "is", "it"]),
    ],
)
def test_small_words_tell_nothing_unless_there_are_no_others(ask, found):
    assert telling(ask) == found
