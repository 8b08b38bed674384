"""A user's own measures: only what sums can be made of."""

import pytest
from pydantic import ValidationError

from headrace.config_base import Contradiction
from headrace.config_feedback import Feedback
from headrace.config_measure_sql import with_doubles
from headrace.config_measures import COLUMNS, OwnMeasure, shadowed, slices

ADDITIVE = (
    "1",
    "cost",
    "fallback",
    "fallback = true AND NOT cites_stale",
    "CASE WHEN outcome IN ('answered', 'it''s') THEN cost * 2 - -1 ELSE 0 END",
    "coalesce(input_tokens, 0) + coalesce(output_tokens, 0)",
    "Seconds_to_first IS NOT NULL".lower(),
    "abs(seconds - 2) / 2.5 <= 1 or lower(model) like 'amazon.%'",
    "length(intent) between 1 and 20",
    "\n seconds\n% 60",
)
NOT_ADDITIVE = {
    "sum(cost)": r"found sum\(\), as only abs,",
    "COUNT(*) OVER ()": r"found COUNT\(\), as only",
    "row_number() OVER (ORDER BY cost)": r"found row_number\(\)",
    "cost OVER w": "found OVER, which is not one of",
    "(SELECT max(cost) FROM turns)": "found SELECT, which",
    "cost IN (SELECT 1)": "found SELECT, which",
    "rand()": r"found rand\(\)",
    "question": "found question, which is not one of tenant",
    "Cost": "found Cost, which",
    "cost / seconds": "found a division by seconds",
    "cost % 0": "found a division by 0",
    "cost /": "found a division by nothing",
    "cost /* all */ + 1": "found all, which",
    "cost -- 1": "found '-- 1'",
    "cost; 1": "found '; 1'",
    "`cost`": "found '`cost`'",
    '"cost" + 1': "is not taken",
    "'a\\'": "is not taken",
    "1e3": "found '1e3'",
    "9" * 400: "found a number of 400 digits",
    "model": "found 'model', which gives a text",
    "CASE WHEN fallback THEN 'yes' END": "which gives a text",
    "model = 1": "found model = 1, a text and a number",
    "2 < model": "found 2 < model, a number and a text",
    "cost <> 'much'": "found cost <> 'much', a number and a text",
    "fallback = 1": "found fallback = 1, a flag and a number",
    "(cost": "found '[(]cost': .*syntax error",
    "cost, 1": "found 'cost, 1'",
    "CASE WHEN fallback THEN 1": "syntax error",
    "abs(cost, 1)": "wrong number of arguments",
}


@pytest.mark.parametrize("expression", ADDITIVE)
def test_sql_over_one_row_is_taken(expression):
    assert OwnMeasure(numerator=expression, denominator=expression).numerator == expression


@pytest.mark.parametrize("expression", NOT_ADDITIVE)
@pytest.mark.parametrize("part", ["numerator", "denominator"])
def test_anything_else_is_refused(part, expression):
    with pytest.raises(ValidationError, match=NOT_ADDITIVE[expression]) as refused:
        OwnMeasure(**({"numerator": "1"} | {part: expression}))
    assert f"{part}: expected SQL over one row of turns that gives a number" in str(refused.value)


def test_a_column_belongs_to_what_is_counted():
    assert OwnMeasure(over="ratings", numerator="valence").over == "ratings"
    with pytest.raises(ValidationError, match=r"one row of conversations .* found valence, which is not one of"):
        OwnMeasure(over="conversations", numerator="valence")


def test_every_problem_is_told_at_once():
    with pytest.raises(ValidationError) as refused:
        OwnMeasure(numerator="sum(cost)", denominator="seats", dimensions=["model", "person", "MODEL"])
    told = str(refused.value)
    assert [part in told for part in ("sum()", "seats", "found person", "model twice")] == [True] * 4


def test_slices_are_no_people_and_no_numbers():
    kinds = {column.kind for over in COLUMNS for name, column in COLUMNS[over].items() if name in slices(over)}
    assert kinds == {"text"}
    for over in COLUMNS:
        assert not {"person", "conversation", "question", "text", "rater"} & set(COLUMNS[over])


def test_numbers_are_of_double_precision_and_texts_stay():
    assert (
        with_doubles("coalesce(cost, 0) + 2.5 * length('12') - 1") == "coalesce(cost, 0e0) + 2.5e0 * length('12') - 1e0"
    )


@pytest.mark.parametrize("name", ["csat", "CSAT"])
def test_the_settings_refuse_a_name_of_ours(name):
    with pytest.raises(ValidationError, match="a name of its own: this one is a measure that Headrace brings"):
        Feedback.model_validate({"sources": ["events"], "measures": {name: {"numerator": "1"}}})


def test_a_name_of_ours_is_taken():
    own = {"csat": OwnMeasure(numerator="1"), "slow": OwnMeasure(numerator="seconds > 9")}
    (problem,) = shadowed(own, ("csat", "rated"))
    assert isinstance(problem, Contradiction)
    assert problem.where == "measures.csat"
