"""Learned types against values that do not fit them, and a table opened under another key."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.errors import ConfigError
from headrace.lake import Lake
from headrace.testing import builders

BIG, NEXT = 9_007_199_254_740_992, 9_007_199_254_740_993
TOO_LARGE = Decimal("1" + "0" * 400)


def config(lake: Path, **table: Any) -> Config:
    feed = {"from": "files", "path": "./in", "format": "json", "position": ["at"]}
    tables = {"t": {"source": "feed", "key": ["id"], **table}}
    return Config.model_validate({"lake": str(lake), "sources": {"feed": feed}, "tables": tables})


def apply(spark: SparkSession, settings: Config, *batches: Iterable[Change]) -> tuple[int, int]:
    """Applied and refused rows of the last batch."""
    applier = Applier(spark, settings)
    for number, batch in enumerate(batches):
        frame = builders.envelopes(spark, batch, settings, first_offset=100 * number)
        result = applier.apply(frame, f"feed/{number}")
    return result.total("applied"), result.total("rejected")


def row(at: int, /, **values: Any) -> Change:
    return builders.upsert("t", values, at=at)


def stored(spark: SparkSession, lake: Path) -> DataFrame:
    return spark.read.format("delta").load(f"{lake}/tables/t")


def reasons(spark: SparkSession, lake: Path) -> list[str]:
    return [one["reason"] for one in spark.read.format("delta").load(f"{lake}/rejects/apply_changes").collect()]


def test_a_fraction_in_a_key_is_refused_and_merges_no_rows(spark: SparkSession, lake: Path) -> None:
    first = [row(1, id=BIG, n="a"), row(2, id=NEXT, n="b")]

    counts = apply(spark, config(lake), first, [row(3, id=0.5, n="c"), row(4, id=NEXT, n="d")])

    assert counts == (1, 1)
    assert {(one["id"], one["n"]) for one in stored(spark, lake).collect()} == {(BIG, "a"), (NEXT, "d")}
    assert reasons(spark, lake) == ["incompatible value"]


def test_a_whole_number_that_meets_a_fraction_keeps_every_digit(spark: SparkSession, lake: Path) -> None:
    second = [row(2, id=2, n=0.5), row(3, id=3, n=TOO_LARGE), row(4, id=4, n=1e-20), row(5, id=5, n=float("inf"))]

    counts = apply(spark, config(lake), [row(1, id=1, n=NEXT)], second)

    assert counts == (1, 3)
    assert {one["id"]: one["n"] for one in stored(spark, lake).collect()} == {1: Decimal(NEXT), 2: Decimal("0.5")}
    assert reasons(spark, lake) == ["incompatible value"] * 3


def test_large_whole_numbers_leave_no_room_for_a_fraction(spark: SparkSession, lake: Path) -> None:
    counts = apply(spark, config(lake, types={"n": "decimal(38,0)"}), [row(1, id=1, n=10**30), row(2, id=2, n=0.5)])

    assert counts == (1, 1)
    assert [one["n"] for one in stored(spark, lake).collect()] == [Decimal(10**30)]


def test_a_double_stays_one_and_takes_no_number_that_becomes_infinite(spark: SparkSession, lake: Path) -> None:
    second = [row(2, id=2, n=3), row(3, id=3, n=TOO_LARGE), row(4, id=4, n=float("inf"))]

    counts = apply(spark, config(lake), [row(1, id=1, n=0.5)], second)

    assert counts == (2, 1)
    assert {one["id"]: one["n"] for one in stored(spark, lake).collect()} == {1: 0.5, 2: 3.0, 4: float("inf")}


def test_another_key_stops_the_start_and_the_same_one_does_not(spark: SparkSession, lake: Path) -> None:
    apply(spark, config(lake), [row(1, id=1, o="it's"), row(2, id=2, o="b")])

    with pytest.raises(
        ConfigError, match=r'tables\.t\.key: expected \["id"\].*found \["o"\].*Set it back.*tombstones/t'
    ):
        Applier(spark, config(lake, key=["o"]))

    assert apply(spark, config(lake), [row(3, id=1, o="c")]) == (1, 0)


def test_a_table_without_the_property_gets_it_when_it_is_opened(spark: SparkSession, lake: Path) -> None:
    quoted = "it's \"\\"
    settings = config(lake, key=["id", quoted])
    apply(spark, settings, [builders.upsert("t", {"id": 1, quoted: 2}, at=1)])
    place = Lake(spark, str(lake))
    first = place.properties("tables/t")["headrace.key"]
    spark.sql(f"ALTER TABLE delta.`{lake}/tables/t` UNSET TBLPROPERTIES ('headrace.key')")

    Applier(spark, settings)

    assert place.properties("tables/t")["headrace.key"] == first
    with pytest.raises(ConfigError):
        Applier(spark, config(lake, key=[quoted, "id"]))


def test_a_key_cannot_be_declared_a_double_later(spark: SparkSession, lake: Path) -> None:
    apply(spark, config(lake), [row(1, id=BIG), row(2, id=NEXT)])

    with pytest.raises(ConfigError, match=r"tables\.t\.types\.id: expected bigint"):
        Applier(spark, config(lake, types={"id": "double"}))

    Applier(spark, config(lake, types={"id": "decimal(38,0)"}))
