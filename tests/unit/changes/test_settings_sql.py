"""SQL in the settings of a table: errors name the key it stands under."""

import pytest

from headrace.changes import settings_sql
from headrace.config import Table


@pytest.fixture
def rows(spark):
    return spark.range(1).selectExpr("id", "'A1' AS `room no`", "10.5 AS price", "id AS _position")


def table(**settings) -> Table:
    return Table.model_validate({"source": "feed", "key": ["id"], **settings})


GOOD = table(
    where="price > 10",
    columns={"room": "upper(`room no`)"},
    expect=[{"column": "price", "min": 0}, {"check": "id < 9"}],
)

UNREADABLE = [
    ({"where": "price >"}, "where", "'price >'"),
    ({"columns": {"room": "upper("}}, "columns.room", "'upper('"),
    ({"expect": [{"column": "price", "min": 0}, {"check": "id < 9)"}]}, "expect[1]", "'id < 9)'"),
]

NEVER_FITTING = [
    ({"where": "sum(prise) > 1"}, "where", "'sum(prise) > 1': [INVALID_WHERE_CONDITION]"),
    ({"columns": {"room": "row_number() OVER (ORDER BY `room no`)"}}, "columns.room", "'row_number() OVER"),
    ({"columns": {"room": "explode(array(a, b))"}}, "columns.room", "'explode(array(a, b))'"),
    ({"expect": [{"check": "a < max(b)"}]}, "expect[0]", "'a < max(b)': [INVALID_WHERE_CONDITION]"),
    ({"columns": {"room": "no_such_function(id)"}}, "columns.room", "'no_such_function(id)': [UNRESOLVED_ROUTINE]"),
    ({"expect": [{"column": "a", "pattern": "(["}]}, "expect[0].pattern", "'([': [INVALID_PARAMETER_VALUE.PATTERN]"),
]

UNFITTING = [
    ({"where": "prise > 10"}, "where", "'prise > 10'"),
    ({"where": "sum(price) > 10"}, "where", "'sum(price) > 10'"),
    ({"where": "price"}, "where", "'price'"),
    ({"columns": {"room": "no_such_function(id)"}}, "columns.room", "'no_such_function(id)'"),
    ({"expect": [{"column": "prise", "min": 0}]}, "expect[0]", "'prise at least 0.0'"),
]


def test_sql_that_fits_is_passed(spark, rows):
    assert not list(settings_sql.unreadable(spark, "rooms", GOOD))
    assert settings_sql.unfitting("rooms", GOOD, rows) is None
    over_unknown = table(
        where="address.city = 'Rome' AND tags[0] IN ('a') AND size(filter(tags, t -> t > 'b')) > 1",
        columns={"a": "a + `b c` - date_add(d, 1)", "o": "cast(`odd``name` AS bigint)", "s": "s.t.u"},
        expect=[{"column": "code", "pattern": r"[A-Z]{3}\d+"}],
    )
    assert not list(settings_sql.unreadable(spark, "rooms", over_unknown))


@pytest.mark.parametrize(("settings", "key", "text"), UNREADABLE)
def test_what_is_no_sql_is_told_before_anything_is_read(settings, key, text, spark):
    [wrong] = settings_sql.unreadable(spark, "rooms", table(**settings))
    assert wrong.where == f"tables.rooms.{key}"
    assert wrong.found.startswith(f"{text}: [PARSE_SYNTAX_ERROR]") and "\n" not in str(wrong)


@pytest.mark.parametrize(("settings", "key", "text"), NEVER_FITTING)
def test_what_fits_no_columns_is_told_before_anything_is_read(settings, key, text, spark):
    [wrong] = settings_sql.unreadable(spark, "rooms", table(**settings))
    assert wrong.where == f"tables.rooms.{key}"
    assert wrong.found.startswith(text) and "\n" not in str(wrong)


@pytest.mark.parametrize(("settings", "key", "text"), UNFITTING)
def test_what_does_not_fit_the_columns_is_told_with_the_columns(settings, key, text, rows):
    wrong = settings_sql.unfitting("rooms", table(**settings), rows)
    assert wrong is not None and wrong.where == f"tables.rooms.{key}"
    assert wrong.expected == "SQL over the columns id, room no, price" and wrong.found.startswith(text)
