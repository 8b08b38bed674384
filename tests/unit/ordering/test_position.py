from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.ordering import position as positions
from headrace.ordering.position import UnreadablePosition

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)
moments = st.datetimes(
    min_value=datetime(1, 1, 2),
    max_value=datetime(9999, 12, 30),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-11))]),
)


@given(st.integers(0, 10**20 - 1), st.integers(0, 10**20 - 1))
def test_integers_sort_by_value(one: int, other: int) -> None:
    assert (positions.integer(one) < positions.integer(other)) == (one < other)


@given(decimals, decimals)
def test_numbers_sort_by_value(one: Decimal, other: Decimal) -> None:
    assert (positions.number(one) < positions.number(other)) == (one < other)
    assert (positions.number(one) == positions.number(other)) == (one == other)


def test_numbers_of_every_kind_sort_by_value() -> None:
    rising = "-1000.5 -1000 -10 -9.99 -9.9 -0.5 -0.25 -0.001 0 0.001 0.25 0.5 9 9.9 9.99 10 99 100 1000.5".split()
    assert sorted(map(positions.column_value, rising)) == [positions.column_value(one) for one in rising]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3))
def test_the_same_number_written_differently_is_one_position(value: Decimal) -> None:
    longer = f"{value:.6f}"
    assert positions.column_value(str(format(value, "f"))) == positions.column_value(longer)


@given(moments, moments)
def test_timestamps_sort_by_the_moment_they_name_whatever_their_zone(one: datetime, other: datetime) -> None:
    encoded = [positions.column_value(moment.isoformat()) for moment in (one, other)]
    assert (encoded[0] < encoded[1]) == (one < other)
    assert (encoded[0] == encoded[1]) == (one == other)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2024-01-31", "2024-01-31T00:00:00.000001Z"),
        ("2024-01-31 10:00", "2024-01-31T10:00:01Z"),
        ("2024-01-31T10:00:00.999999998Z", "2024-01-31T10:00:00.999999999Z"),
        ("2024-01-31T12:00:00+02:00", "2024-01-31T10:00:01Z"),
        ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_timestamps_of_several_spellings_sort_by_time(earlier: str, later: str) -> None:
    assert positions.column_value(earlier) < positions.column_value(later)


@given(st.text(min_size=1), st.text(min_size=1))
def test_text_sorts_by_its_bytes(one: str, other: str) -> None:
    assert (positions.text(one) < positions.text(other)) == (one.encode() < other.encode())


@given(st.lists(st.tuples(decimals, st.text(min_size=1)), min_size=2, max_size=5, unique=True))
def test_several_columns_sort_one_after_the_other(rows: list[tuple[Decimal, str]]) -> None:
    def encoded(row: tuple[Decimal, str]) -> str:
        return positions.position([positions.number(row[0]), positions.text(row[1])], "upsert", b"")

    assert sorted(rows, key=encoded) == sorted(rows, key=lambda row: (row[0], row[1].encode()))


def test_at_one_place_a_snapshot_start_is_lowest_then_snapshot_rows_truncate_delete_and_upsert() -> None:
    parts = (positions.integer(7),)
    rising = [
        positions.snapshot_start(parts),
        positions.position(parts, "upsert", b"row", rank=positions.SNAPSHOT_RANK),
        positions.position(parts, "truncate", b""),
        positions.position(parts, "delete", b"row"),
        positions.position(parts, "upsert", b"row"),
        positions.position((positions.integer(8),), "truncate", b""),
        positions.position((positions.integer(0),), "truncate", b"", epoch=1),
    ]
    assert all(sorted(shuffled) == rising for shuffled in permutations(rising))
    assert positions.LOWEST < rising[0]


def test_equal_content_is_an_equal_position_and_other_content_another() -> None:
    parts = (positions.integer(7),)
    assert positions.position(parts, "upsert", b"a") == positions.position(parts, "upsert", b"a")
    assert positions.position(parts, "upsert", b"a") != positions.position(parts, "upsert", b"b")


def test_the_longer_sequencer_is_later_only_where_its_extra_digits_are_not_zero() -> None:
    assert positions.sequencer("0055AED6DCD90281E5") < positions.sequencer("0055AED6DCD90281E501")
    assert positions.sequencer("0055aed6dcd90281e5") == positions.sequencer("0055AED6DCD90281E500")
    assert positions.sequencer("617f08299329d189") > positions.sequencer("617F08299329D1")


def test_log_numbers_in_hexadecimal_compare_as_numbers() -> None:
    rising = ["00000027:00000758:0003", "00000027:00000758:0005", "00000027:00000ac0:0002", "00000100:00000001:0001"]
    assert sorted(positions.fixed_hex(one, 20) for one in rising) == [positions.fixed_hex(one, 20) for one in rising]
    assert positions.fixed_hex("00000027:00000AC0:0002", 20) == "0000002700000ac00002"


@pytest.mark.parametrize("value", [-1, 10**20, "twelve", "", None, "1.5", [1]])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(UnreadablePosition, match="expected"):
        positions.integer(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "xyz", "0x12", "1" * 21])
def test_what_is_no_hexadecimal_number_is_refused(value: str) -> None:
    with pytest.raises(UnreadablePosition, match="hexadecimal"):
        positions.fixed_hex(value, 20)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "auto"), ("", "auto"), ("soon", "number"), ("NaN", "number"), ("soon", "timestamp"), ("9" * 120, "auto")],
)
def test_a_position_column_without_a_usable_value_is_refused(value: str | None, kind: positions.Kind) -> None:
    with pytest.raises(UnreadablePosition, match="expected"):
        positions.column_value(value, kind)


def test_a_refusal_does_not_repeat_a_long_value() -> None:
    with pytest.raises(UnreadablePosition) as refused:
        positions.integer("secret" * 1000)
    assert len(str(refused.value)) < 200


def test_a_column_read_as_text_keeps_numbers_as_text() -> None:
    assert positions.column_value("10", "text") < positions.column_value("9", "text")
    assert positions.column_value("10", "number") > positions.column_value("9", "number")
    assert positions.column_value("1.5E3", "number") == positions.column_value("1500")
