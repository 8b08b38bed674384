"""What a model is told of look-ups, and what it may ask."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headrace.context.tools import Misfit, arguments_of, for_bedrock, for_openai, input_schema, tools
from served_world import NOW, TABLES, Served

FLIGHTS = input_schema(TABLES["flights"])
ORACLE = jsonschema.Draft202012Validator(FLIGHTS)

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["2026-11-27", "2026-11-27\n", "26-11-27", "SCHEDULED", "scheduled", "x" * 201]),
)
numbers = st.one_of(
    st.integers(), st.sampled_from([0, True, 2**53 - 1, 2**53, -(2**53), 10**400, 1.0, 1.5, 1e15, 1e308, -1e308])
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), texts, numbers),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)
names = st.one_of(st.sampled_from([*TABLES["flights"].filters]), st.text(max_size=5))
arguments = st.dictionaries(names, values, max_size=3)


def test_each_served_table_is_a_tool() -> None:
    flights, rooms = tools(TABLES)

    assert (flights["name"], rooms["name"]) == ("lookup_flights", "lookup_rooms")
    assert flights["description"] == (
        "A flight on one day, with its status. Reads the current rows of flights and says as of when they are true. "
        "Answers at most 3 rows."
    )
    assert flights["inputSchema"] == FLIGHTS
    assert FLIGHTS["properties"]["day"] == {
        "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "maxLength": 10, "description": "YYYY-MM-DD",
    }  # fmt: skip
    assert FLIGHTS["properties"]["status"]["enum"] == ["SCHEDULED", "CANCELLED"]
    for tool in (flights, rooms):
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        assert tool["inputSchema"]["additionalProperties"] is False and tool["inputSchema"]["minProperties"] == 1


def test_bedrock_takes_the_specification() -> None:
    model = botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse")
    asked: dict[str, Any] = {
        "modelId": "m", "messages": [{"role": "user", "content": [{"text": "?"}]}],
        "toolConfig": {"tools": [for_bedrock(tool) for tool in tools(TABLES)]},
    }  # fmt: skip
    report = botocore.validate.ParamValidator().validate(asked, model.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_openai_takes_the_specification() -> None:
    tool = for_openai(tools(TABLES)[1])
    assert tool["type"] == "function"
    assert set(tool["function"]) == {"name", "description", "parameters"}


@given(arguments)
@example({"day": "2026-11-27\n"})
@example({"seats": True})
@example({"seats": 12.0})
@example({})
def test_arguments_fit_exactly_when_the_schema_says_so(given: dict[str, Any]) -> None:
    fits = ORACLE.is_valid(given)
    if given.get("day") == "2026-11-27\n":
        # Python's `$` lets a line end pass, which is too long for the schema.
        assert not fits
    try:
        found = arguments_of(given, FLIGHTS)
    except Misfit as error:
        assert not fits, str(error)
        assert error.problems and len(str(error)) < 3_000
    else:
        assert fits
        assert found == given
        assert arguments_of(json.dumps(given), FLIGHTS) == given


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(Path(tmp_path_factory.mktemp("served")))
    made.put("flights", '["1"]', number="A", seats=3)
    yield made
    made.close()


NONSENSE = [
    None, 1, 1.5, float("nan"), True, "", "{", "[1]", '"x"', "null", "{}", '{"number": NaN}', "x" * 20_000, b"\xff\xfe",
    "[" * 5_000, '{"seats": 1e999}', '{"seats": ' + "9" * 5_000 + "}", [], {}, {1: 2}, {None: None}, {"number": []},
    {"number": float("inf")}, {"seats": float("nan")}, {"seats": float("-inf")}, {"seats": sys.maxsize**9},
    {"number": "\ud800"}, {"number": "\0"}, {"number": "'; drop table rows; --"}, {"number": object()},
    {"number": "x", "ignore": "all"}, {"x" * 9_000: 1}, {("a",): 1}, {"number": b"A"}, {"status": "LATE"},
]  # fmt: skip


@pytest.mark.parametrize("arguments", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_an_answer_that_says_what_was_expected(served: Served, arguments: Any) -> None:
    result = served.lookups.call("lookup_flights", arguments, now=NOW)
    assert len(json.dumps(result)) < 4_000
    if not result["ok"]:
        assert result["error"]["kind"] == "invalid_arguments" and result["error"]["retry"] is True
        assert result["error"]["problems"][0]["expected"]
    else:
        assert result["rows"] == [] and isinstance(arguments, dict)


@given(st.one_of(values, st.text(), st.binary()), st.one_of(values, st.text(), st.binary()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_call_raises(served: Served, name: Any, arguments: Any) -> None:
    for tool in (name, "lookup_flights"):
        assert served.lookups.call(tool, arguments, now=NOW)["ok"] in (True, False)


def test_an_unknown_tool_is_told_the_known_ones(served: Served) -> None:
    for name in ("flights", "lookup_", "lookup_users", "", "lookup_flights "):
        assert served.lookups.call(name, {}) == {
            "ok": False,
            "error": {
                "kind": "unknown_tool", "message": "expected one of lookup_flights, lookup_rooms", "retry": False,
            },
        }  # fmt: skip


def test_what_a_model_sent_comes_back_only_in_part(served: Served) -> None:
    result = served.lookups.call("lookup_flights", {"status": "A\n\u202e" * 100}, now=NOW)
    (problem,) = result["error"]["problems"]
    assert problem["at"] == "/status" and problem["expected"] == "one of SCHEDULED, CANCELLED"
    assert problem["found"].isascii() and problem["found"].isprintable() and len(problem["found"]) < 300
