"""Splits: what is together, which side it is on, and what an earlier version decided."""

from collections import Counter
from datetime import timedelta

import pytest

from chat_world import BEGAN, pair
from headrace.training.example import Example
from headrace.training.splits import SIDES, Side, SplitRules, split

RULES = SplitRules(key=b"s", test=0.2, validation=0.2)
ASKED = "How do I change the booking TP4711 for the ninth of May, and what does it cost me?"
SAID = "Open your booking, choose the new day and confirm it. The fee is 40 euros for each person and way."


def one(id: str, minute: int = 0, **values: object) -> Example:
    """An example that nothing joins to another, unless `values` do."""
    text = " ".join(f"{id}{at}" for at in range(20))
    return pair(f"What of {text}?", f"It is {text}.", id, at=BEGAN + timedelta(minutes=minute), **values)


def together(*examples: Example) -> list[list[str]]:
    """The components, as ids."""
    found = split(examples, RULES).component
    return sorted(sorted(id for id in found if found[id] == name) for name in set(found.values()))


def preference(id: str, chosen: str, rejected: str) -> Example:
    return pair(ASKED, "", id, kind="dpo", completion=None, chosen=chosen, rejected=rejected)


@pytest.mark.parametrize(
    ("examples", "components"),
    [
        ([one("a"), one("b")], [["a"], ["b"]]),
        ([one("a", person="p"), one("b", person="p"), one("c", person="q")], [["a", "b"], ["c"]]),
        ([one("a", conversation="c1"), one("b", conversation="c1")], [["a", "b"]]),
        ([one("a", group="g"), one("b", group="g"), one("c", group=None)], [["a", "b"], ["c"]]),
        # A conversation, a person and a group of one name are three things.
        ([one("a", conversation="x"), one("b", person="x"), one("c", group="x")], [["a"], ["b"], ["c"]]),
        # No conversation and no person join nobody.
        ([one("a", conversation="", person=""), one("b", conversation="", person=None), one("c", person="")],
         [["a"], ["b"], ["c"]]),
        # The other answer of a preference is somebody's too.
        ([one("a", person="p"), one("b", conversation="k"), one("c", beside=(("k", "p"),)),
          one("d", beside=(("x", None),))], [["a", "b", "c"], ["d"]]),
        ([pair(ASKED, SAID, "a"), pair(f"Hi! {ASKED}", SAID, "b")], [["a", "b"]]),
        # The same answer is no leak of its own, nor the same question.
        ([pair(ASKED, SAID, "a"), pair("Which hotel is near the station of Faro?", SAID, "b")], [["a"], ["b"]]),
        # Whatever they are for: a good answer, a rated one, either answer of a preference.
        ([pair(ASKED, SAID, "a"), pair(ASKED, SAID, "b", kind="kto", label=False), preference("c", SAID, "No."),
          preference("d", "No idea, I am afraid.", f"{SAID} Yes.")], [["a", "b", "c", "d"]]),
        # Too short to be near, but equal.
        ([pair("Gate?", "A1", "a"), pair("gate?", "a1", "b"), pair("Gate?", "A12", "c")], [["a", "b"], ["c"]]),
        ([pair("", "", "a"), pair("", "", "b")], [["a"], ["b"]]),
        # In a chain: by person, conversation, text.
        ([one("a", person="p"), one("b", person="p", conversation="k"), one("c", conversation="k", person="q"),
          pair(ASKED, SAID, "d", person="q"), pair(f"{ASKED} Thanks", SAID, "e")], [["a", "b", "c", "d", "e"]]),
    ],
)  # fmt: skip
def test_what_is_together(examples: list[Example], components: list[list[str]]) -> None:
    assert together(*examples) == together(*examples[::-1]) == components


def test_a_component_is_named_by_its_oldest_example_and_its_hash_decides() -> None:
    found = split([one("z", 1, person="p"), one("a", 2, person="p"), one("b", 2)], RULES)
    assert found.component == {"z": "z", "a": "z", "b": "b"}
    assert found.side == {"z": RULES.side("z"), "a": RULES.side("z"), "b": RULES.side("b")}


def test_shares_are_about_what_is_asked_for_and_another_key_splits_otherwise() -> None:
    """A fixed key and fixed names: nothing is drawn. Five standard deviations of 20 000 are 283."""
    names = [str(number) for number in range(20_000)]
    sides = [RULES.side(name) for name in names]
    assert Counter(sides) == {
        "train": pytest.approx(12_000, abs=347), "test": pytest.approx(4_000, abs=283),
        "validation": pytest.approx(4_000, abs=283),
    }  # fmt: skip
    assert [SplitRules(b"other", 0.2, 0.2).side(name) for name in names] != sides
    # A larger test side keeps all it had, and takes from validation alone.
    larger = [SplitRules(b"s", test=0.3, validation=0.1).side(name) for name in names]
    assert {pair for pair in zip(sides, larger, strict=True) if pair[0] != pair[1]} == {("validation", "test")}
    assert set(map(SplitRules(b"s", test=0, validation=0).side, names)) == {"train"}


@pytest.mark.parametrize(("test", "validation"), [(-0.1, 0.1), (0.1, -0.1), (0.5, 0.5), (float("nan"), 0.1)])
def test_shares_that_cannot_be_are_refused(test: float, validation: float) -> None:
    with pytest.raises(ValueError, match="expected shares from 0 that leave something to train; found test"):
        SplitRules(b"s", test, validation)


def named(side: Side, but: str = "") -> str:
    """An id whose hash leads to this side."""
    return next(id for id in (f"{at:032x}" for at in range(1000)) if RULES.side(id) == side and id != but)


def test_growth_moves_nothing_even_where_the_newcomer_is_older() -> None:
    first = split([one(named("test"), 5, person="p")], RULES)
    grown = split([one(named("test"), 5, person="p"), one(named("train"), 1, person="p")], RULES, first.nodes)
    assert set(grown.side.values()) == {"test"} and not grown.moved
    assert set(split([one(named("test"), 5, person="p"), one(named("train"), 1, person="p")], RULES).side.values()) == {
        "train"
    }


@pytest.mark.parametrize("before", SIDES)
@pytest.mark.parametrize("other", SIDES)
def test_where_components_join_test_wins_then_validation(before: Side, other: Side) -> None:
    a, b = named(before), named(other, but=named(before))
    first = split([one(a, 1, person="p"), one(b, 2, person="q")], RULES)
    assert first.side == {a: before, b: other}
    joined = split(
        [one(a, 1, person="p"), one(b, 2, person="q"), one("new", 3, person="p", conversation=f"c-{b}")],
        RULES, first.nodes,
    )  # fmt: skip
    wins = max(before, other, key=["train", "validation", "test"].index)
    assert set(joined.side.values()) == {wins}
    assert joined.moved == {(was, wins): 1 for was in (before, other) if was != wins}


def test_who_comes_back_finds_the_old_side() -> None:
    id = named("test")
    first = split([one(id, person="p")], RULES)
    gap = split([one("b", person="q")], RULES, first.nodes)
    back = split([one(named("train"), person="p"), one("b", person="q")], RULES, gap.nodes)
    assert back.side[named("train")] == "test" and not back.moved


def test_the_next_version_is_told_of_people_but_not_of_texts() -> None:
    found = split([one("a", person="p", conversation="c", group="g")], RULES)
    assert set(found.nodes) == {"example:a", "person:p", "conversation:c", "group:g"}


def test_an_erased_person_inside_a_cluster_leaves_the_others_where_they_were() -> None:
    """b alone holds a and c together; without b they are two, and their names lead elsewhere."""
    words = [f"{word:05}" for word in range(40)]
    texts = [" ".join(words[at : at + 30]) for at in (0, 3, 6)]
    chain = [
        pair("What are the numbers?", text, id, person=f"p-{id}", at=BEGAN + timedelta(minutes=minute))
        for id, text, minute in zip((named("train"), "b", "c"), texts, (2, 1, 3), strict=True)
    ]
    first = split(chain, RULES)
    assert len(set(first.component.values())) == 1
    left = [example for example in chain if example.id != "b"]
    nodes = {
        node: side for node, side in first.nodes.items() if node not in {"example:b", "person:p-b", "conversation:c-b"}
    }
    after = split(left, RULES, nodes)
    assert len(set(after.component.values())) == 2
    assert after.side == {id: side for id, side in first.side.items() if id != "b"}
    assert not after.moved
    assert not any("p-b" in node or node.endswith(":b") for node in after.nodes)
