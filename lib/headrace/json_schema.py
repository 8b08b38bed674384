"""JSON Schema (2020-12) in few words, and the same as a table for readers."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def object_of(description: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


def by_name(description: str, each: Schema) -> Schema:
    """An object whose properties are names of the user's."""
    return {"type": "object", "description": description, "additionalProperties": each}


def list_of(description: str, each: Schema) -> Schema:
    """A list."""
    return {"type": "array", "description": description, "items": each}


def text(description: str) -> Schema:
    """A text."""
    return {"type": "string", "description": description}


def count(description: str) -> Schema:
    """A whole number from 0."""
    return {"type": "integer", "minimum": 0, "description": description}


def time(description: str) -> Schema:
    """ISO 8601 in UTC, ending in `Z`."""
    return text(description) | {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return schema | {"type": [schema["type"], "null"]}


def table(schema: Schema) -> Iterator[str]:
    """The lines of a markdown table with one line for each property."""
    yield from ("| property | type | |", "|---|---|---|")
    for path, kind, description in _lines("", schema):
        yield f"| `{path}` | {kind} | {description} |"


def _lines(path: str, schema: Schema) -> Iterator[tuple[str, str, str]]:
    if path:
        yield path, _kind(schema), schema["description"]
    for name, each in schema.get("properties", {}).items():
        optional = "" if name in schema["required"] else " (may be missing)"
        for inner, kind, description in _lines(f"{path}.{name}" if path else name, each):
            yield inner, kind, description + (optional if inner.endswith(name) else "")
    each = schema.get("additionalProperties")
    if each and set(each) != {"description"}:
        yield from _lines(f"{path}.<name>", each)
    if "items" in schema:
        yield from _lines(f"{path}[]", schema["items"])


def _kind(schema: Schema) -> str:
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return "text"
    names = {"object": "object", "array": "list", "string": "text", "integer": "int", "boolean": "bool"}
    names |= {"number": "number", "null": "null"}
    kinds = schema.get("type", "any")
    if kinds == "any":
        return "any"
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " or ".join(
        "time" if name == "string" and "T" in schema.get("pattern", "") else names[name] for name in kinds
    )
