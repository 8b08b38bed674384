"""What a model is told about look-ups, and whether what it asks for fits that.

Schemas are JSON Schema (2020-12), of the few words that Bedrock's Converse and OpenAI take: `type`, `properties`,
`additionalProperties`, `minProperties`, `minLength`, `maxLength`, `minimum`, `maximum`, `enum`, `pattern`.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from headrace.config_serve import TOOL, Filter, ServedTable
from headrace.served_rows import FilterType

Schema = dict[str, Any]
MOST_CHARACTERS = 200
"""Of a text that is asked for."""
MOST_ARGUMENT_BYTES = 10_000
_SAFE = 2**53 - 1
_TYPES: dict[FilterType, Schema] = {
    "string": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS},
    "integer": {"type": "integer", "minimum": -_SAFE, "maximum": _SAFE},
    "number": {"type": "number", "minimum": -1e15, "maximum": 1e15},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "maxLength": 10},
}
_SHOWN = 60


class Problem(NamedTuple):
    """Why arguments do not fit. `at`: a JSON pointer."""

    at: str
    expected: str
    found: str


class Misfit(ValueError):
    """Arguments that do not fit. Attributes: problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{one.at or '/'}: expected {one.expected}; found {one.found}" for one in problems))
        self.problems = problems


def tools(tables: Mapping[str, ServedTable]) -> list[Schema]:
    """A specification for each served table, by name: `name`, `description`, `inputSchema`."""
    return [
        {"name": f"{TOOL}{name}", "description": _description(name, table), "inputSchema": input_schema(table)}
        for name, table in sorted(tables.items())
    ]


def for_bedrock(tool: Mapping[str, Any]) -> Schema:
    """A specification as Bedrock's Converse takes it in `toolConfig.tools`."""
    return {"toolSpec": {**tool, "inputSchema": {"json": tool["inputSchema"]}}}


def for_openai(tool: Mapping[str, Any]) -> Schema:
    """A specification as OpenAI's chat completions take it in `tools`."""
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["inputSchema"]}
    return {"type": "function", "function": function}


def input_schema(table: ServedTable) -> Schema:
    """What the arguments of a table's tool must be."""
    return {
        "type": "object",
        "description": "What the rows must have, at least one of these; case does not count.",
        "properties": {name: _property(one) for name, one in table.filters.items()},
        "additionalProperties": False,
        "minProperties": 1,
    }


def arguments_of(given: Any, schema: Schema) -> dict[str, Any]:
    """The arguments as they fit the schema; they may come as JSON text.

    Raises:
        Misfit: they do not fit; says where and why.
    """
    if isinstance(given, str | bytes):
        given = _decoded(given)
    if not isinstance(given, Mapping):
        raise Misfit(Problem("", "a JSON object", _named(given)))
    if problems := list(_problems(given, schema)):
        raise Misfit(*problems[:5])
    return dict(given)


def _description(name: str, table: ServedTable) -> str:
    return (
        f"{table.about.rstrip('.')}. Reads the current rows of {name} and says as of when they are true. "
        f"Answers at most {table.most} rows."
    )


def _property(one: Filter) -> Schema:
    schema = dict(_TYPES[one.type])
    about = [one.about] if one.about else []
    if one.type == "date":
        about.append("YYYY-MM-DD")
    if about:
        schema["description"] = "; ".join(about)
    if one.values:
        schema["enum"] = list(one.values)
    return schema


def _decoded(text: str | bytes) -> Any:
    if len(text) > MOST_ARGUMENT_BYTES:
        raise Misfit(Problem("", f"at most {MOST_ARGUMENT_BYTES} bytes", f"{len(text)} bytes"))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Misfit(Problem("", "JSON", type(error).__name__)) from None


def _problems(given: Mapping[Any, Any], schema: Schema) -> Iterator[Problem]:
    known = schema["properties"]
    if not given:
        yield Problem("", f"at least one of {', '.join(known)}", "none")
    for name, value in given.items():
        at = f"/{name[:_SHOWN] if isinstance(name, str) else '?'}"
        if not isinstance(name, str) or name not in known:
            yield Problem(at, f"one of {', '.join(known)}", "an unknown argument")
        elif problem := _problem(value, known[name]):
            yield Problem(at, problem, _named(value))


def _problem(value: Any, schema: Schema) -> str | None:
    """What was expected instead of the value; None where it fits."""
    match schema["type"]:
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "string":
            return _text_problem(value, schema)
        case kind:
            whole = kind == "integer"
            low, high = schema["minimum"], schema["maximum"]
            expected = f"{'a whole number' if whole else 'a number'} from {low:g} to {high:g}"
            fits = _is_number(value) and low <= value <= high and (not whole or value == int(value))
            return None if fits else expected


def _text_problem(value: Any, schema: Schema) -> str | None:
    if "enum" in schema:
        return None if isinstance(value, str) and value in schema["enum"] else f"one of {', '.join(schema['enum'])}"
    if "pattern" in schema:
        fits = isinstance(value, str) and re.fullmatch(schema["pattern"], value) is not None
        return None if fits else "a day as YYYY-MM-DD"
    fits = isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
    return None if fits else f"text of {schema['minLength']} to {schema['maxLength']} characters"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _named(value: Any) -> str:
    """A value in a few words: of a model's text only the beginning goes back."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"text of {len(value)} characters: {value[:_SHOWN]!a}"
        case float():
            return str(value)
        case int():
            return str(value) if abs(value) < 10**18 else "a longer number"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
    return type(value).__name__
