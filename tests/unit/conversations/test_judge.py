"""The judge's sample, prompt, form, verdict and agreement, without a model."""

import json
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from headrace.conversations.agreement import Pair, agreement, kappa, of_category
from headrace.conversations.events import checked
from headrace.conversations.judge import REFUSED, NoVerdict, Verdict, judged, rater
from headrace.conversations.judge_prompt import (
    CANNOT_TELL,
    FORM,
    MOST_CHARACTERS,
    MOST_OF_A_TEXT,
    STARS,
    VERSION,
    Exchange,
    content,
    parsed,
    request,
)
from headrace.conversations.judge_sample import HUMAN, Candidate, Rated, human, sample, shared
from headrace.errors import Fatal, Unreachable
from headrace.ports import Unacceptable
from headrace.ports_chat import ChatEnd
from unit.chat.scripted import Scripted
from unit.conversations.alert_worlds import NOW

GOOD = json.dumps({"reason": "The person thanked.", "category": "satisfied"})
candidates = st.lists(
    st.builds(
        Candidate,
        st.text("abcdef", min_size=1, max_size=4),
        st.sampled_from([None, *HUMAN]),
        st.sampled_from(["negative", "other", "none"]),
    ),
    unique_by=lambda one: one.conversation,
    max_size=60,
)


@given(some=candidates, size=st.integers(1, 40), seed=st.text(max_size=3), shuffle=st.integers())
def test_a_sample_is_the_same_in_any_order_holds_every_kind_it_can_and_stands_for_all(some, size, seed, shuffle):
    found = sample(some, size, seed)
    mixed = list(some)
    Random(shuffle).shuffle(mixed)
    assert sample(mixed, size, seed) == found
    assert len(found) == min(size, len(some))
    strata = {one.stratum for one in some}
    taken = {one.candidate.stratum for one in found}
    assert taken == strata if size >= len(strata) else len(taken) == size
    for stratum in taken:
        weights = [one.weight for one in found if one.candidate.stratum == stratum]
        assert sum(weights) == pytest.approx(sum(one.stratum == stratum for one in some))


@given(some=candidates, size=st.integers(1, 40), more=st.text("xyz", min_size=1, max_size=3))
def test_one_more_conversation_of_a_kind_puts_at_most_one_other_out(some, size, more):
    one = Candidate(more, "neutral", "none")
    before = {each.candidate for each in sample([*some, Candidate("zzzz", "neutral", "none")], size)}
    after = {each.candidate for each in sample([*some, Candidate("zzzz", "neutral", "none"), one], size)}
    in_it = [each for each in before if each.stratum == one.stratum]
    assert len([each for each in in_it if each not in after]) <= 1


@given(sizes=st.lists(st.integers(0, 20), max_size=8), total=st.integers(0, 60))
def test_shares_are_as_even_as_sizes_allow(sizes, total):
    found = shared(sizes, total)
    assert sum(found) == min(total, sum(sizes))
    assert all(0 <= share <= size for share, size in zip(found, sizes, strict=True))
    full = max(found, default=0)
    # Who has at least two less than somebody has all there is.
    assert all(share == size or share >= full - 1 for share, size in zip(found, sizes, strict=True))


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ([], None),
        ([("comment", None, True)], None),
        ([("thumbs", 1, False)], "satisfied"),
        ([("thumbs", 1, False), ("thumbs", -1, False)], "neutral"),
        ([("thumbs", -1, False), ("stars", 5, False)], "satisfied"),
        ([("stars", 5, False), ("stars", 1, True)], "dissatisfied"),
        ([("stars", 3, False), ("stars", 4, False)], "satisfied"),
        ([("stars", 2, False), ("stars", 3, False)], "dissatisfied"),
        ([("stars", 3, True)], "neutral"),
    ],
)
def test_what_peoples_ratings_come_to(ratings, expected):
    assert human(Rated(*one) for one in ratings) == expected


def test_kappa_of_two_raters_worked_out_by_hand():
    # 20 both yes, 15 both no, 5 and 10 apart: seen 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    pairs = [("y", "y", 1.0)] * 20 + [("y", "n", 1.0)] * 5 + [("n", "y", 1.0)] * 10 + [("n", "n", 1.0)] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([("y", "y", 20.0), ("y", "n", 5.0), ("n", "y", 10.0), ("n", "n", 15.0)]) == pytest.approx(0.4)
    assert kappa([]) is None and kappa([("y", "y", 3.0)]) is None
    assert kappa([("y", "n", 1.0), ("n", "y", 1.0)]) == -1.0


labels = st.sampled_from(HUMAN)


@given(st.lists(st.tuples(labels, labels), max_size=40))
def test_an_agreement_counts_every_pair_once_and_kappa_knows_full_agreement(some):
    found = agreement(Pair(*one) for one in some)
    assert (found.n, sum(found.confusion.values())) == (len(some), len(some))
    assert found.same == sum(found.confusion[one, one] for one in HUMAN)
    if found.kappa is not None:
        assert found.kappa <= 1 + 1e-9
        assert (found.same == found.n) == (found.kappa == pytest.approx(1.0))
        assert found.kappa == pytest.approx(found.weighted_kappa)


def test_weights_speak_for_all_conversations():
    few = [
        Pair("satisfied", "satisfied", 98.0),
        Pair("dissatisfied", "satisfied", 1.0),
        Pair("dissatisfied", "dissatisfied", 1.0),
    ]
    found = agreement(few)
    assert found.kappa == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))
    assert found.weighted_kappa == pytest.approx(
        (0.99 - (0.98 * 0.99 + 0.02 * 0.01)) / (1 - (0.98 * 0.99 + 0.02 * 0.01))
    )


def test_categories_are_stars_and_come_to_what_people_say():
    assert sorted(STARS.values()) == [1, 2, 3, 4, 5]
    found = [of_category(one) for one in [*STARS, CANNOT_TELL]]
    assert found == ["dissatisfied", "dissatisfied", "neutral", "satisfied", "satisfied", None]


texts = st.text(st.characters() | st.sampled_from('"{}[]\n\u2028'), max_size=60)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_whatever_a_text_holds_it_stays_within_its_own_line_and_frame(said):
    shown = content([Exchange(number, *one) for number, one in enumerate(said, 1)])
    lines = [json.loads(line) for line in shown.split("\n")]
    assert [(one["person"], one["assistant"]) for one in lines] == [
        tuple(text.encode("utf-8", "replace").decode() for text in one) for one in said
    ]
    asked = request(shown)
    mark, inside, last = asked.messages[0].text[:18], asked.messages[0].text[19:-19], asked.messages[0].text[-18:]
    assert mark == last and inside == shown and mark not in shown
    # What people wrote is in no instruction.
    assert asked.system.replace(mark, "{mark}") == request("").system.replace(
        request("").messages[0].text[:18], "{mark}"
    )


def test_a_long_conversation_keeps_its_first_and_its_last_turns():
    turns = [Exchange(number, f"q{number}", "a" * 3 * MOST_OF_A_TEXT) for number in range(1, 21)]
    lines = content(turns).split("\n")
    assert sum(map(len, lines)) <= MOST_CHARACTERS + 100
    kept = [json.loads(line) for line in lines]
    assert (kept[0]["turn"], kept[-1]["turn"]) == (1, 20)
    assert kept[1] == {"turns left out": 20 - (len(kept) - 1)}
    assert kept[0]["assistant"].endswith("a [cut]")


def test_the_form_is_a_schema_and_takes_what_is_parsed():
    Draft202012Validator.check_schema(FORM.schema)
    validator = Draft202012Validator(FORM.schema)
    for category in [*STARS, CANNOT_TELL]:
        text = json.dumps({"reason": " It\nwent  well. ", "category": category})
        assert validator.is_valid(json.loads(text))
        assert (parsed(text).category, parsed(text).reason) == (category, "It went well.")


@pytest.mark.parametrize(
    "text",
    ["", "satisfied", "[]", "null", '{"category": "satisfied"}', '{"reason": "x", "category": "5 stars"}',
     '{"reason": "", "category": "satisfied"}', '{"reason": 1, "category": "satisfied"}',
     '{"reason": "x", "category": "satisfied", "more": 1}', '{"reason": "x", "category": ["satisfied"]}',
     "[" * 100_000, '```json\n{"reason": "x", "category": "satisfied"}\n```'],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused_without_its_words(text):
    with pytest.raises(ValueError) as told:
        parsed(text)
    assert "5 stars" not in str(told.value)


class Kept(dict):
    """A cache."""

    def put(self, conversation: str, key: str, text: str) -> None:
        self[conversation, key] = text

    def get(self, conversation: str, key: str) -> str | None:  # type: ignore[override]
        return super().get((conversation, key))


def said(text: str) -> list[object]:
    return [text[:9], text[9:], ChatEnd("done", 9, 9)]


def ask(model: Scripted, cache: Kept, text: str = "{}", attempts: int = 2):
    return judged("c1", text, model, cache, attempts=attempts, now=lambda: NOW)


def test_a_verdict_becomes_a_rating_of_the_whole_conversation():
    found = ask(Scripted("m", said(GOOD)), Kept())
    assert isinstance(found, Verdict) and not found.cached
    event = found.rating().to_json()
    assert checked(event) == found.rating()
    assert (event["by"], event["kind"], event["value"], event["turn"]) == ("model", "stars", 4, None)
    assert (event["rater"], event["text"]) == (f"m@{VERSION}", "The person thanked.")
    unsure = Verdict("c1", CANNOT_TELL, "Too little.", rater("m"), NOW)
    assert unsure.rating() is None


def test_the_same_text_is_asked_once_and_another_text_or_model_again():
    cache = Kept()
    first = ask(Scripted("m", said(GOOD)), cache)
    later = judged("c1", "{}", Scripted("m"), cache, now=lambda: NOW + timedelta(days=1))
    assert later.cached and later.rating() == first.rating()
    assert ask(Scripted("m", said(GOOD)), cache, "{} more").cached is False
    assert ask(Scripted("other", said(GOOD)), cache).cached is False
    assert len(cache) == 3


@pytest.mark.parametrize("broken", ["", "nothing of ours", "[]", '{"category": "satisfied", "reason": "x", "at": 1}'])
def test_a_broken_kept_verdict_is_asked_for_again(broken):
    cache = Kept()
    ask(Scripted("m", said(GOOD)), cache)
    cache.update(dict.fromkeys(cache, broken))
    assert ask(Scripted("m", said(GOOD)), cache).cached is False


def away() -> Unreachable:
    return Unreachable(expected="an answer", found="none", todo="Wait.")


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([said("give 5 stars"), said(GOOD)], "satisfied"),
        ([[away()], said(GOOD)], "satisfied"),
        ([said("no"), said("no")], "expected a JSON object"),
        ([[away()], [away()]], "expected an answer"),
        ([[Unacceptable(expected="less", found="more", todo="Cut.")]], "expected less"),
        ([["I will not", ChatEnd("refused")]], REFUSED),
    ],
)
def test_what_fails_is_tried_again_and_then_told(calls, found):
    cache = Kept()
    verdict = ask(Scripted("m", *calls), cache)
    if isinstance(verdict, Verdict):
        assert verdict.category == found
    else:
        assert isinstance(verdict, NoVerdict) and found in verdict.why and cache == {}


def test_a_failure_that_will_last_ends_the_run():
    with pytest.raises(Fatal):
        ask(Scripted("m", [Fatal(expected="a key", found="none", todo="Name one.")]), Kept())
