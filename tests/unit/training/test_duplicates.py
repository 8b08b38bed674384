"""Duplicates: what is compared, what is the same, and which one stays."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chat_world import BEGAN, pair
from headrace.training.duplicates import (
    DuplicateRules,
    canonical,
    duplicates,
    family,
    id_of,
    rank,
    superseded,
)
from headrace.training.example import Example, Message
from headrace.training.similar import Likeness

ASKED = "How do I change the booking TP4711 for the ninth of May, and what does it cost me?"
SAID = "Open your booking, choose the new day and confirm it. The fee is 40 euros for each person and way."
RULES = DuplicateRules(origins=("correction", "rating"))


def refused(*examples: Example, rules: DuplicateRules = RULES) -> list[tuple[str, str, str]]:
    return [(one.id, one.reason, one.of) for one in duplicates(examples, rules)]


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("  What\n\tnow ?\u00a0", "what now ?"),
        ("\ufb01ne \uff12\uff14 \uff2b\uff47", "fine 24 kg"),
        ("STRASSE Straße", "strasse strasse"),
        ("Cafe\u0301 Café", "café café"),
        ("\u039f\u0394\u03a5\u03a3\u03a3\u0395\u038e\u03a3", "\u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c3"),
        ("a\x1eb\x1fc\x85d\u2028e", "a b c d e"),
        ("", ""),
    ],
)
def test_a_normalised_text_has_no_differences_that_say_nothing(text: str, normalised: str) -> None:
    assert canonical(text) == normalised


def test_the_same_in_another_case_form_and_spacing_is_an_exact_duplicate() -> None:
    again = pair(f" {ASKED.upper()}\n", SAID.replace(" ", "\u00a0"), "b", at=BEGAN + timedelta(hours=1))
    assert refused(again, pair(ASKED, SAID, "a")) == [("b", "exact_duplicate_of", "a")]


def test_a_near_duplicate_is_refused_with_its_true_similarity() -> None:
    (found,) = duplicates([pair(ASKED, SAID, "a"), pair(f"Hi! {ASKED} Thanks!", SAID, "b")], RULES)
    grams, more = len(ASKED) - 4 + len(SAID) - 4, len("Hi! ") + len(" Thanks!")
    assert found == ("b", "near_duplicate_of", "a", pytest.approx(grams / (grams + more), abs=0.02))
    assert 0.8 < found.similarity < 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ASKED, "The last train leaves at 22:10 from platform 9. Buses run all night, every 20 minutes."),
        ("Which hotel near the station of Faro has a room for two on the ninth of May, with a lift?", SAID),
        # Question and answer in each other's place.
        (SAID, ASKED),
    ],
)
def test_another_question_or_another_answer_is_no_duplicate(asked: str, said: str) -> None:
    assert refused(pair(ASKED, SAID, "a"), pair(asked, said, "b")) == []


def test_only_the_last_question_is_compared() -> None:
    before = (Message("user", "Hello there"), Message("assistant", "Good morning!"), Message("user", ASKED))
    assert refused(pair(ASKED, SAID, "a"), pair(ASKED, SAID, "b", messages=before)) == [
        ("b", "exact_duplicate_of", "a")
    ]


def test_the_shortest_are_compared_by_equality_alone() -> None:
    short = [pair("Gate?", "A12", "a"), pair("Gate?", "A1", "b"), pair("gate?", "a12", "c"), pair("Gate?", "A123", "d")]
    assert refused(*short) == [("c", "exact_duplicate_of", "a")]


def test_a_good_and_a_bad_answer_do_not_replace_each_other_nor_do_kinds() -> None:
    kinds = [
        pair(ASKED, SAID, "a"),
        pair(ASKED, SAID, "b", kind="kto", label=True),
        pair(ASKED, SAID, "c", kind="kto", label=False),
        pair(ASKED, SAID + " Yes.", "d", kind="kto", label=False),
    ]
    assert refused(*kinds) == [("d", "near_duplicate_of", "c")]
    assert [family(one.kind, one.label) for one in kinds] == ["sft", "kto good", "kto bad", "kto bad"]


def test_of_two_preferences_both_answers_count_and_each_in_its_place() -> None:
    bad = "I am sorry, but I am not able to help you with bookings. Please call the service line in the morning."

    def preference(id: str, chosen: str, rejected: str) -> Example:
        return pair(ASKED, "", id, kind="dpo", completion=None, chosen=chosen, rejected=rejected)

    turned, other = preference("b", bad, SAID), preference("c", SAID, "Bookings are not what I know about. " * 3)
    assert refused(preference("a", SAID, bad), turned, other, preference("d", SAID + "!", bad)) == [
        ("d", "near_duplicate_of", "a")
    ]


def test_texts_of_the_field_are_compared_as_a_whole() -> None:
    def text(id: str, said: str) -> Example:
        return pair("", said, id, kind="text", messages=(), conversation="", group=f"document {id}")

    assert refused(text("a", SAID), text("b", SAID + " Really."), text("c", ASKED)) == [("b", "near_duplicate_of", "a")]


def test_the_best_origin_stays_then_the_oldest_then_the_smallest_id() -> None:
    late = BEGAN + timedelta(days=1)
    some = {
        "e": pair(ASKED, SAID, "e", origin="correction", at=late),
        "d": pair(ASKED, SAID, "d", origin="rating", at=BEGAN - timedelta(days=1)),
        "b": pair(ASKED, SAID, "b", origin="rating"),
        "c": pair(ASKED, SAID, "c", origin="rating"),
        "a": pair(ASKED, SAID, "a", origin="thumbs", at=BEGAN - timedelta(days=9)),
    }
    for best in "edbca":
        assert [(id, of) for id, _, of in refused(*some.values())] == [(id, best) for id in sorted(some) if id != best]
        del some[best]


def test_a_rank_sorts_by_origin_moment_and_id() -> None:
    moments = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, tzinfo=UTC),
        datetime(2026, 9, 1, 0, 0, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 8, 31, 22, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    ranks = [rank(origin, at, id, ("good",)) for origin in ("good", "bad") for at in moments for id in ("a b", "c")]
    assert ranks == sorted(ranks)
    assert {id_of(one) for one in ranks} == {"a b", "c"}


def test_in_a_chain_only_what_is_like_a_kept_one_goes() -> None:
    words = [f"{word:05}" for word in range(40)]
    texts = [" ".join(words[at : at + 30]) for at in (0, 3, 6)]
    chain = [pair("What are the numbers?", text, id) for id, text in zip("abc", texts, strict=True)]
    assert refused(*chain) == [("b", "near_duplicate_of", "a")]
    assert refused(*chain[1:]) == [("c", "near_duplicate_of", "b")]


def test_an_exact_duplicate_of_one_that_goes_is_told_of_the_one_that_stays() -> None:
    near = SAID + " Really."
    three = [pair(ASKED, SAID, "a"), pair(ASKED, near, "b"), pair(ASKED, near.upper(), "c")]
    assert refused(*three) == [("b", "near_duplicate_of", "a"), ("c", "near_duplicate_of", "a")]


def test_the_threshold_is_a_setting() -> None:
    two = [pair(ASKED, SAID, "a"), pair(f"Hi! {ASKED} Thanks!", SAID, "b")]
    assert refused(*two, rules=DuplicateRules(Likeness(threshold=0.97))) == []


@pytest.mark.parametrize(
    ("pairs", "gone"),
    [
        ([], {}),
        ([("a", "b"), ("b", "c"), ("c", "d")], {"b": "a", "d": "c"}),
        ([("a", "c"), ("b", "c")], {"c": "a"}),
        ([("a", "b"), ("b", "d"), ("c", "d")], {"b": "a", "d": "c"}),
    ],
)
def test_names_go_one_after_the_other(pairs: list[tuple[str, str]], gone: dict[str, str]) -> None:
    assert superseded(pairs) == superseded(pairs[::-1]) == gone
