"""What is wrong with an event, in words: as much of JSON Schema as `schema` uses."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from headrace.conversations.schema import DAY, ID, VISIBLE, WORD
from headrace.json_schema import Schema

_SHOWN = 60


class Problem(NamedTuple):
    """Something that does not fit. `at`: the property, with dots; empty for the event itself."""

    at: str
    expected: str
    found: str


def problems(value: Any, schema: Schema, at: str = "") -> Iterator[Problem]:
    """Everything that does not fit, in the order of the schema."""
    if wrong := _itself(value, schema):
        yield Problem(at, wrong, found(value))
        return
    if isinstance(value, Mapping):
        yield from _of_object(value, schema, at)
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", math.inf):
            yield Problem(at, "nothing", found(value))
        for place, one in enumerate(value):
            yield from problems(one, schema.get("items", {}), f"{at}[{place}]")


def _of_object(value: Mapping[Any, Any], schema: Schema, at: str) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Problem(_below(at, name), known[name].get("description", "it"), "nothing")
    for name, each in value.items():
        if name in known:
            yield from problems(each, known[name], _below(at, name))
        elif schema.get("additionalProperties") is False:
            yield Problem(_below(at, str(name)[:_SHOWN]), f"one of {', '.join(known)}", "an unknown property")
    for rule in [schema, *schema.get("allOf", ())]:
        if "if" in rule:
            holds = next(problems(value, rule["if"]), None) is None
            yield from problems(value, rule.get("then" if holds else "else", {}), at)


def _itself(value: Any, schema: Schema) -> str | None:
    """What was expected instead of the value, apart from what is in it."""
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None:
        same = any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)
        return None if same else f"{'one of ' * (len(allowed) > 1)}{', '.join(map(_json, allowed))}"
    kinds = schema.get("type")
    if kinds is not None and not any(_is(value, kind) for kind in _list(kinds)):
        return " or ".join(_WORDS[kind] for kind in _list(kinds))
    if isinstance(value, str):
        return _text(value, schema)
    if "minimum" in schema and _is(value, "number") and value < schema["minimum"]:
        return f"{schema['minimum']} or more"
    return None


def _text(value: str, schema: Schema) -> str | None:
    if len(value) < schema.get("minLength", 0):
        return "a text that is not empty"
    pattern = schema.get("pattern", "")
    # Python's `$` also stands before a last line break.
    if re.search(pattern, value) and not (pattern.endswith("$") and value.endswith("\n")):
        return None
    return "a time in UTC such as 2026-11-26T09:30:00Z" if "T" in pattern else _HOW.get(pattern)


_HOW = {
    VISIBLE: "1 to 200 visible characters", DAY: "a day such as 2026-11-26", ID: "32 hexadecimal digits",
    WORD: "a text that is not empty",
}  # fmt: skip


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
    return isinstance(value, Mapping)


_WORDS = {
    "null": "null", "boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "text",
    "array": "a list", "object": "an object",
}  # fmt: skip


def _list(kinds: Any) -> list[str]:
    return kinds if isinstance(kinds, list) else [kinds]


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _json(value: Any) -> str:
    return "null" if value is None else str(value)


def found(value: Any) -> str:
    """A value in a few words; of a text its length only, as it may be anybody's."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"text of {len(value)} characters"
        case int() | float():
            return str(value)[:_SHOWN]
        case Mapping():
            return "an object"
        case list() | tuple():
            return f"a list of {len(value)}"
    return type(value).__name__
