"""Rows as documents, and which minutes commits may have changed."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_alerts import Threshold
from headrace.conversations.alert_known import minutes_sql
from headrace.conversations.published import beside, document, documents_sql, id_of, ids_sql, whole_day
from headrace.conversations.published_since import Fresh, touched
from headrace.pipelines.measure_gauges import window_sql
from headrace.ports_measures import Span, written
from unit.conversations.measure_tables import SLICES, a_row

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
DAY = NOW.date()


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def row(**given: Any) -> dict[str, Any]:
    return dict.fromkeys(SLICES) | a_row("latency", NOW, 9, 2, **given)


def test_a_row_becomes_a_document_with_absolute_values() -> None:
    given = row(model="it's", buckets={5: 1, -3: 1})
    assert document(given).body == {
        "measure": "latency", "minute": "2026-11-26T09:30:00.000000Z", "slice": given["slice"], "model": "it's",
        "numerator": 9.0, "denominator": 2.0, "n": 2, "counted_at": "2026-11-26T09:30:00.000000Z",
        "buckets": {"-3": 1, "5": 1},
    }  # fmt: skip
    assert "buckets" not in document(row()).body
    # Spark hands out a mapping, and times of the machine's own zone.
    local = NOW.astimezone().replace(tzinfo=None)
    as_spark = given | {"buckets": {-3: 1, 5: 1}, "minute": local, "counted_at": local}
    assert document(as_spark) == document(given)


def test_an_id_is_of_measure_minute_and_slice_alone() -> None:
    one = row(model="m")
    assert id_of(one) == id_of(one | {"numerator": 1.0, "counted_at": at(9)})
    others = (row(model="n"), one | {"minute": at(1)}, one | {"measure": "errors"})
    assert len({id_of(one), *map(id_of, others)}) == 4
    assert len(id_of(row(model="m" * 100_000))) < 100


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(999, 12, 31, 23, 59, tzinfo=UTC)])
def test_years_have_four_digits_wherever_they_are_written(at: datetime) -> None:
    day, minute = at.date().isoformat(), at.replace(tzinfo=None).isoformat(timespec="minutes")
    assert len(day) == len("2026-11-26")
    rule = Threshold(rule="threshold", measure="errors", above=0.1, window=timedelta(minutes=10))
    until = at + timedelta(minutes=1)
    for sql in (documents_sql(whole_day(at.date()), at), ids_sql(whole_day(at.date())), minutes_sql(rule, at, until),
                window_sql(["errors"], at, until)):  # fmt: skip
        assert f"DATE '{day}'" in sql and not re.search(r"'\d{1,3}-", sql)
    assert f"|{minute}Z|" in id_of(row() | {"minute": at})


def test_nothing_lies_beside_the_last_day() -> None:
    assert beside([date(9999, 12, 31)]) == [
        Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, tzinfo=UTC))
    ]


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_texts_of_times_are_in_their_order(one: datetime, other: datetime) -> None:
    assert (one < other) == (written(one) < written(other))


@given(st.sets(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), max_size=5), st.dates(
    min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))  # fmt: skip
def test_a_minute_lies_beside_the_days_or_in_one_of_them(days: set[date], day: date) -> None:
    for minute in whole_day(day):
        inside = sum(first <= minute <= last for first, last in beside(days))
        assert inside == (0 if day in days else 1)


def file(path: str, first: int | None = None, last: int | None = None, since: int = 0, **more: Any) -> dict[str, Any]:
    stats = {}
    if first is not None:
        low = {"minute": at(first).isoformat(), "counted_at": at(since).isoformat()}
        stats = {"stats": json.dumps({"minValues": low, "maxValues": {"minute": at(last or first).isoformat()}})}
    return {"path": path, "partitionValues": {"day": "2026-11-26"}, "dataChange": True, **stats, **more}


def merge(deleted: int, *files: dict[str, Any]) -> list[dict[str, Any]]:
    metrics = {"numTargetRowsDeleted": str(deleted)}
    return [{"commitInfo": {"operation": "MERGE", "operationMetrics": metrics}}, *files]


def add(*given: Any, **more: Any) -> dict[str, Any]:
    return {"add": file(*given, **more)}


def remove(path: str) -> dict[str, Any]:
    return {"remove": file(path)}


def test_what_a_batch_wrote_is_fresh_where_its_new_files_say() -> None:
    old = add("old", -600, 0, since=-600, deletionVector={"cardinality": 3})
    commits = [merge(0, remove("old"), old, add("new", -2, 1, since=3)), merge(0, add("newer", 0, 4, since=5))]
    found = touched(commits)
    assert found.fresh == {DAY: Fresh(Span(at(-2), at(4)), at(3))}
    assert (found.gone, found.anything) == ({}, False)


def test_rows_may_have_vanished_where_the_files_they_were_taken_from_say() -> None:
    old = add("old", -60, -30, since=-60, deletionVector={"cardinality": 3})
    found = touched([merge(1, remove("old"), old, add("new", 5, since=6))])
    assert found.gone == {DAY: Span(at(-60), at(-30))}
    # A file that is gone as a whole has no statistics.
    assert touched([merge(1, remove("old"))]).gone == {DAY: whole_day(DAY)}


@pytest.mark.parametrize("info", [
    {"commitInfo": {"operation": "MERGE", "operationMetrics": {}}},
    {"commitInfo": {"operation": "DELETE", "operationMetrics": {"numTargetRowsDeleted": "0"}}},
    {"txn": {"appId": "a"}},
])  # fmt: skip
def test_where_a_commit_does_not_say_whether_it_deleted_it_may_have(info: dict[str, Any]) -> None:
    assert touched([[info, remove("old"), add("new", 1)]]).gone == {DAY: whole_day(DAY)}


def test_a_compaction_changes_nothing() -> None:
    moved = [add("small", 1, dataChange=False), {"remove": file("large", dataChange=False)}]
    found = touched([[{"commitInfo": {"operation": "OPTIMIZE"}}, *moved]])
    assert (found.fresh, found.gone, found.anything) == ({}, {}, False)


def test_files_without_statistics_stand_for_their_whole_day_and_without_a_day_for_everything() -> None:
    assert touched([merge(0, add("a", 1, since=2), add("b"))]).fresh == {DAY: Fresh(whole_day(DAY), None)}
    assert touched([merge(0, add("a", partitionValues={}))]).anything
    assert touched([merge(1, {"remove": file("a", partitionValues={"day": None})})]).anything
