"""The shape of a profile as JSON Schema (2020-12), and the same as a page for readers.

Properties may be added to a document; one that is here keeps its meaning as long as `schema` is 1.
"""

from headrace.json_schema import Schema, by_name, count, list_of, object_of, or_null, table, text, time

_CHANGED_AT = or_null(time("When it last changed at the source; null where the source does not say."))
_RECORD = {"record": text("The record's name in the settings."), "key": text("Its key there.")}
_VALUES = by_name("The row's columns.", {"description": "Any JSON."})

_FIELD = object_of(
    "A value and where it comes from.",
    {
        "value": {
            "description": "Any JSON but null, blank text, an empty list or object. "
            "Whole numbers beyond 64 bits are text.",
            "not": {"type": "null"},
        },
        **_RECORD,
        "position": text("The position of the change that gave it."),
        "changed_at": _CHANGED_AT,
    },
)

_ROW = object_of("A row.", {"key": text("Its key."), "changed_at": _CHANGED_AT, "values": _VALUES})
_RELATED = object_of(
    "Rows of one feed, in the order of the settings.",
    {"rows": list_of("Those that are shown.", _ROW), "count": count("All of them, those not shown too.")},
)

_BASIS = or_null(text("The lawful basis."))
_BEGINS = or_null(time("When it begins."))
_UNTIL = or_null(time("The first moment at which it no longer holds; null for open."))
_STATEMENT = object_of(
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
_CONSENT = object_of(
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
        "changes_at": or_null(time("From when on the state is another by time alone; null for never.")),
        "history": list_of("Statements, the newest first, at most 20.", _STATEMENT),
        "statements": count("All of them, those not shown too."),
    },
)

_TOP = object_of(
    "The most frequent values; of equally frequent ones the first in the order of text.",
    {
        "values": list_of(
            "Those that are shown.",
            object_of("A value.", {"value": text("As text."), "count": count("How often it came.")}),
        ),
        "others": count("How often any other value came."),
    },
)
_WINDOW = object_of(
    "The running hour and those before it; `24h` is 24 hours in all.",
    {
        "count": count("Events."),
        "sums": by_name(
            "Exact sums.",
            text("A number in plain digits.") | {"pattern": r"^-?\d+(\.\d+)?$"},
        ),
        "top": by_name("By the name in the settings.", _TOP),
    },
)
_LAST = or_null(
    object_of("The newest event; null for none.", {"at": time("When."), "key": text("Its key."), "values": _VALUES})
)
_SESSIONS = object_of(
    "Events with no longer pause between them, as long as events are kept.",
    {
        "count": count("Sessions."),
        "last": or_null(
            object_of(
                "The newest one; null for none.",
                {"start": time("Its first event."), "end": time("Its last event."), "events": count("Its events.")},
            )
        ),
    },
)
_BEHAVIOUR = object_of(
    "What the person did, from one feed.",
    {
        "windows": by_name("By their length: `1h`, `24h`, `7d`.", _WINDOW),
        "last": _LAST,
        "sessions": _SESSIONS,
    },
)

_SOURCE = object_of(
    "How fresh it is.",
    {
        "changed_at": or_null(time("The newest change of a row of this person; of behaviour, the newest event.")),
        "position": or_null(text("Its position; null for behaviour.")),
    },
)

PROFILE: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Profile",
    **object_of(
        "What is known of one person.",
        {
            "schema": {"const": 1, "description": "The number of this description."},
            "person": text("The person's id."),
            "fields": by_name("By field, what was chosen among the records. A field nobody has is not there.", _FIELD),
            "records": list_of("The records that are this person.", object_of("A record.", _RECORD)),
            "record_count": count("All of them, those not shown too."),
            "related": by_name("By feed, rows that belong to the person.", _RELATED),
            "consent": by_name("By purpose, whether it is allowed.", _CONSENT),
            "behaviour": by_name("By feed, what the person did lately.", _BEHAVIOUR),
            "sources": by_name("By table, how fresh the profile is.", _SOURCE),
            "purposes": by_name(
                "What may only be shown for a purpose: `fields.<name>`, `related.<feed>` or `behaviour.<feed>`.",
                text("The purpose."),
            ),
            "cut": {
                "type": "boolean",
                "description": "Whether something was left out to keep the document small; counts say how much.",
            },
        },
        {"built_at": time("When it was built.")},
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
        *table(PROFILE),
    ]
    return "\n".join(lines) + "\n"
