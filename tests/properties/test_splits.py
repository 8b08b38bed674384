"""Splits: nothing is on two sides, any order gives the same, growth and erasure keep what was decided."""

from collections import defaultdict
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from headrace.training.example import Example
from headrace.training.leaks import Leaks, leaks
from headrace.training.splits import SIDES, SplitRules, Splits, split
from properties.training_worlds import examples, met, parts, similarity

RULES = SplitRules(key=b"s", test=0.3, validation=0.3)
LIKENESS = RULES.likeness


def shared(example: Example) -> set[tuple[str, object]]:
    """What no example on another side may have, texts aside."""
    told = {("person", example.person), ("conversation", example.conversation), ("group", example.group)}
    told |= {("conversation", conversation) for conversation, _ in example.beside}
    told |= {("person", person) for _, person in example.beside}
    return {(kind, value) for kind, value in told if value}


def texts(example: Example) -> list[tuple[str, ...]]:
    """The question with each of the answers."""
    said = parts(example)
    if example.kind != "dpo":
        return [said] if any(said) else []
    return [(said[0], answer) for answer in said[1:] if said[0] or answer]


def alike(some: list[Example]) -> set[tuple[str, str]]:
    """Pairs of ids with equal texts, or near ones that a band brought together."""
    owned = [(text, one.id) for one in some for text in texts(one)]
    together = met([text for text, _ in owned], LIKENESS)
    return {
        (owned[a][1], owned[b][1])
        for a, b in combinations(range(len(owned)), 2)
        if owned[a][0] == owned[b][0]
        or ((a, b) in together and similarity(owned[a][0], owned[b][0]) >= LIKENESS.threshold)
    }


few = examples(most=8)


@given(few)
def test_nothing_is_on_two_sides(some: list[Example]) -> None:
    found = split(some, RULES)
    assert set(found.side) == {one.id for one in some}
    sides = defaultdict(set)
    for one in some:
        for value in shared(one):
            sides[value].add(found.side[one.id])
    assert all(len(on) == 1 for on in sides.values())
    for one, other in alike(some):
        assert found.side[one] == found.side[other]
        assert found.component[one] == found.component[other]


@given(few, st.data())
def test_the_measure_finds_what_is_on_two_sides(some: list[Example], data: st.DataObject) -> None:
    """Against sides drawn at random, of which most leak."""
    side = {one.id: data.draw(st.sampled_from(SIDES)) for one in some}
    sides: dict[tuple[str, object], set[str]] = defaultdict(set)
    for one in some:
        for value in [*shared(one), *(("text", text) for text in texts(one))]:
            sides[value].add(side[one.id])
    double = [kind for (kind, _), on in sides.items() if len(on) > 1]
    told = [(text, on) for (kind, text), on in sides.items() if kind == "text"]
    near = sum(
        len(on | others) > 1 and similarity(one, other) >= 0.8  # type: ignore[arg-type]
        for (one, on), (other, others) in combinations(told, 2)
    )
    kinds = ("person", "conversation", "group", "text")
    assert leaks(some, side, 0.8) == Leaks(*map(double.count, kinds), near)


@given(few, st.data())
def test_any_order_and_repeat_gives_the_same(some: list[Example], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*some, *data.draw(st.lists(st.sampled_from(some)))]))
    assert split(again, RULES) == split(some, RULES)


@given(few, st.data())
def test_growth_moves_an_example_only_where_different_sides_joined_and_never_towards_train(
    some: list[Example], data: st.DataObject
) -> None:
    early = data.draw(st.lists(st.sampled_from(some), unique_by=lambda one: one.id))
    first = split(early, RULES)
    grown = split(some, RULES, first.nodes)
    moved = 0
    for one in early:
        was, now = first.side[one.id], grown.side[one.id]
        partners = {first.side[other.id] for other in early if grown.component[other.id] == grown.component[one.id]}
        assert now == max(partners, key=SIDES.index)
        assert SIDES.index(now) >= SIDES.index(was)
        moved += was != now
    assert sum(grown.moved.values()) == moved
    assert split(some, RULES, grown.nodes).side == grown.side
    _holds(grown)


@given(few, st.sampled_from(["p1", "p2", "p3"]))
def test_erasing_a_person_moves_nobody_else(some: list[Example], person: str) -> None:
    first = split(some, RULES)
    left = [one for one in some if ("person", person) not in shared(one)]
    gone = {f"person:{person}", *(f"example:{one.id}" for one in some if one not in left)}
    after = split(left, RULES, {node: side for node, side in first.nodes.items() if node not in gone})
    assert after.side == {one.id: first.side[one.id] for one in left}
    assert not after.moved
    assert gone.isdisjoint(after.nodes)


def _holds(found: Splits) -> None:
    """Each component is on one side and is named by one of its own."""
    for id, name in found.component.items():
        assert found.component[name] == name
        assert found.side[id] == found.side[name]
