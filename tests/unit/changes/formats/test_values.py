import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.changes.formats import values
from headrace.changes.formats.payload import Unusable, parse


@pytest.mark.parametrize(
    ("written", "text", "type_"),
    [
        ("null", None, None),
        ("true", "true", "boolean"),
        ("12", "12", "bigint"),
        ("-9223372036854775808", "-9223372036854775808", "bigint"),
        ("9223372036854775808", "9223372036854775808", "decimal(38,0)"),
        ("-" + "9" * 38, "-" + "9" * 38, "decimal(38,0)"),
        ("1" + "0" * 38, "1" + "0" * 38, "string"),
        ("12.50", "12.50", "double"),
        ("0.1234567890123456789012345", "0.1234567890123456789012345", "double"),
        ("1.5e3", "1500", "double"),
        ("5.1329921358543865E-20", "0.000000000000000000051329921358543865", "double"),
        ('"née"', "née", "string"),
        ('""', "", "string"),
        ("[]", "[]", None),
        ("[null]", "[null]", None),
        ("[1, null, 2]", "[1,null,2]", "array<bigint>"),
        ("[1, 2.50]", "[1,2.50]", "array<double>"),
        ("[18446744073709551615]", "[18446744073709551615]", "array<decimal(38,0)>"),
        ('["a", "b"]', '["a","b"]', "array<string>"),
        ("[true]", "[true]", "array<boolean>"),
        ('["a", 1]', '["a",1]', "string"),
        ("[[1]]", "[[1]]", "string"),
        ('[{"a": 1}]', '[{"a":1}]', "string"),
        ('{"a": {"b": 1.0}}', '{"a":{"b":1.0}}', "string"),
    ],
)
def test_a_json_value_teaches_its_text_and_type(written: str, text: str | None, type_: str | None) -> None:
    assert values.learn(parse(written.encode())) == (text, type_)


@given(st.integers(), st.integers(-30, 30))
def test_numbers_lose_their_exponent_and_no_digit(digits: int, exponent: int) -> None:
    plain = values.plain_number(f"{digits}E{exponent}")
    assert "E" not in plain
    sign, figures, _ = Decimal(digits).as_tuple()
    assert Decimal(plain) == Decimal((sign, figures, exponent))


@given(st.integers(), st.integers(-20, 40))
def test_an_unscaled_integer_reads_as_the_decimal_it_stands_for(number: int, scale: int) -> None:
    raw = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    text = values.unscaled(base64.b64encode(raw).decode(), scale)
    sign, digits, _ = Decimal(number).as_tuple()
    assert Decimal(text) == Decimal((sign, digits, -scale))
    assert "E" not in text


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "00:00:00"),
        (57_022_000_000, "15:50:22"),
        (31_873_256_919, "08:51:13.256919"),
        (86_400_000_000, "24:00:00"),
        (-3_020_399_000_000, "-838:59:59"),
    ],
)
def test_a_time_of_day_reads_as_a_clock(micros: int, text: str) -> None:
    assert values.clock(micros) == text


@pytest.mark.parametrize("number", ["1e401", "1e-401", "1e999999999"])
def test_a_number_of_endless_digits_is_refused_before_it_is_written_out(number: str) -> None:
    with pytest.raises(Unusable) as refused:
        values.learn(parse(number.encode()))
    assert refused.value.reason == "incompatible value"


@pytest.mark.parametrize(("value", "expected"), [(5, 5), ("5", 5), ("5.000", 5), ("1E3", 1000), ("-7", -7)])
def test_whole_numbers_are_read_from_numbers_and_text(value: Any, expected: int) -> None:
    assert values.whole(value) == expected


@pytest.mark.parametrize("value", ["5.5", "five", None, True, [], {}, ""])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(Unusable, match="number"):
        values.whole(value)


@pytest.mark.parametrize("number", [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_000_000])
def test_epoch_numbers_of_any_unit_are_the_same_moment(number: int) -> None:
    assert values.epoch_micros(number) == 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"NaN", "not JSON"),
        (b'{"a":1}{"b":2}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b'{"a":"\xff"}', "wrong UTF-8"),
        (b"\xfe\xff\x00{", "wrong UTF-8"),
        (b'"\xed\xa0\x80"', "wrong UTF-8"),
    ],
)
def test_bytes_that_are_no_json_are_refused_by_their_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Unusable) as refused:
        parse(raw)
    assert refused.value.reason == reason


def test_a_byte_order_mark_before_json_is_allowed() -> None:
    assert parse(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
