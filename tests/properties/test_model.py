"""The fold with floors equals the oracle on any shuffle; without one of its rules it does not."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.changes.envelope import Change
from headrace.testing import table_truth
from headrace.testing.oracle import Key, Version
from properties.fold import Rules, folded
from properties.histories import SHAPES, TRACKED, Shape, cut, history, repeated, truncates

SHUFFLES = 3_000


def events(random: Random, shape: Shape) -> list[Change]:
    return history(random, shape, "k") + truncates(random, shape)


def shuffled(random: Random, changes: list[Change]) -> list[list[Change]]:
    sent = repeated(random, changes)
    return cut(random, sent, random.randint(1, max(1, len(sent))))


def fold_rows(batches: list[list[Change]], shape: Shape, rules: Rules) -> dict[Key, tuple[dict[str, str | None], str]]:
    fold = folded(batches, shape.key, list(shape.types), rules)
    return {key: (row.values, row.position) for key, row in fold.rows.items()}


def true_rows(changes: list[Change], shape: Shape) -> dict[Key, tuple[dict[str, str | None], str]]:
    rows: dict[Key, Version] = table_truth(changes, shape.key).rows
    named = dict.fromkeys(shape.types)
    return {key: (named | row.values, row.position) for key, row in rows.items()}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_the_fold_with_floors_equals_the_oracle_in_any_order_cut_anywhere(shape: Shape, random: Random) -> None:
    changes = events(random, shape)

    assert fold_rows(shuffled(random, changes), shape, Rules()) == true_rows(changes, shape)


def test_the_fold_with_floors_equals_the_oracle_on_thousands_of_shuffles() -> None:
    random = Random(1)
    wrong = [number for number in range(SHUFFLES) if not agrees(random, SHAPES[number % len(SHAPES)], Rules())]

    assert wrong == []


@pytest.mark.parametrize(
    "off",
    [
        "guard_updates",
        "guard_deletes",
        "tombstones",
        "truncate_watermark",
        "carried_values",
        "floor_nulls_carried",
        "reduce_by_column",
    ],
)
def test_without_one_of_its_rules_the_fold_goes_wrong(off: str) -> None:
    random = Random(2)
    rules = Rules(**{off: False})
    failed = sum(not agrees(random, TRACKED, rules) for _ in range(500))

    assert failed > 0, f"nothing in 500 shuffles needs {off}: either the rule or this test is useless"


def agrees(random: Random, shape: Shape, rules: Rules) -> bool:
    changes = events(random, shape)
    return fold_rows(shuffled(random, changes), shape, rules) == true_rows(changes, shape)


def test_the_oracle_does_not_look_at_order_or_repeats() -> None:
    random = Random(3)
    for shape in SHAPES:
        for _ in range(30):
            changes = events(random, shape)
            truth = table_truth(changes, shape.key, history=shape.history)
            again = table_truth(repeated(random, changes), shape.key, history=shape.history)
            assert again == truth
