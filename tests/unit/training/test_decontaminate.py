"""What a model will be measured with must not be learned, whole, in part, or in other order."""

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headrace.training.decontaminate import (
    FEWEST_GRAMS,
    LIKE,
    MOST_WORDS,
    Evaluation,
    contaminated,
    index_of,
    nearest,
    question_grams,
)
from headrace.training.example import Example, Message

AT = datetime(2026, 11, 27, tzinfo=UTC)
ANSWER = "Checked bags in Business may weigh up to 32 kg each, and two of them are free of charge."
INDEX = index_of([
    Evaluation("What is the baggage allowance on flights to Lisbon?", ANSWER),
    Evaluation("Is it open?", "Yes."),
    Evaluation("Where is the lounge?", "Opposite gate 12, level two."),
])  # fmt: skip


def sft(question: str, answer: str = "I see.", **more) -> Example:
    return Example("7" * 32, "sft", "c", 1, AT, "thumbs", (Message("user", question),), answer, **more)


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (sft("Bags?", f"Sure. {ANSWER.upper()} Bye"), "same_words"),
        (sft("Bags?", context=f"...{ANSWER}"), "same_words"),
        (sft("Tell me: bags in business MAY weigh, up to (32) kg each and two of them?"), "same_words"),
        (sft("is it OPEN"), "same_text"),
        (sft("Lounge?", "opposite gate 12 - level two"), "same_text"),
        (sft("What is the baggage allowance on flights to Lisbon?"), "same_text"),
        (sft("On flights to Lisbon, what is the allowance for baggage?"), "like_question"),
        (sft("whats the baggage allowances for a flight to lisbon"), "like_question"),
    ],
)
def test_an_example_with_an_evaluation_in_it_is_refused(example, reason):
    found = contaminated(example, INDEX)
    assert found and (found.step, found.reason) == ("contaminated", reason)
    assert "bag" not in found.detail.casefold()


@pytest.mark.parametrize(
    "example",
    [
        sft("How many bags may I bring to Lisbon?", "Two of them are free of charge."),
        sft("What is the meal selection on flights to Lisbon?"),
        sft("Is the bar open?", "Yes."),
        sft("Is it open today?"),
        sft("Bags?", " ".join(ANSWER.split()[:11])),
        sft("?"),
    ],
)
def test_what_only_speaks_of_the_same_stays(example):
    assert contaminated(example, INDEX) is None


def test_an_index_goes_to_workers_and_does_not_depend_on_order():
    some = [Evaluation(f"What does the suite number {at} of the hotel cost in summer?") for at in range(5)]
    assert index_of(some) == index_of(some[::-1] + some)
    assert pickle.loads(pickle.dumps(INDEX)) == INDEX


def test_moved_questions_are_found_and_near_ones_are_not():
    """The shares that the docs tell, as floors."""
    rows = yaml.safe_load((Path(__file__).parents[2] / "data" / "evaluation_paraphrases.yaml").read_text("utf-8"))
    found = {
        kind: sum(nearest(row[kind], index_of([Evaluation(row["ask"])])) >= LIKE for row in rows)
        for kind in ("moved", "near")
    }
    assert len(rows) == 24 and found["moved"] >= 22 and found["near"] == 0


WORDS = st.lists(
    st.sampled_from("lisbon baggage harbour allowance breakfast children ferry kitchen seven open".split()), max_size=20
)


@given(WORDS, WORDS)
def test_similarity_is_jaccards(one, other):
    first, second = question_grams(" ".join(one)), question_grams(" ".join(other))
    enough = min(len(first), len(second)) >= FEWEST_GRAMS
    wanted = len(first & second) / len(first | second) if enough else 0.0
    assert nearest(" ".join(other), index_of([Evaluation(" ".join(one))])) == pytest.approx(wanted)


@given(
    st.lists(st.text("abcdefg", min_size=1, max_size=4), min_size=1, max_size=30),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_an_evaluation_is_found_whatever_stands_around_it(asked, before, after):
    index = index_of([Evaluation(" ".join(asked))])
    whole = contaminated(sft(" ".join(asked)), index)
    assert whole and whole.reason == ("same_words" if len(asked) >= 12 else "same_text")
    if len(asked) >= 12:
        assert contaminated(sft(f"{before} {' '.join(asked)} {after}"), index)


def test_a_long_message_is_no_question():
    assert question_grams("word " * (MOST_WORDS + 1)) == frozenset()
