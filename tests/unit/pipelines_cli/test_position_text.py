import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.ordering.position import column_value, fixed_hex, integer, position
from headrace.pipelines.position_text import readable


@pytest.mark.parametrize(
    ("parts", "op", "epoch", "text"),
    [
        ([integer(24023128)], "upsert", 0, "24023128 upsert"),
        ([integer(3), integer(0)], "delete", 2, "epoch 2 3 / 0 delete"),
        ([column_value("17")], "upsert", 0, "17 upsert"),
        ([column_value("-12.50")], "upsert", 0, "-12.5 upsert"),
        ([column_value("100")], "upsert", 0, "100 upsert"),
        ([column_value("0.05")], "upsert", 0, "0.05 upsert"),
        ([column_value("2026-03-01T08:00:00Z")], "upsert", 0, "2026-03-01T08:00:00.000000Z upsert"),
        ([column_value("v-é", "text")], "upsert", 0, "v-é upsert"),
        ([fixed_hex("0000:00ff", 12)], "upsert", 0, "ff upsert"),
    ],
)
def test_a_position_reads_like_what_the_source_sent(parts, op, epoch, text):
    shown = readable(position(parts, op, b"content", epoch=epoch))
    assert shown.rpartition(" ")[0] == text
    assert len(shown.rpartition(" ")[2]) == 4


def test_a_truncate_has_no_hash_and_nothing_is_a_dash():
    assert readable(position([integer(5)], "truncate", b"")) == "5 truncate"
    assert (readable(None), readable(""), readable("odd")) == ("-", "-", "odd")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15))
def test_every_number_reads_back_as_itself(value):
    shown = readable(position([column_value(str(value))], "upsert", b"x")).split()[0]
    assert float(shown) == pytest.approx(float(value), abs=1e-9)
