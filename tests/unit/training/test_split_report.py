"""The report of a split says how the examples lie, and what spoils the shares."""

from headrace.training.split_report import Component, Counted, report
from headrace.training.splits import SplitRules

RULES = SplitRules(key=b"s", test=0.1, validation=0.2)


def test_examples_are_counted_by_side_and_value() -> None:
    found = report(
        [
            Counted("train", ("en", "refund", "rating", "true"), 60),
            Counted("train", ("pt", None, "thumbs", None), 8),
            Counted("test", ("en", None, "rating", "true"), 12),
            Counted("validation", ("pt", "refund", "rating", "false"), 20),
        ],
        [],
        RULES,
    )
    assert found.rows == {"train": 68, "validation": 20, "test": 12}
    assert found.shares() == {"train": 0.68, "validation": 0.2, "test": 0.12}
    assert found.strata["language"] == {
        "en": {"train": 60, "validation": 0, "test": 12},
        "pt": {"train": 8, "validation": 20, "test": 0},
    }
    assert found.strata["intent"][""] == {"train": 8, "validation": 0, "test": 12}
    # Of 28 in pt about 3 would be in test: too few to wonder.
    assert found.remarks() == [
        "validation has no example with language en, of 72.",
        "test has no example with intent refund, of 80.",
        "train has no example with label false, of 20.",
        "validation has no example with label true, of 72.",
    ]


def test_a_component_larger_than_the_smallest_side_is_told_with_the_shares_it_spoils() -> None:
    counted = [
        Counted(side, ("en", "a", "b", None), rows) for side, rows in [("train", 40), ("test", 55), ("validation", 5)]
    ]
    components = [Component("a", "test", 10), Component("b", "test", 11), Component("c", "test", 34)]
    found = report(counted, components, RULES, {("train", "test"): 3})
    assert found.too_big == (Component("c", "test", 34), Component("b", "test", 11))
    assert found.remarks() == [
        "Component c holds 34 of 100 examples, all in test: one person, conversation, group or text joins them, "
        "so the shares cannot be met.",
        "Component b holds 11 of 100 examples, all in test: one person, conversation, group or text joins them, "
        "so the shares cannot be met.",
        "validation has 5.0% of the examples; 20.0% were asked for.",
        "test has 55.0% of the examples; 10.0% were asked for.",
        "3 examples moved from train to test.",
    ]


def test_nothing_makes_a_report_too() -> None:
    found = report([], [], RULES)
    assert found.shares() == {"train": 0, "validation": 0, "test": 0}
    assert found.too_big == ()
