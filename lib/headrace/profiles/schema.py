"""The shape of a profile as JSON Schema (2020-12), and the same as a page for readers.

Properties may be added to a document; one that is here keeps its meaning as long as `schema` is 1.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def _object(description: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


def _by_name(description: str, each: Schema) -> Schema:
    return {"type": "object", "description": description, "additionalProperties": each}


def _list(description: str, each: Schema) -> Schema:
    return {"type": "array", "description": description, "items": each}


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _count(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description}


def _time(description: str) -> Schema:
    return _text(description) | {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def _or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


_CHANGED_AT = _or_null(_time("When it last changed at the source; null where the source does not say."))
_RECORD = {"record": _text("The record's name in the settings."), "key": _text("Its key there.")}
_VALUES = _by_name("The row's columns.", {"description": "Any JSON."})

_FIELD = _object(
    "A value and where it comes from.",
    {
        "value": {
            "description": "Any JSON but null, blank text, an empty list or object. "
            "Whole numbers beyond 64 bits are text.",
            "not": {"type": "null"},
        },
        **_RECORD,
        "position": _text("The position of the change that gave it."),
        "changed_at": _CHANGED_AT,
    },
)

_ROW = _object("A row.", {"key": _text("Its key."), "changed_at": _CHANGED_AT, "values": _VALUES})
_RELATED = _object(
    "Rows of one feed, in the order of the settings.",
    {"rows": _list("Those that are shown.", _ROW), "count": _count("All of them, those not shown too.")},
)

_BASIS = _or_null(_text("The lawful basis."))
_BEGINS = _or_null(_time("When it begins."))
_UNTIL = _or_null(_time("The first moment at which it no longer holds; null for open."))
_STATEMENT = _object(
    "What was said.",
    {
        "granted": {
            "type": ["boolean", "null"],
            "description": "Whether it was granted; null counts as a refusal.",
        },
        "basis": _BASIS,
        "at": _BEGINS,
        "until": _UNTIL,
    },
)
_CONSENT = _object(
    "Whether a purpose is allowed. `basis`, `at` and `until` are of the statement that counts.",
    {
        "granted": {"type": "boolean", "description": "Whether it is allowed."},
        "state": {
            "enum": ["granted", "refused", "expired", "default", "none"],
            "description": "Why: what the statement that counts says, or that its end has passed; "
            "`default` where the purpose needs no statement, `none` where one is missing.",
        },
        "basis": _BASIS,
        "at": _BEGINS,
        "until": _UNTIL,
        "changes_at": _or_null(_time("From when on the state is another by time alone; null for never.")),
        "history": _list("Statements, the newest first, at most 20.", _STATEMENT),
        "statements": _count("All of them, those not shown too."),
    },
)

_TOP = _object(
    "The most frequent values; of equally frequent ones the first in the order of text.",
    {
        "values": _list(
            "Those that are shown.",
            _object("A value.", {"value": _text("As text."), "count": _count("How often it came.")}),
        ),
        "others": _count("How often any other value came."),
    },
)
_WINDOW = _object(
    "The running hour and those before it; `24h` is 24 hours in all.",
    {
        "count": _count("Events."),
        "sums": _by_name(
            "Exact sums.",
            _text("A number in plain digits.") | {"pattern": r"^-?\d+(\.\d+)?$"},
        ),
        "top": _by_name("By the name in the settings.", _TOP),
    },
)
_LAST = _or_null(
    _object("The newest event; null for none.", {"at": _time("When."), "key": _text("Its key."), "values": _VALUES})
)
_SESSIONS = _object(
    "Events with no longer pause between them, as long as events are kept.",
    {
        "count": _count("Sessions."),
        "last": _or_null(
            _object(
                "The newest one; null for none.",
                {"start": _time("Its first event."), "end": _time("Its last event."), "events": _count("Its events.")},
            )
        ),
    },
)
_BEHAVIOUR = _object(
    "What the person did, from one feed.",
    {
        "windows": _by_name("By their length: `1h`, `24h`, `7d`.", _WINDOW),
        "last": _LAST,
        "sessions": _SESSIONS,
    },
)

_SOURCE = _object(
    "How fresh it is.",
    {
        "changed_at": _or_null(_time("The newest change of a row of this person; of behaviour, the newest event.")),
        "position": _or_null(_text("Its position; null for behaviour.")),
    },
)

PROFILE: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Profile",
    **_object(
        "What is known of one person.",
        {
            "schema": {"const": 1, "description": "The number of this description."},
            "person": _text("The person's id."),
            "fields": _by_name("By field, what was chosen among the records. A field nobody has is not there.", _FIELD),
            "records": _list("The records that are this person.", _object("A record.", _RECORD)),
            "record_count": _count("All of them, those not shown too."),
            "related": _by_name("By feed, rows that belong to the person.", _RELATED),
            "consent": _by_name("By purpose, whether it is allowed.", _CONSENT),
            "behaviour": _by_name("By feed, what the person did lately.", _BEHAVIOUR),
            "sources": _by_name("By table, how fresh the profile is.", _SOURCE),
            "purposes": _by_name(
                "What may only be shown for a purpose: `fields.<name>`, `related.<feed>` or `behaviour.<feed>`.",
                _text("The purpose."),
            ),
            "cut": {
                "type": "boolean",
                "description": "Whether something was left out to keep the document small; counts say how much.",
            },
        },
        {"built_at": _time("When it was built.")},
    ),
}
"""Describes `Built.document`, and the same as stores return it."""


def page() -> str:
    """docs/profile-schema.md: one line for each property."""
    lines = [
        "# The profile document",
        "",
        "Written from `lib/headrace/profiles/schema.py`, which holds the same as JSON Schema (2020-12). Times are ISO",
        "8601 in UTC and end in `Z`. `<name>` stands for a name, `[]` for each item of a list.",
        "",
        "| property | type | |",
        "|---|---|---|",
        *(f"| `{path}` | {kind} | {description} |" for path, kind, description in _lines("", PROFILE)),
    ]
    return "\n".join(lines) + "\n"


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
    names = {"object": "object", "array": "list", "string": "text", "integer": "int", "boolean": "bool", "null": "null"}
    kinds = schema.get("type", "any")
    if kinds == "any":
        return "any"
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " or ".join(
        "time" if name == "string" and "T" in schema.get("pattern", "") else names[name] for name in kinds
    )
