"""What every key of the context and of served tables expects, with an example: for `HINTS`, by the place above them."""

_DURATION = "a duration such as 90s, 15m, 12h or 7 days"
_COUNT = "a whole number above 0"
_SWITCH = "true or false"
_STORE = "live: {store: sqlite, path: ./live.db}"
_FILTER = "number: {about: such as LH12}"
_SERVED = "serve: {store: live, about: A flight., filters: [number]}"
_PART = "how much of the prompt this part may take"

_PARTS = {
    f"{part}{key}": hint
    for part in ("rows", "profile", "conversation", "passages")
    for key, hint in {
        "": (_PART, f"{part}: {{share: 0.3, timeout: 1s}}"),
        ".share": ("a number from 0 to 1", "share: 0.3"),
        ".most": (f"{_COUNT}: tokens", "most: 1000"),
        ".timeout": (_DURATION, "timeout: 1s"),
    }.items()
}

CONTEXT: dict[str, tuple[str, str]] = {
    "": ("what goes into a prompt", "context: {tokens: 6000}"),
    "tokens": ("a whole number from 500 to 1000000", "tokens: 6000"),
    "order": ("rows, profile, conversation and passages, each once", "order: [rows, profile, conversation, passages]"),
    **_PARTS,
    "turns": ("a whole number from 0 to 100", "turns: 10"),
    "most_passages": ("a whole number from 1 to 100", "most_passages: 8"),
    "mode": ("one of hybrid, words, vector", "mode: hybrid"),
    "stale_after": ("when items count as stale", "stale_after: {default: 30 days}"),
    "stale_after.default": (_DURATION, "default: 30 days"),
    "stale_after.sources": (
        "durations by feed, fields, related.FEED or behaviour.FEED",
        "sources: {policies: 365 days}",
    ),
    "stale_after.sources.*": (_DURATION, "policies: 365 days"),
    "drop_stale": (_SWITCH, "drop_stale: true"),
    "drop_suspicious": (_SWITCH, "drop_suspicious: true"),
    "question_characters": (_COUNT, "question_characters: 4000"),
    "template": ("a text file with $items", "template: ./prompt.txt"),
}
"""Below `assistant.context`."""

SERVE: dict[str, tuple[str, str]] = {
    "": ("the stores that hold served tables", f"serve: {{stores: {{{_STORE}}}}}"),
    "stores": ("stores by name, at least one", f"stores: {{{_STORE}}}"),
    "stores.*": ("a store: a mapping with store", _STORE),
    "stores.*.store": ("one of sqlite, documentdb, dynamodb", "store: sqlite"),
    "stores.*.path": ("a file on a disk of this machine", "path: ./live.db"),
    "stores.*.rows_per_write": (_COUNT, "rows_per_write: 200"),
    "stores.*.writers": ("a whole number from 1 to 64; 1 for sqlite", "writers: 1"),
    "stores.*.attempts": (_COUNT, "attempts: 8"),
    "stores.*.keep_deleted": (_DURATION, "keep_deleted: 30 days"),
    "stores.*.uri": ("a secret: where the server is, with user and password", "uri: {secret: env:DOCUMENTDB_URI}"),
    "stores.*.database": ("the name of a database", "database: headrace"),
    "stores.*.collection": ("the name of a collection that holds nothing else", "collection: served"),
    "stores.*.tls": (_SWITCH, "tls: true"),
    "stores.*.ca_file": ("a file with the certificates to trust", "ca_file: ./global-bundle.pem"),
    "stores.*.timeout": (_DURATION, "timeout: 10s"),
    "stores.*.table": ("the name of a DynamoDB table that holds nothing else", "table: headrace-served"),
    "stores.*.region": ("the name of an AWS region; the environment's where not given", "region: eu-central-1"),
    "stores.*.endpoint": ("the URL of a VPC endpoint or an emulator", 'endpoint: "http://127.0.0.1:8000"'),
    "stores.*.role_arn": ("the ARN of a role", 'role_arn: "arn:aws:iam::123456789012:role/writer"'),
    "stores.*.external_id": ("the external id that the role asks for", 'external_id: "7f3a"'),
    "stores.*.create": (_SWITCH, "create: true"),
    "stores.*.auth": ("password or iam", "auth: iam"),
}
"""Below `serve`."""

SERVED: dict[str, tuple[str, str]] = {
    "": ("how rows are looked up at prompt time", _SERVED),
    "store": ("the name of a store of serve", "store: live"),
    "about": ("what a row is, in a sentence for a model", "about: A flight on one day, with its status."),
    "filters": ("one to five columns, with what they hold", f"filters: {{{_FILTER}}}"),
    "filters.*": ("how rows are asked for by this column", _FILTER),
    "filters.*.type": ("one of string, integer, number, boolean, date", "type: date"),
    "filters.*.about": ("what the column holds, for a model", "about: such as LH12"),
    "filters.*.values": ("all texts it may be", "values: [SCHEDULED, CANCELLED]"),
    "filters.*.in_question": ("a regular expression", "in_question: '[A-Z]{2}[0-9]{1,4}'"),
    "filters.*.in_profile": ("fields.NAME or related.FEED.COLUMN", "in_profile: related.bookings.flight_id"),
    "columns": ("the columns that are shown", "columns: [status, gate]"),
    "most": ("a whole number from 1 to 100", "most: 20"),
    "most_bytes": ("a whole number from 1000 to 1000000", "most_bytes: 16384"),
    "stale_after": (_DURATION, "stale_after: 5m"),
}
"""Below `tables.*.serve` and `derive.*.serve`."""
