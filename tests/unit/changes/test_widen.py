"""Which type a column grows to: nothing stored is edited, and no key reads differently."""

import pytest

from headrace.changes.schema import TableSchema
from headrace.changes.widen import delta_widens, grows, same_text, wider, wider_key


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int", "bigint", "bigint"),
        ("bigint", "int", "bigint"),
        ("bigint", "double", "decimal(38,18)"),
        ("bigint", "float", "decimal(38,18)"),
        ("int", "double", "double"),
        ("double", "bigint", "double"),
        ("double", "decimal(10,2)", "double"),
        ("float", "int", "double"),
        ("decimal(38,18)", "double", "decimal(38,18)"),
        ("decimal(38,18)", "bigint", "decimal(38,18)"),
        ("decimal(10,2)", "double", "decimal(38,18)"),
        ("decimal(38,30)", "double", "decimal(38,30)"),
        ("decimal(38,0)", "double", "decimal(38,0)"),
        ("array<bigint>", "array<double>", "array<decimal(38,18)>"),
        ("bigint", "string", None),
        ("string", "double", "string"),
    ],
)
def test_a_column_grows_to_what_holds_every_value_stored(old: str, new: str, expected: str | None) -> None:
    assert wider(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int", "bigint", "bigint"),
        ("bigint", "decimal(38,0)", "decimal(38,0)"),
        ("decimal(10,2)", "decimal(12,2)", "decimal(12,2)"),
        ("bigint", "double", None),
        ("int", "double", None),
        ("float", "double", None),
        ("bigint", "decimal(10,2)", None),
        ("decimal(10,2)", "decimal(12,4)", None),
        ("date", "timestamp", None),
        ("bigint", "string", None),
        ("double", "bigint", "double"),
    ],
)
def test_a_key_grows_only_where_its_text_stays(old: str, new: str, expected: str | None) -> None:
    assert wider_key(old, new) == expected


def test_one_fraction_widens_a_column_but_not_a_key() -> None:
    schema = TableSchema.declared(["id"], {}).learn([("id", "bigint"), ("n", "bigint")])
    assert schema.learn([("id", "double"), ("n", "double")]).types() == {"id": "bigint", "n": "decimal(38,18)"}
    assert schema.learn([("id", "decimal(38,0)")]).types()["id"] == "decimal(38,0)"


def test_delta_turns_a_bigint_into_the_learned_decimal_without_a_rewrite() -> None:
    assert delta_widens("bigint", "decimal(38,18)")


def test_a_declared_double_still_takes_a_column_of_whole_numbers() -> None:
    assert grows("bigint", "double")
    assert not same_text("bigint", "double")
    assert not grows("double", "bigint")
