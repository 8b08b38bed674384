"""The events of a turn and of a rating as JSON Schema (2020-12), and the same as tables for readers.

The one description of both: `checking` checks events against it, docs/ shows it, and a test holds the dataclasses of
`events` to it. Properties may be added; one that is here keeps its meaning as long as `schema` is 1.
"""

from collections.abc import Iterator
from typing import Any

from headrace.json_schema import Schema, count, list_of, object_of, or_null, table, text, time

SCHEMA = 1
OUTCOMES = ("answered", "refused", "failed", "empty")
ENDED = ("done", "length", "refused")
BY = ("person", "agent", "model")
NUMBERS = {"thumbs": (-1, 1), "stars": (1, 2, 3, 4, 5)}
"""Kinds of ratings that are a number, and what it may be."""
WORDS = ("comment", "correction")
"""Kinds of ratings that are a text."""
IMPLICIT = ("regenerate", "copy", "abandon", "hand_off")
"""Kinds of ratings that only say that something happened."""
KINDS = (*NUMBERS, *WORDS, *IMPLICIT)
VISIBLE = r"^[^\u0000-\u001f\u007f]{1,200}$"
ID = r"^[0-9a-f]{32}$"
WORD = r"\S"
"""Something to be read: not spaces alone."""
DAY = r"^\d{4}-\d\d-\d\d$"


def _one_of(description: str, values: tuple[Any, ...]) -> Schema:
    return {"enum": list(values), "description": description}


def _name(description: str) -> Schema:
    return text(description) | {"pattern": VISIBLE}


def _amount(description: str) -> Schema:
    return {"type": "number", "minimum": 0, "description": description}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _kind_of_event(kind: str) -> dict[str, Schema]:
    return {
        "schema": {"const": SCHEMA, "description": "The number of this description."},
        "event": {"const": kind, "description": "Which of the two it is."},
        "operation": _one_of("`delete`: withdrawn; it then holds no content.", ("upsert", "delete")),
    }


_STATE: dict[str, Schema] = {
    "revision": count("The highest counts; of equal ones that with the later `at`."),
}
_ITEM = object_of(
    "Something that the answer might use.",
    {
        "id": _name("What the answer cites it by."),
        "kind": _name("`passage`, `profile` or `row`."),
        "source": text("The feed, table or part of the profile."),
        "key": text("The passage, row or person."),
        "version": count("Of the store that it was read from."),
    },
    {
        "position": or_null(text("Of the change at the source.")),
        "age": or_null({"type": "number", "description": "Seconds since it changed at its source."}),
        "stale": _flag("Whether it was older than the settings allow."),
        "text": or_null(text("Its text; null unless the settings keep it.")),
    },
)
_GAP = object_of(
    "A source that did not answer.",
    {"part": _name("What is missing."), "source": text("Which; empty for all of it."), "why": _name("Why.")},
)
_TRY = object_of(
    "A call of a model.",
    {"provider": _name("Whose."), "model": text("Which."), "seconds": _amount("How long it took.")},
    {"failure": or_null(_name("The kind of its failure; null for the one that answered. Never its words."))},
)

TURN: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Headrace turn",
    **object_of(
        "One question and its answer.",
        {
            **_kind_of_event("turn"),
            "event_id": text("Of conversation and turn: 32 hexadecimal digits of SHA-256.") | {"pattern": ID},
            "conversation": _name("The application's id of it, 1 to 200 characters."),
            "turn": count("Its number in the conversation, from 1.") | {"minimum": 1},
            "at": time("When it was asked; the same in every revision."),
            **_STATE,
        },
        {
            "person": or_null(_name("Who asked.")),
            "tenant": or_null(_name("Whose application.")),
            "channel": or_null(_name("Such as `web`, `app`, `phone`.")),
            "language": or_null(_name("Of the question, such as `en`.")),
            "intent": or_null(_name("What it is about, as the application sorts questions.")),
            "question": or_null(text("Null only in a delete.")),
            "answer": or_null(text("What was shown; null only in a delete.")),
            "outcome": _one_of("Null only in a delete.", (*OUTCOMES, None)),
            "ended": _one_of("As the model told; null where it told no end.", (*ENDED, None)),
            "regenerates": or_null(count("The turn whose answer this one was asked to better.") | {"minimum": 1}),
            "citations": list_of("Ids of items that it cites.", _name("An id.")),
            "invalid_citations": list_of("Ids that it cited and that were not given.", text("An id.")),
            "items": list_of("What it might use.", _ITEM),
            "gaps": list_of("What could not be read.", _GAP),
            "provider": or_null(_name("Who answered.")),
            "model": or_null(_name("Which model.")),
            "fallback": _flag("Whether that was another than the first."),
            "prompt": or_null(_name("The version of the prompt's template.")),
            "input_tokens": or_null(count("All of them, cached ones too.")),
            "output_tokens": or_null(count("Of the answer.")),
            "cached_tokens": or_null(count("Those of the input that the service had kept.")),
            "cost": or_null(_amount("Of the call that answered.")),
            "currency": or_null(_name("Of the cost.")),
            "price_as_of": or_null(text("The day of the price list.") | {"pattern": DAY}),
            "seconds": or_null(_amount("From question to the answer's end.")),
            "seconds_to_first": or_null(_amount("From question to the model's first piece.")),
            "tries": list_of("Every call, in order.", _TRY),
            "purposes": list_of("What the person had agreed to then.", _name("A purpose.")),
        },
    ),
    "if": {"properties": {"operation": {"const": "upsert"}}},
    "then": {
        "required": ["question", "answer", "outcome"],
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}, "outcome": {"type": "string"}},
    },
    "else": {"properties": {name: {"const": None} for name in ("question", "answer", "outcome", "person")}
             | {"items": {"maxItems": 0}}},
}  # fmt: skip


def _needs(kinds: tuple[str, ...], operation: Schema, fields: dict[str, Schema], required: list[str]) -> Schema:
    condition = {"properties": {"kind": {"enum": list(kinds)}, "operation": operation}}
    return {"if": condition, "then": {"properties": fields, "required": required}}


_KEPT: Schema = {"const": "upsert"}
RATING: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Headrace rating",
    **object_of(
        "What somebody thought of a turn or of a whole conversation, or did with it.",
        {
            **_kind_of_event("rating"),
            "rating_id": text("Of conversation, turn, `by`, `rater` and `kind`: 32 hexadecimal digits of SHA-256. "
                              "So that of several by one rater and of one kind the newest counts.") | {"pattern": ID},
            "conversation": _name("The application's id of it, 1 to 200 characters."),
            "turn": or_null(count("Which turn; null for the whole conversation.") | {"minimum": 1}),
            "at": time("When it was given."),
            **_STATE,
            "by": _one_of("Who rates: who asked, somebody of the staff, or a model.", BY),
            "kind": _one_of("`thumbs`: -1 or 1; `stars`: 1 to 5; `comment`, `correction`: text; the others say only "
                            "that it happened.", KINDS),
        },
        {
            "rater": or_null(_name("Which person, agent or model.")),
            "value": or_null({"type": "number", "description": "Of thumbs and stars; null otherwise."}),
            "text": or_null(text("The comment or correction; otherwise a reason, or null.")),
        },
    ),
    "allOf": [
        *(_needs((kind,), _KEPT, {"value": {"enum": list(values)}}, ["value"]) for kind, values in NUMBERS.items()),
        _needs(WORDS, _KEPT, {"text": {"type": "string", "minLength": 1, "pattern": WORD}}, ["text"]),
        _needs((*WORDS, *IMPLICIT), _KEPT, {"value": {"const": None}}, []),
        _needs(KINDS, {"const": "delete"}, {"value": {"const": None}, "text": {"const": None}}, []),
    ],
}  # fmt: skip
BOTH = {"turn": TURN, "rating": RATING}


def tables() -> Iterator[str]:
    """For docs/conversation-events.md: the lines of both tables, each under its heading."""
    for name, schema in BOTH.items():
        yield from (f"### A {name}", "", *table(schema), "")
