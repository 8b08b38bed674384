"""Duplicates: no false pair, none that a band brought together is left, one result for any order and repeat."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from headrace.training.duplicates import DuplicateRules, duplicates, family, rank, superseded
from headrace.training.example import Example
from headrace.training.similar import Likeness, Text, similar
from properties.training_worlds import examples, met, parts, similarity

RULES = DuplicateRules(origins=("correction", "rating"))
LIKENESS = RULES.likeness
thresholds = st.sampled_from([0.5, 0.7, 0.8, 0.9, 0.95])


@given(examples(), thresholds)
def test_the_pairs_are_those_that_meet_and_are_truly_alike(some: list[Example], threshold: float) -> None:
    texts = sorted({parts(one) for one in some})
    assert len(texts) <= 16
    likeness = Likeness(threshold)
    found = similar([Text(f"{at:02}", "", "\x1e".join(one)) for at, one in enumerate(texts)], likeness)
    true = {(a, b): similarity(texts[a], texts[b]) for a, b in met(texts, likeness)}
    assert found == {(f"{a:02}", f"{b:02}"): value for (a, b), value in true.items() if value >= threshold}


@given(examples())
def test_texts_of_the_same_grams_are_always_found(some: list[Example]) -> None:
    texts = sorted({parts(one) for one in some})
    found = similar([Text(f"{at:02}", "", "\x1e".join(one)) for at, one in enumerate(texts)], LIKENESS)
    for a, b in combinations(range(len(texts)), 2):
        if similarity(texts[a], texts[b]) == 1:
            assert found[f"{a:02}", f"{b:02}"] == 1


@given(examples())
def test_each_that_goes_is_like_one_that_stays_and_comes_before(some: list[Example]) -> None:
    of = {one.id: one for one in some}
    found = duplicates(some, RULES)
    gone = {one.id for one in found}
    assert len(gone) == len(found)
    for one in found:
        goes, stays = of[one.id], of[one.of]
        assert stays.id not in gone
        assert _rank(stays) < _rank(goes)
        assert (stays.kind, stays.label) == (goes.kind, goes.label)
        if one.reason == "exact_duplicate_of":
            assert parts(goes) == parts(stays) and one.similarity == 1
        else:
            assert parts(goes) != parts(stays)
            assert one.similarity == similarity(parts(goes), parts(stays)) >= LIKENESS.threshold


@given(examples())
def test_none_that_stay_are_alike_where_a_band_brought_them_together(some: list[Example]) -> None:
    gone = {one.id for one in duplicates(some, RULES)}
    stay = [one for one in some if one.id not in gone]
    together = met([parts(one) for one in stay], LIKENESS)
    for a, b in combinations(range(len(stay)), 2):
        if family(stay[a].kind, stay[a].label) == family(stay[b].kind, stay[b].label):
            assert parts(stay[a]) != parts(stay[b])
            assert (a, b) not in together or similarity(parts(stay[a]), parts(stay[b])) < LIKENESS.threshold


@given(examples(), st.data())
def test_any_order_and_repeat_gives_the_same(some: list[Example], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*some, *data.draw(st.lists(st.sampled_from(some)))]))
    assert duplicates(again, RULES) == duplicates(some, RULES)


names = st.sampled_from("abcdefgh")
graphs = st.lists(st.tuples(names, names).filter(lambda pair: pair[0] < pair[1]))


@given(graphs, st.data())
def test_names_that_stay_are_no_pair_and_each_that_goes_has_the_first_of_those_that_do(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    gone = superseded(pairs)
    assert superseded(data.draw(st.permutations(pairs))) == gone
    for one, other in pairs:
        assert one in gone or other in gone
    for name, of in gone.items():
        assert of == min(one for one, other in pairs if other == name and one not in gone)


def _rank(example: Example) -> str:
    return rank(example.origin, example.at, example.id, RULES.origins)
