"""Spark's form of duplicates, splits and leaks tells the same as the plain one, on any partitions."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from chat_world import BEGAN, ORIGINS, chats, pair
from headrace.lake import local_rows
from headrace.training import bulk_duplicates, bulk_leaks, bulk_splits
from headrace.training.duplicates import DuplicateRules, duplicates
from headrace.training.example import Example
from headrace.training.leaks import leaks
from headrace.training.similar import Likeness
from headrace.training.split_report import STRATA, Component, Counted, report
from headrace.training.splits import SIDES, Side, SplitRules, split, text_node, told

RULES = DuplicateRules(origins=ORIGINS)
SPLIT = SplitRules(key=b"s", test=0.2, validation=0.2)


def rows(spark: SparkSession, examples: Sequence[Example], partitions: int = 3) -> DataFrame:
    told = [(one.id, json.dumps(one.to_json(), ensure_ascii=False)) for one in examples]
    return local_rows(spark, told, "id string, body string").repartition(partitions)


def side_rows(spark: SparkSession, side: Mapping[str, Side]) -> DataFrame:
    return local_rows(spark, list(side.items()), "id string, side string")


def crafted() -> list[Example]:
    """Every kind, the shortest, the empty, repeats, and so many of one mould that their buckets are large."""
    dice = random.Random(3)
    some = chats(250, seed=5)
    mould = "The refund of {} euros for {} is on its way and will be there within a few working days, says the bank."
    for number in range(60):
        said = mould.format(dice.randrange(10, 90), dice.choice(("TP471", "LH8099", "a hotel in Faro")))
        more = f" Ask for {number * 7919 % 1000} {chr(97 + number % 26) * 9}." if number % 2 else "!" * number
        some.append(pair("Where is my money?", said + more, f"mould{number}", at=BEGAN + timedelta(hours=number)))
    for number, base in enumerate(some[:40]):
        values = {"at": base.at + timedelta(hours=2), "person": dice.choice([None, "p1", "p2", ""])}
        asked, answer = base.messages[0].content, base.completion or ""
        some += [
            pair(
                asked,
                "",
                f"dpo{number}",
                kind="dpo",
                completion=None,
                chosen=answer,
                rejected="No idea.",
                **values,
                beside=((f"beside{number % 7}", dice.choice([None, "p3"])),),
            ),
            pair(asked, "", f"opd{number}", kind="dpo", completion=None, chosen="No idea.", rejected=answer, **values),
            pair(
                "", f"{answer} {asked}", f"text{number}", kind="text", messages=(), conversation="", group="g", **values
            ),
            pair(asked, answer + "!", f"kto{number}", kind="kto", label=number % 2 == 0, **values),
        ]
    shortest = [
        pair("Gate?", answer, f"gate{answer}", conversation=f"k{len(answer)}") for answer in ("A1", "a1", "A12")
    ]
    return [*some, *shortest, pair("", "", "nothing"), pair("", "", "nothing at all"), some[7], some[7]]


EXAMPLES = crafted()
IN_SPARK = pytest.param(5, 0, marks=pytest.mark.deep)


@pytest.fixture(scope="module")
def kept() -> list[Example]:
    gone = {one.id for one in duplicates(EXAMPLES, RULES)}
    return list({one.id: one for one in EXAMPLES if one.id not in gone}.values())


@pytest.mark.parametrize(("partitions", "in_driver"), [(2, bulk_duplicates.IN_DRIVER), IN_SPARK])
def test_the_same_examples_go(spark: SparkSession, partitions: int, in_driver: int) -> None:
    wanted = duplicates(EXAMPLES, RULES)
    assert {reason for _, reason, _, _ in wanted} == {"exact_duplicate_of", "near_duplicate_of"}
    assert len(wanted) > 100
    shuffled = random.Random(partitions).sample(EXAMPLES, len(EXAMPLES))
    found = bulk_duplicates.duplicates(rows(spark, shuffled, partitions), RULES, in_driver)
    assert sorted((row["id"], row["reason"], row["detail"], row["similarity"]) for row in found.collect()) == wanted
    assert {row["step"] for row in found.select("step").distinct().collect()} == {wanted[0].refused().step}


@pytest.mark.parametrize(("partitions", "in_driver"), [(2, bulk_splits.IN_DRIVER), IN_SPARK])
def test_the_same_sides(spark: SparkSession, kept: list[Example], partitions: int, in_driver: int) -> None:
    first = split(kept[::2], SPLIT)
    # As if an earlier version had decided otherwise for some.
    before = {**first.nodes, **{node: "validation" for node in list(first.nodes)[::17]}, "person:gone": "test"}
    wanted = split(kept, SPLIT, before)
    assert sum(wanted.moved.values()) > 0
    earlier = local_rows(spark, sorted(before.items()), bulk_splits.SIDE_OF)
    found = bulk_splits.split(rows(spark, kept, partitions), SPLIT, earlier, in_driver=in_driver)
    assert {row["id"]: row["side"] for row in found.sides.collect()} == wanted.side
    assert {row["id"]: row["component"] for row in found.sides.collect()} == wanted.component
    assert sorted((row["node"], row["side"]) for row in found.nodes.collect()) == sorted(wanted.nodes.items())
    moved = found.sides.where("was <> side").groupBy("was", "side").count().collect()
    assert {(row["was"], row["side"]): row["count"] for row in moved} == wanted.moved


def test_the_report_counts_what_is_there_and_the_measure_finds_no_leak(
    spark: SparkSession, kept: list[Example]
) -> None:
    examples = rows(spark, kept)
    found = bulk_splits.split(examples, SPLIT)
    side = {row["id"]: row["side"] for row in found.sides.collect()}
    assert side == split(kept, SPLIT).side
    assert set(side.values()) == set(SIDES)
    values = [tuple(None if (value := getattr(one, name)) is None else str(value).lower() if name == "label" else value
                    for name in STRATA) for one in kept]  # fmt: skip
    counted = [Counted(side[one.id], told, 1) for one, told in zip(kept, values, strict=True)]  # type: ignore[arg-type]
    sizes = Counter((row["component"], row["side"]) for row in found.sides.collect())
    components = [Component(name, on, count) for (name, on), count in sizes.items()]
    assert bulk_splits.split_report(examples, found, SPLIT) == report(counted, components, SPLIT)
    assert leaks(kept, side).none()
    assert bulk_leaks.leaks(examples, found.sides, SPLIT.likeness).none()


def test_the_measure_finds_what_is_planted(spark: SparkSession, kept: list[Example]) -> None:
    """By row, as a careless split does it. Every pair that is truly near shares a band: a fact about this fixed set."""
    side = {one.id: SIDES[at % 3] for at, one in enumerate(kept)}
    wanted = leaks(kept, side)
    assert min(wanted.persons, wanted.conversations, wanted.groups, wanted.texts, wanted.near_duplicates) > 0
    assert bulk_leaks.leaks(rows(spark, kept), side_rows(spark, side), SPLIT.likeness) == wanted


def test_near_duplicates_that_only_the_measure_finds_are_joined(spark: SparkSession) -> None:
    """As if the search of the split had missed them: its threshold lets nothing pass here."""
    said = "Open your booking, choose the new day and confirm it. The fee is 40 euros for each person and way."
    two = [pair("How do I change my booking?", said, "a"), pair("How do I change my booking?", said + " Yes.", "b")]
    blind = replace(SPLIT, likeness=Likeness(threshold=1.0))
    examples = rows(spark, two)
    sides = side_rows(spark, {"a": "train", "b": "test"})
    across = bulk_leaks.near_across(examples, sides, SPLIT.likeness)
    assert [set(row) for row in across.collect()] == [{text_node(told(one)[0]) for one in two}]
    assert len(set(split(two, blind).component.values())) == 2
    found = bulk_splits.split(examples, blind, also=across).sides
    assert len({row["component"] for row in found.collect()}) == 1
