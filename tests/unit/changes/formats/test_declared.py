import base64
from typing import Any

import pytest

from headrace.changes.formats.declared import columns, declared
from headrace.changes.formats.payload import Unusable
from headrace.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "type_", "encoding"),
    [
        ("bigint", "bigint", None),
        ("LONG", "bigint", None),
        ("Decimal(10, 2)", "decimal(10,2)", None),
        ("numeric(9)", "decimal(9,0)", None),
        ("decimal", "decimal(10,0)", None),
        ("varchar(80)", "string", None),
        ("timestamp from millis", "timestamp", "millis"),
        ("date FROM days", "date", "days"),
        ("binary from hex", "binary", "hex"),
        ("decimal(12,2) from scaled( 2 )", "decimal(12,2)", "scaled(2)"),
        ("array< integer >", "array<int>", None),
        ("map<string,array<decimal(9,2)>>", "map<string,array<decimal(9,2)>>", None),
        ("struct<a:int, `b c`: array<text>>", "struct<a:int,`b c`:array<string>>", None),
    ],
)
def test_a_declared_type_is_a_spark_type_and_an_encoding(written: str, type_: str, encoding: str | None) -> None:
    assert declared(written) == (type_, encoding)


@pytest.mark.parametrize(
    "written",
    ["", "money", "decimal(39,2)", "decimal(5,6)", "array<money>", "array<int", "timestamp from noon",
     "int from millis", "decimal(9,2) from scaled", "date from scaled(2)", "struct<a>",
     "map<string>", "timestamp from"],
)  # fmt: skip
def test_a_type_that_cannot_be_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        declared(written)


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("timestamp", "2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("timestamp from millis", 1_720_740_233_012, "1720740233012000"),
        ("timestamp from millis", "1720740233012", "1720740233012000"),
        ("timestamp from millis", "2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("timestamp from nanos", 1_720_740_233_012_995_999, "1720740233012995"),
        ("timestamp from nanos", -1, "-1"),
        ("timestamp from seconds", "1720740233.5", "1720740233500000"),
        ("timestamp from seconds", "-0.5", "-500000"),
        ("timestamp from days", 1, "86400000000"),
        ("date", "2017-09-15Z", "2017-09-15"),
        ("date from millis", 1_720_740_233_012, "19915"),
        ("binary from hex", "0xCAFE", "yv4="),
        ("string from base64", base64.b64encode("né".encode()).decode(), "né"),
        ("decimal(12,2) from scaled(2)", "/1vkT2th", "-7048391937.59"),
        ("decimal(12,2) from scaled(2)", "12.50", "12.50"),
        ("decimal(12,2) from scaled(2)", "1234", "-26588.24"),
        ("decimal(12,2)", "1234", "1234"),
        ("string", {"a": [1, 2]}, '{"a":[1,2]}'),
        ("bigint", "12", "12"),
        ("boolean", True, "true"),
    ],
)
def test_a_declared_column_reads_its_values(type_: str, value: Any, text: str) -> None:
    assert columns({"c": type_})["c"].text(value) == text


@pytest.mark.parametrize("value", [1_720_740_233_012_995, 0, "1720740233", " -1.5e9 "])
@pytest.mark.parametrize("type_", ["timestamp", "timestamp_ntz", "date"])
def test_a_number_for_a_time_needs_its_unit_save_in_debezium(type_: str, value: Any) -> None:
    with pytest.raises(Unusable, match="in ISO 8601; found a number") as refused:
        columns({"c": type_})["c"].text(value)
    assert refused.value.reason == "incompatible value"
    assert columns({"c": type_}, debezium=True)["c"].text(value) == str(value)


@pytest.mark.parametrize(
    "type_", ["timestamp from millis", "date from days", "binary from hex", "decimal(9,2) from scaled(2)"]
)
def test_null_stays_null_under_every_encoding(type_: str) -> None:
    assert columns({"c": type_})["c"].text(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [("JxA=", "100.00"), ("-7.5", "-7.5"), (12, "12"), ({"scale": 5, "value": "AbOs2j3+HA=="}, "4790299539.53308")],
)
def test_a_decimal_of_debezium_reads_base64_text_and_structs(value: Any, text: str) -> None:
    assert columns({"c": "decimal(20,2)"}, debezium=True)["c"].text(value) == text
