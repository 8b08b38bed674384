"""Which answers of a conversation become examples, and which prompts they have."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_datasets import Dataset
from headrace.training.choose import Answer, Chosen, Said, answers, examples
from headrace.training.example import Example, Message
from headrace.training.pairs import pair, scored
from headrace.training.refused import Refused
from headrace.training.verdict import Rated, verdict

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def turn(number: int, **told: Any) -> Said:
    given = {"question": f"question {number}?", "answer": f"Answer {number}.", "outcome": "answered", "person": "p1"}
    return Said(number, at(number), **(given | told))


def rated(number: int | None, kind: str, value: float | None = None, **told: Any) -> Rated:
    given = {"by": "person", "rater": "p1", "at": at(100)} | told
    return Rated(number, kind=kind, value=value, **given)


def up(number: int, **told: Any) -> Rated:
    return rated(number, "thumbs", 1, **told)


def down(number: int, **told: Any) -> Rated:
    return rated(number, "thumbs", -1, **told)


def right(number: int, text: str, **told: Any) -> Rated:
    return rated(number, "correction", text=text, **told)


def made(kind: str, turns: list[Said], ratings: list[Rated], name: str = "c1", **settings: Any) -> list[Chosen]:
    wanted = Dataset(kind=kind, formats=["trl_sft"], **settings)
    found = list(answers(name, turns, ratings, wanted, lambda person: f"#{person}"))
    kept = [one for one in found if isinstance(one, Answer)]
    return [one for one in found if isinstance(one, Refused)] + list(examples(kept, wanted))


def told(found: list[Chosen]) -> list[tuple[Any, ...]]:
    """What is particular of each."""
    rows: list[tuple[Any, ...]] = []
    for one in found:
        if isinstance(one, Refused):
            rows.append((one.step, one.reason))
        elif one.kind == "dpo":
            rows.append((one.origin, one.chosen, one.rejected))
        elif one.kind == "kto":
            rows.append((one.origin, one.completion, one.label))
        else:
            rows.append((one.origin, one.completion))
    return rows


REGENERATED = [turn(1), turn(2, question="question 1?", regenerates=1, answer="Better.")]
CASES: dict[str, tuple[str, list[Said], list[Rated], list[tuple[Any, ...]]]] = {
    "liked": ("sft", [turn(1)], [up(1)], [("thumbs", "Answer 1.")]),
    "disliked": ("sft", [turn(1)], [down(1)], []),
    "nobody said anything": ("sft", [turn(1)], [], []),
    "stars that are good": ("sft", [turn(1)], [rated(1, "stars", 4)], [("stars", "Answer 1.")]),
    "stars that say nothing": ("sft", [turn(1)], [rated(1, "stars", 3)], []),
    "one rater, both ways": ("sft", [turn(1)], [up(1), rated(1, "stars", 2)], []),
    "a tie of two": ("sft", [turn(1)], [up(1), down(1, rater="p2")], []),
    "two against one": ("sft", [turn(1)], [up(1), up(1, rater="p3"), down(1, rater="p2")], [("thumbs", "Answer 1.")]),
    "a model's word does not count": ("sft", [turn(1)], [up(1, by="model")], []),
    "of the whole conversation": ("sft", [turn(1)], [rated(None, "thumbs", 1)], []),
    "of a turn that is not there": ("sft", [turn(1)], [up(2)], []),
    "corrected, though liked": ("sft", [turn(1)], [up(1), right(1, "So it is.")], [("correction", "So it is.")]),
    "an empty correction": ("sft", [turn(1)], [right(1, "  ")], []),
    "the newest correction": (
        "sft", [turn(1)], [right(1, "new", at=at(9), rater="a"), right(1, "old", at=at(8))], [("correction", "new")],
    ),
    "a correction of nothing": (
        "sft", [turn(1, answer=None, outcome="failed")], [right(1, "So.")], [("correction", "So.")],
    ),
    "liked, and empty": ("sft", [turn(1, answer=" ")], [up(1)], [("choose", "no_answer")]),
    "liked, and refused": ("sft", [turn(1, outcome="refused")], [up(1)], [("choose", "not_answered")]),
    "liked, and cut off": ("sft", [turn(1, ended="length")], [up(1)], [("choose", "cut_off")]),
    "without a question": ("sft", [turn(1, question=None)], [up(1)], [("choose", "no_question")]),
    "not agreed to": ("sft", [turn(1, allowed=False)], [up(1)], [("choose", "no_consent")]),
    "both labels": (
        "kto", [turn(1), turn(2)], [up(1), down(2)], [("thumbs", "Answer 1.", True), ("thumbs", "Answer 2.", False)],
    ),
    "a correction labels both": (
        "kto", [turn(1)], [right(1, "So.")], [("correction", "So.", True), ("corrected", "Answer 1.", False)],
    ),
    "a bad answer may have failed": ("kto", [turn(1, outcome="refused")], [down(1)], [("thumbs", "Answer 1.", False)]),
    "nothing cannot be bad": ("kto", [turn(1, answer="")], [down(1)], [("choose", "no_answer")]),
    "a correction is better": ("dpo", [turn(1)], [right(1, "So.")], [("correction", "So.", "Answer 1.")]),
    "a correction that changes space": ("dpo", [turn(1)], [right(1, "Answer  1.\n")], []),
    "asked again": ("dpo", REGENERATED, [], [("regenerated", "Better.", "Answer 1.")]),
    "asked again, and disliked": ("dpo", REGENERATED, [down(2)], []),
    "asked again, the first was liked": ("dpo", REGENERATED, [up(1)], []),
    "asked again, both disliked": ("dpo", REGENERATED, [down(1), down(2)], []),
    "asked again, both liked": ("dpo", REGENERATED, [up(1), up(2)], []),
    "asked again, the same came": ("dpo", [turn(1), turn(2, regenerates=1, answer="Answer 1.")], [], []),
    "asked twice": (
        "dpo", [turn(1), turn(2, regenerates=1), turn(3, regenerates=2)], [],
        [("regenerated", "Answer 3.", "Answer 2.")],
    ),
    "asked again in vain": (
        "dpo", [turn(1), turn(2, regenerates=1, outcome="failed", answer="Sorry.")], [], [("choose", "not_answered")],
    ),
    "of a turn that is gone": ("dpo", [turn(2, regenerates=1)], [], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_an_example(case: str) -> None:
    kind, turns, ratings, expected = CASES[case]
    assert told(made(kind, turns, ratings)) == expected


def said(found: Chosen) -> list[str]:
    assert isinstance(found, Example)
    roles = [one.role for one in found.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    return [one.content for one in found.messages]


HISTORIES: dict[str, tuple[list[Said], list[Rated], list[str]]] = {
    "all before": ([turn(1), turn(2)], [up(2)], ["question 1?", "Answer 1.", "question 2?"]),
    "nothing up to a bad answer": (
        [turn(1), turn(2), turn(3), turn(4)], [down(2), up(4)], ["question 3?", "Answer 3.", "question 4?"],
    ),
    "nothing up to a failure": ([turn(1), turn(2, outcome="failed", answer=None), turn(3)], [up(3)], ["question 3?"]),
    "nothing before a refusal of consent": ([turn(1, allowed=False), turn(2)], [up(2)], ["question 2?"]),
    "not what was replaced": (
        [turn(1), turn(2, question="question 1?", regenerates=1), turn(3)], [up(3)],
        ["question 1?", "Answer 2.", "question 3?"],
    ),
    "asked again: what was known the first time": (
        [turn(1), turn(2), *(turn(one, question="question 2?", regenerates=one - 1) for one in (3, 4))], [up(4)],
        ["question 1?", "Answer 1.", "question 2?"],
    ),
    "an assistant that spoke twice": ([turn(1), turn(2, question=None), turn(3)], [up(3)], ["question 3?"]),
    "no citations of what is not there": (
        [turn(1, answer="At 9 [p1]."), turn(2)], [up(2)], ["question 1?", "At 9.", "question 2?"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HISTORIES)
def test_what_stands_before_the_question(case: str) -> None:
    turns, ratings, expected = HISTORIES[case]
    assert said(made("sft", turns, ratings)[-1]) == expected


def test_what_was_erased_is_refused_and_ends_what_a_later_turn_knows() -> None:
    turns = [turn(1), turn(2, erased=True, person=None), turn(3)]
    gone, first, third = made("sft", turns, [up(1), up(2), up(3)])
    assert isinstance(gone, Refused) and (gone.step, gone.reason) == ("choose", "erased")
    assert isinstance(first, Example) and isinstance(third, Example)
    assert [one.content for one in third.messages] == ["question 3?"], "no word of the erased turn, nor of before it"


def test_no_more_history_than_asked_for() -> None:
    turns = [turn(number) for number in range(1, 6)]
    assert said(made("sft", turns, [up(5)], history=1)[0]) == ["question 4?", "Answer 4.", "question 5?"]
    assert said(made("sft", turns, [up(5)], history=0)[0]) == ["question 5?"]


def test_what_was_retrieved_is_part_of_the_prompt_where_it_is_known() -> None:
    items = [{"id": "p1", "text": "Gate B."}, {"id": "r1", "text": "LH1 on time."}]
    row = turn(1, answer="Gate B [p1].", items=json.dumps(items))
    [found] = made("sft", [row], [up(1)], context=True, system="Be kind.")
    assert isinstance(found, Example)
    assert (found.context, found.completion, found.system) == (
        "[p1] Gate B.\n\n[r1] LH1 on time.", "Gate B [p1].", "Be kind.",
    )  # fmt: skip
    untold = replace(row, items=json.dumps([{"id": "p1", "text": None}]))
    assert told(made("sft", [untold], [up(1)], context=True)) == [("choose", "context_not_kept")]


def test_only_turns_that_were_asked_for() -> None:
    turns = [turn(1, channel="web", language="en"), turn(2, channel="app", language="en"), turn(3)]
    ratings = [up(1), up(2), up(3)]
    assert [row[1] for row in told(made("sft", turns, ratings, where={"channel": ["web"]}))] == ["Answer 1."]
    late = replace(turns[1], at=at(60 * 24))
    assert [row[1] for row in told(made("sft", [turns[0], late], ratings, since=date(2026, 11, 2)))] == ["Answer 2."]


def test_persons_go_no_further_than_their_hash() -> None:
    [found] = made("sft", [turn(1)], [up(1)])
    assert isinstance(found, Example)
    assert found.person == "#p1"
    assert Example.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_ids_do_not_hang_on_what_else_was_rated() -> None:
    [one], [other] = made("sft", [turn(1)], [up(1)]), made("sft", [turn(1), turn(2)], [up(1), rated(1, "stars", 5)])
    assert isinstance(one, Example) and isinstance(other, Example)
    assert (one.id, one.origin, other.origin) == (other.id, "thumbs", "stars+thumbs")


def scores(name: str, value: float, text: str, question: str = "Where is it?") -> tuple[float, str]:
    wanted = Dataset(kind="dpo", formats=["trl_dpo"])
    row = turn(1, question=question, answer=text, person=f"of {name}")
    [found] = answers(name, [row], [rated(1, "thumbs", value)], wanted, lambda person: f"#{person}")
    assert isinstance(found, Answer)
    told = scored(found)
    assert told is not None
    return told["rank"][0], told["body"]


def test_the_better_of_two_answers_to_the_same() -> None:
    found = pair(scores("c1", 1, "There."), scores("c2", -1, "No idea."))
    assert found is not None
    assert (found.chosen, found.rejected, found.conversation) == ("There.", "No idea.", "c1")
    assert (found.person, found.beside) == ("#of c1", (("c2", "#of c2"),))
    assert Example.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert pair(scores("c1", 1, "There."), scores("c2", 1, "Here.")) is None, "a tie makes no pair"
    assert pair(scores("c1", 1, "There."), scores("c2", -1, "There. ")) is None, "the same text makes no pair"
    assert pair(scores("c1", 1, "There."), scores("c1", -1, "No.")) is None


VALUES = st.sampled_from([("thumbs", 1.0), ("thumbs", -1.0), ("stars", 1.0), ("stars", 3.0), ("stars", 5.0)])


@given(st.lists(st.tuples(st.sampled_from("abc"), VALUES), max_size=8), st.randoms(use_true_random=False))
def test_a_verdict_hangs_on_no_order(given: list[tuple[str, tuple[str, float]]], random: Any) -> None:
    newest = {(rater, kind): value for rater, (kind, value) in given}
    ratings = [rated(1, kind, value, rater=rater) for (rater, kind), value in newest.items()]
    found = verdict(ratings, ("person",), (2, 4))
    votes: dict[str, list[float]] = {}
    for (rater, kind), value in newest.items():
        votes.setdefault(rater, []).append(value if kind == "thumbs" else {1.0: -1.0, 3.0: 0.0, 5.0: 1.0}[value])
    total = sum(sum(each) / len(each) for each in votes.values())
    assert (found.score is None) == (not votes)
    assert found.good == (bool(votes) and total > 0) and found.bad == (bool(votes) and total < 0)
    random.shuffle(ratings)
    assert verdict(ratings, ("person",), (2, 4)) == found


TURNS = st.lists(
    st.builds(
        lambda number, again, answer, outcome, allowed: turn(
            number, regenerates=again, answer=answer, outcome=outcome, allowed=allowed
        ),
        st.integers(1, 8), st.none() | st.integers(1, 8), st.sampled_from(["A.", "B.", "", None]),
        st.sampled_from(["answered", "failed"]), st.booleans(),
    ),
    max_size=8, unique_by=lambda one: one.turn,
)  # fmt: skip
RATINGS = st.lists(
    st.builds(
        lambda number, value, rater: rated(number, *value, rater=rater) if value[0] != "correction"
        else right(number, "So.", rater=rater),
        st.integers(1, 8), VALUES | st.just(("correction", None)), st.sampled_from("ab"),
    ),
    max_size=8, unique_by=lambda one: (one.turn, one.kind, one.rater),
)  # fmt: skip


@given(st.sampled_from(["sft", "kto", "dpo"]), TURNS, RATINGS, st.randoms(use_true_random=False))
def test_every_example_is_whole_whatever_came_in_whatever_order(
    kind: str, turns: list[Said], ratings: list[Rated], random: Any
) -> None:
    found = made(kind, turns, ratings)
    mixed_turns, mixed_ratings = list(turns), list(ratings)
    random.shuffle(mixed_turns)
    random.shuffle(mixed_ratings)
    assert made(kind, mixed_turns, mixed_ratings) == found
    kept = [one for one in found if isinstance(one, Example)]
    assert len({one.id for one in kept}) == len(kept)
    for one in kept:
        said(one)
        assert all(part.content.strip() for part in one.messages)
        texts = [one.completion] if kind != "dpo" else [one.chosen, one.rejected]
        assert all(text and text.strip() for text in texts)
        assert kind != "dpo" or one.chosen != one.rejected
        assert one.messages[-1] == Message("user", f"question {one.turn}?")
