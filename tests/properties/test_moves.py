"""A key change that leaves large unchanged values out: they are found under the old key, or said to be missing."""

import shutil
from bisect import bisect
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config, History
from headrace.testing import delete, differences, envelopes, moved, partial, rows_of, table_truth, upsert
from headrace.testing.values import as_text
from properties.histories import Shape, chance, cut, repeated
from properties.worlds import config_for

TYPES = {"id": "string", "a": "bigint", "body": "string", "notes": "string"}
IN_ORDER = Shape("moves_in_order", ("id",), TYPES, partial=True)
SHUFFLED = Shape("moves_shuffled", ("id",), TYPES, partial=True)
HISTORIES, BATCHES = 50, 3


def moves(random: Random, shape: Shape, name: str) -> tuple[list[Change], list[Change]]:
    """One row that changes its key now and then: the changes as sent, and with the values that were left out."""
    row: dict[str, Any] = {"id": f"{name}/0", "a": 0, "body": f"{name} body", "notes": f"{name} notes"}
    sent = [upsert(shape.name, row, at=1)]
    whole = list(sent)
    for step in range(1, random.randint(2, 7)):
        at = 1 + step * 2
        moves_now = chance(random, 50)
        unsent = [column for column in ("body", "notes") if moves_now and chance(random, 60)]
        # Only what did not change may be left out.
        changed = {"body": f"{name} body {step}"} if "body" not in unsent and chance(random, 40) else {}
        row = row | {"a": step} | changed
        if moves_now:
            old, row = {"id": row["id"]}, row | {"id": f"{name}/{step}"}
            gone, arrived = moved(shape.name, old, row, at=at, unsent=unsent)
            sent += [gone, arrived]
            whole += [gone, replace(arrived, after={c: as_text(v) for c, v in row.items()}, sent=None)]
        else:
            known = {column: value for column, value in row.items() if column != "notes"}
            sent.append(partial(shape.name, known, at=at))
            whole.append(sent[-1])
    return sent, whole


def test_values_left_out_of_a_key_change_are_found_or_said_to_be_missing(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.changes.moves.LOOKUPS_AT_ONCE", 60)  # more key changes come in each batch
    random = Random(21)
    shapes = (IN_ORDER, SHUFFLED)
    config = config_for(shapes, str(tmp_path))
    told = {shape.name: [moves(random, shape, f"m{n}") for n in range(HISTORIES)] for shape in shapes}
    sent = {name: [change for changes, _ in histories for change in changes] for name, histories in told.items()}
    in_order = sorted(sent[IN_ORDER.name], key=place)
    # Both halves of a key change in one batch: once the delete was applied alone, the old row is gone.
    ends = sorted(random.sample(sorted({place(change) for change in in_order})[1:], BATCHES - 1))
    ordered = [[c for c in in_order if bisect(ends, place(c)) == number] for number in range(BATCHES)]
    pieces = zip(ordered, cut(random, repeated(random, sent[SHUFFLED.name]), BATCHES), strict=True)

    for number, (one, other) in enumerate(pieces):
        Applier(spark, config).apply(
            envelopes(spark, one + other, config, first_offset=number * 10**6), f"feed/{number}"
        )

    for shape in shapes:
        truth = table_truth([change for _, whole in told[shape.name] for change in whole], shape.key)
        rows = rows_of(spark.read.format("delta").load(f"{tmp_path}/tables/{shape.name}"), shape.key, truth.columns)
        wrong = differences(truth, rows)
        if shape is IN_ORDER:
            assert wrong == {}
        assert {key for key, _ in rows} == set(truth.rows)
        unresolved = unresolved_keys(spark, str(tmp_path), shape.name)
        for key, row in rows:
            missing = {c for c, v in row.values.items() if v is None and truth.rows[key].values[c] is not None}
            assert not missing or f'["{key[0]}"]' in unresolved, f"{key} lacks {missing} and nobody says so"


def test_a_key_change_from_before_a_column_was_added_asks_nobody_for_it(spark: SparkSession, tmp_path: Path) -> None:
    shape = Shape("grown", ("id",), TYPES, partial=True)
    config = config_for((shape,), str(tmp_path))
    old = {"id": "1", "a": 1, "body": "long"}
    gone, arrived = moved(shape.name, {"id": "1"}, old | {"id": "2", "a": 2}, at=2, unsent=["body"])
    first = [upsert(shape.name, old, at=1), upsert(shape.name, {"id": "9", "a": 1, "body": "b", "notes": "new"}, at=3)]
    for number, changes in enumerate([first, [gone, arrived]]):
        Applier(spark, config).apply(envelopes(spark, changes, config, first_offset=number * 10), f"feed/{number}")
    rows = {row["id"]: row for row in spark.read.format("delta").load(f"{tmp_path}/tables/{shape.name}").collect()}
    assert (rows["2"]["a"], rows["2"]["body"], rows["2"]["notes"]) == (2, "long", None)
    assert unresolved_keys(spark, str(tmp_path), shape.name) == set()


OLD = {"id": "1", "a": 1, "body": "long", "notes": "n"}
FRESH = {"id": "9", "a": 0, "body": "b", "notes": "n"}


def key_change(shape: Shape) -> tuple[Change, Change]:
    """`OLD` becomes id 2; its body is left out."""
    return moved(shape.name, {"id": "1"}, OLD | {"id": "2", "a": 2}, at=3, unsent=["body"])


DIED = Shape("died", ("id",), TYPES, partial=True, history=History())
AGAIN = Shape("again", ("id",), TYPES, partial=True, history=History())
CUT = Shape("cut", ("id",), TYPES, partial=True)
PASSED = Shape("passed", ("id",), TYPES, partial=True)
BEFORE = [
    upsert(DIED.name, OLD, at=1), upsert(DIED.name, FRESH, at=2),
    upsert(AGAIN.name, OLD, at=1), upsert(AGAIN.name, OLD | {"id": "2", "body": "another"}, at=2),
    upsert(CUT.name, OLD, at=1), upsert(CUT.name, FRESH, at=2),
    upsert(PASSED.name, OLD | {"body": "older"}, at=1),
]  # fmt: skip


@pytest.fixture(scope="module")
def begun(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with all of `BEFORE`; each test goes on with a copy."""
    lake = tmp_path_factory.mktemp("begun")
    assert applied(spark, config_for((DIED, AGAIN, CUT, PASSED), str(lake)), 0, BEFORE)
    return lake


def copied(begun: Path, tmp_path: Path, shape: Shape) -> Config:
    """Settings with this table alone, in a copy."""
    return config_for((shape,), str(shutil.copytree(begun, tmp_path / "lake")))


def applied(spark: SparkSession, config: Config, number: int, changes: list[Change], plan: Plan | None = None) -> bool:
    """A new process applies one batch; False where it died."""
    try:
        lake = CrashingLake(spark, config.lake, plan or Plan())
        Applier(spark, config, lake).apply(
            envelopes(spark, changes, config, first_offset=number * 10), f"feed/{number}"
        )
    except Crash:
        return False
    return True


def rows_by_id(spark: SparkSession, config: Config, shape: Shape, folder: str = "tables") -> dict[str, Row]:
    return {row["id"]: row for row in spark.read.format("delta").load(f"{config.lake}/{folder}/{shape.name}").collect()}


@pytest.mark.parametrize("dies_after", [
    pytest.param("execute tables/", marks=pytest.mark.deep),
    pytest.param("append tombstones/", marks=pytest.mark.soak),
    pytest.param("append versions/", marks=pytest.mark.soak),
])  # fmt: skip
def test_a_key_change_finds_its_values_when_its_batch_died_and_came_again_twice(
    spark: SparkSession, begun: Path, tmp_path: Path, dies_after: str
) -> None:
    """The start deletes the old row, whose floor was written; what it held must still be found."""
    shape, config = DIED, copied(begun, tmp_path, DIED)
    gone, arrived = key_change(shape)
    assert not applied(spark, config, 1, [gone, arrived], Plan(dies_after, after_commit=True))
    assert not applied(spark, config, 1, [gone, arrived], Plan("append tombstones/", after_commit=True))
    for _ in range(2):
        assert applied(spark, config, 1, [gone, arrived])
    assert rows_by_id(spark, config, shape)["2"]["body"] == "long"
    assert rows_by_id(spark, config, shape, "history")["2"]["body"] == "long"
    assert unresolved_keys(spark, config.lake, shape.name) == set()


@pytest.mark.deep
def test_a_key_that_lived_before_lends_a_moved_row_nothing(spark: SparkSession, begun: Path, tmp_path: Path) -> None:
    """Key 2 had a row, deleted lately; then key 1 became 2 and 2 became 3, in a batch that died half done."""
    shape, config = AGAIN, copied(begun, tmp_path, AGAIN)
    row = OLD | {"id": "2", "a": 2}
    gone, arrived = moved(shape.name, {"id": "1"}, row, at=5, unsent=["body"])
    gone_too, arrived_too = moved(shape.name, {"id": "2"}, row | {"id": "3"}, at=7, unsent=["body"])
    changes = [gone, arrived, gone_too, arrived_too]
    assert applied(spark, config, 1, [delete(shape.name, {"id": "2"}, at=3), upsert(shape.name, FRESH, at=4)])
    assert not applied(spark, config, 2, changes, Plan("execute tables/", after_commit=True))
    assert applied(spark, config, 2, changes)
    assert rows_by_id(spark, config, shape)["3"]["body"] == "long"
    assert rows_by_id(spark, config, shape, "history")["3"]["body"] == "long"
    assert unresolved_keys(spark, config.lake, shape.name) == set()


@pytest.mark.deep
def test_a_key_change_cut_in_two_by_a_batchs_end_finds_its_values(
    spark: SparkSession, begun: Path, tmp_path: Path
) -> None:
    shape, config = CUT, copied(begun, tmp_path, CUT)
    gone, arrived = key_change(shape)
    assert applied(spark, config, 1, [gone])
    assert applied(spark, config, 2, [arrived])
    assert rows_by_id(spark, config, shape)["2"]["body"] == "long"
    assert unresolved_keys(spark, config.lake, shape.name) == set()


@pytest.mark.deep
def test_a_value_that_never_was_in_the_table_is_not_replaced_by_an_older_one(
    spark: SparkSession, begun: Path, tmp_path: Path
) -> None:
    """The newest value came and went within one batch; its key change comes in the next."""
    shape, config = PASSED, copied(begun, tmp_path, PASSED)
    gone, arrived = key_change(shape)
    assert applied(spark, config, 1, [upsert(shape.name, OLD, at=2), gone])
    assert applied(spark, config, 2, [arrived])
    assert rows_by_id(spark, config, shape)["2"]["body"] is None
    assert unresolved_keys(spark, config.lake, shape.name) == {'["2"]'}


def place(change: Change) -> str:
    """The part of a position that the source gave."""
    return change.position.rpartition("-")[0]


def unresolved_keys(spark: SparkSession, lake: str, table: str) -> set[str]:
    """Keys that the rejects name as lacking a value."""
    try:
        rejects = spark.read.format("delta").load(f"{lake}/rejects/apply_changes")
    except Exception:
        return set()
    found = rejects.where(f"table = '{table}' AND reason = 'unresolved value'").select("key").distinct()
    return {row["key"] for row in found.collect()}
