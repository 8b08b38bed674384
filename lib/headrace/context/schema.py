"""The shape of a context as JSON Schema (2020-12), and the same as a page for readers.

Properties may be added; one that is here keeps its meaning as long as `schema` is 1.
"""

from typing import Any, get_args

from headrace.config_context import PARTS
from headrace.context.context import SCHEMA, Reason
from headrace.context.gather import Why
from headrace.json_schema import Schema, count, list_of, object_of, or_null, table, text, time
from headrace.ports_chat import Kind

_PART: Schema = {"enum": list(PARTS)}


def _one_of(description: str, values: Any) -> Schema:
    return {"enum": list(get_args(values)), "description": description}


_ITEM = object_of(
    "Something that an answer may use and cite.",
    {
        "id": text("What an answer cites it by: `r1` a row, `f1` a part of the profile, `p1` a passage.")
        | {"pattern": "^[rfp][1-9][0-9]*$"},
        "kind": _one_of("What it is.", Kind),
        "text": text("As a model is shown it."),
        "source": text("The served table, the place in the profile, or the feed of documents."),
        "key": text(
            "The row's key, a JSON array, or `none:` and the filters where no row was found; the person; the passage."
        ),
        "version": count("The store's, to tell two states apart."),
        "position": or_null(text("Of the change at the source; null where none is known.")),
        "age": {"type": ["number", "null"], "minimum": 0, "description": "Seconds since it changed at its source."},
        "stale": {
            "type": "boolean",
            "description": "Older than the settings allow, or of rows nobody knows.",
        },
        "suspicious": {"type": "boolean", "description": "Whether its text looks meant for the model."},
        "title": or_null(text("The document's title and the headings above the passage.")),
        "url": or_null(text("Where the document is.")),
        "suspicions": list_of("The rules that the text meets.", text("A rule.")),
    },
)

CONTEXT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A context",
    **object_of(
        "What an answer may use.",
        {
            "schema": {"const": SCHEMA, "description": "The number of this description."},
            "question": text("Without what is not seen."),
            "now": time("What ages are counted to."),
            "person": or_null(text("Whose profile it holds.")),
            "items": list_of(
                "What may be used and cited, the most important part first, best first within one.", _ITEM
            ),
            "turns": list_of(
                "Earlier messages, oldest first.",
                object_of(
                    "A message.",
                    {
                        "role": {"enum": ["user", "assistant"], "description": "Whose."},
                        "text": text("Without what is not seen, and without ids of items of its own time."),
                    },
                ),
            ),
            "left_out": list_of(
                "What is not here by choice.",
                object_of(
                    "Something left out.",
                    {
                        "part": _PART | {"description": "What it would have been part of."},
                        "reason": _one_of(
                            "`budget`: no room; `shortened`: lines of an item; `limit`: beyond the settings' number; "
                            "`consent`: not agreed to; `purpose`: agreed to, not for what was asked; `audience`: "
                            "passages that the reader may not see, which are never found; `stale`, `suspicious`: "
                            "by the settings; `duplicate`: the same text; `not fitting`: turns that cannot begin a "
                            "conversation.",
                            Reason,
                        ),
                        "count": or_null(count("How many; null where nobody can know.")),
                        "source": or_null(text("Which; null for several, and for what was not agreed to.")),
                        "key": or_null(text("Which; as `source`.")),
                    },
                ),
            ),
            "gaps": list_of(
                "What is not here as its source did not answer.",
                object_of(
                    "A source without an answer.",
                    {
                        "part": _PART | {"description": "What is missing."},
                        "source": text("Which table; empty for the whole part."),
                        "why": _one_of(
                            "`slow`; `busy`: earlier calls have not come back; `unavailable`: it may answer later; "
                            "`failed`: it will not; `unknown person`.",
                            Why,
                        ),
                        "detail": text("The kind of error; empty for none."),
                    },
                ),
            ),
            "tokens": object_of(
                "What was counted.",
                {
                    "limit": count("The settings'."),
                    "used": count("All of it, at most `limit`."),
                    "fixed": count("Template and question."),
                    "parts": object_of("By part.", {part: count("Its items or turns.") for part in PARTS}),
                },
            ),
        },
    ),
}


def page() -> str:
    """docs/context-schema.md: one line for each property."""
    lines = [
        "# The context as JSON",
        "",
        "Written from `lib/headrace/context/schema.py`; the same as JSON Schema (2020-12)",
        "is in [context.schema.json](context.schema.json). Times are ISO 8601 in UTC and end in `Z`. `[]` stands for",
        "each item of a list.",
        "",
        *table(CONTEXT),
    ]
    return "\n".join(lines) + "\n"
