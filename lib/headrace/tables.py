"""Every Delta table Headrace writes: its place in the lake, its columns, its key, its person column, its owner job.

These are contracts: readers outside Headrace rely on them. Columns are only ever added, and `FORMAT` is raised when
an older reader would go wrong.
"""

from dataclasses import dataclass

FORMAT = 1
FORMAT_PROPERTY = "headrace.format"

POSITION = "_position"
CHANGED_AT = "_changed_at"
CARRIED = "_carried"
SYSTEM_COLUMNS = (POSITION, CHANGED_AT, CARRIED)


@dataclass(frozen=True, slots=True)
class TableContract:
    """One table. `path` is relative to the lake; `{table}` stands for an ordered table's name.

    Attributes:
        marks_rows: changed rows are marked as gone in their files (deletion vectors): nothing beside them is rewritten.
        sorted_by: the column by which upkeep sorts the rows, so that few are read to find some.
    """

    path: str
    schema: str
    key: tuple[str, ...]
    owner: str
    person: str | None = None
    partition: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    change_feed: bool = False
    marks_rows: bool = False
    sorted_by: str = ""

    @property
    def properties(self) -> dict[str, str]:
        """Delta properties: statistics where readers filter, and a checkpoint of the log every 50 commits.

        A commit every few seconds with Delta's default of 10 spends more on checkpoints than on rows.
        """
        columns = self.statistics or self.key
        properties = {"delta.checkpointInterval": "50", "delta.dataSkippingStatsColumns": ",".join(columns)}
        if self.marks_rows:
            properties["delta.enableDeletionVectors"] = "true"
        # Of a table that is only appended to, the feed is read from the data files: it costs nothing to write.
        return properties | ({"delta.enableChangeDataFeed": "true"} if self.change_feed else {})


MESSAGES = """message_key binary, message binary, headers array<struct<key: string, value: binary>>, stream string,
    partition int, offset bigint, arrived_at timestamp"""
"""Raw messages as every transport hands them to the decoders; not a table."""

TYPES_HEADER = "headrace.types"
"""Header with the column types of the Parquet file a message was read from, as a JSON object."""

REFUSED_HEADER = "headrace.refused"
"""Header of what a transport could not read: `reason` and `detail` of its reject, as a JSON object."""

SEQUENCE_HEADER = "headrace.sequence"
"""Header with a message's whole number in a stream whose numbers are longer than an offset, as decimal text."""

TABLES = "tables/{table}"
"""Ordered tables have the source's columns, then `_position string, _changed_at timestamp` and, where a table has
partial events, `_carried map<string, string>`: the position of each value older than its row.

Derived tables lie beside them: the columns of their SQL, then `_position` and `_changed_at`."""

HISTORY = "history/{table}"
"""The table's columns, then `_valid_from, _valid_to` (positions; the open end null), `_valid_from_at, _valid_to_at`
(timestamps at the source) and `_current boolean`."""

TOMBSTONES = TableContract(
    "tombstones/{table}",
    "key string, position string, deleted_at timestamp",
    ("key",),
    "apply_changes",
    statistics=("position", "deleted_at"),
)
VERSIONS = TableContract(
    "versions/{table}",
    "key string, position string, op string, values string, sent array<string>, changed_at timestamp",
    ("key", "position"),
    "apply_changes",
)
TRUNCATES = TableContract(
    "truncates",
    "table string, position string, kind string, changed_at timestamp, at timestamp",
    ("table", "kind"),
    "apply_changes",
)
REACHED = TableContract(
    "reached/{table}",
    "base string, key string, columns map<string, string>",
    ("base", "key"),
    "apply_changes",
)
"""Of a derived table: the columns that a `reach` query reads from its own table, as they were when the rows they lead
to were last computed. Values are texts, as in `versions`."""
ANSWERS = TableContract(
    "answers/{table}",
    """key string, asked_by string, wanted boolean, outcome string, status int, attempts int, reason string,
    at timestamp, next_at timestamp, body string, change string""",
    ("key",),
    "apply_changes",
    statistics=("key", "at"),
)
"""What an API was asked for each key of a table, and what came of it: the newest `at` of a key counts, no two rows have
the same. `key` is a JSON object. `outcome`: `row`, `none` (404) or `failed`; `body`: the last good answer; `change`:
what this row tells the table, null for nothing; `asked_by`: a fingerprint of the URL in the settings; `wanted`: whether
the key was there."""
CHANGED_KEYS = TableContract(
    "changed_keys",
    "table string, key string, position string, batch string, at timestamp",
    ("table", "key"),
    "apply_changes",
    statistics=("table", "at"),
    change_feed=True,
)
SCHEMAS = TableContract(
    "schemas", "table string, version bigint, body string, at timestamp", ("table", "version"), "apply_changes"
)
BATCHES = TableContract(
    "batches",
    """source string, batch bigint, table string, sent bigint, applied bigint, stale bigint, rejected bigint,
    ignored bigint, warned bigint, newest_position string, newest_changed_at timestamp, seconds double,
    started_at timestamp, finished_at timestamp""",
    ("source", "batch", "table"),
    "apply_changes",
)
_MESSAGE = """message_key binary, message binary, headers array<struct<key: string, value: binary>>,
    origin struct<stream: string, partition: int, offset: bigint, part: int>, batch string, day date"""
CHANGES_LOG = TableContract(
    "changes_log",
    f"""source string, source_table string, table string, op string, key string, position string,
    changed_at timestamp, arrived_at timestamp, transaction string, initiator string, {_MESSAGE}""",
    ("source", "origin"),
    "apply_changes",
    partition=("day",),
    statistics=("table", "key", "position", "arrived_at"),
)
REJECTS = TableContract(
    "rejects/{job}",
    f"""source string, source_table string, table string, reason string, detail string, key string, position string,
    arrived_at timestamp, rejected_at timestamp, {_MESSAGE}""",
    ("source", "origin"),
    "apply_changes",
    partition=("day",),
    statistics=("table", "key", "position", "arrived_at"),
)
DOCUMENTS = TableContract(
    "documents",
    """feed string, document string, position string, deleted boolean, tag string, title string, url string,
    media_type string, language string, tags array<string>, tenant string, audience array<string>, metadata string,
    content_hash string, passages int, fingerprint string, changed_at timestamp, batch bigint""",
    ("feed", "document"),
    "index_knowledge",
    statistics=("feed", "document", "batch"),
)
"""Every document ever seen, as it was last applied. `tag` tells at the source whether its content changed (an ETag, a
file's time and size, a row's position); `fingerprint` is of parser and splitter; deleted ones stay as floors."""
CHUNKS = TableContract(
    "chunks",
    """chunk string, feed string, document string, ordinal int, heading array<string>, start int, end int, tokens int,
    text string, embedded string, content_hash string, modality string, batch bigint,
    failures map<string, struct<attempts: int, next_try_at: timestamp, last_error: string>>""",
    ("chunk",),
    "index_knowledge",
    statistics=("chunk", "feed", "document"),
)
"""The wanted state: how each living document is cut now. `failures`: by a model's fingerprint, how often embedding the
piece has failed, and when it is tried again; in the year 9999 where it was given up."""
VECTORS = TableContract(
    "vectors",
    "content_hash string, model string, vector binary, tokens int, at timestamp",
    ("content_hash", "model"),
    "index_knowledge",
    partition=("model",),
    statistics=("content_hash", "at"),
)
"""The embedding cache. `model` is a fingerprint; `vector` holds little-endian float32; `tokens` is what its text was
counted as for the budget. Only ever appended to."""
PASSAGES = TableContract(
    "passages",
    """model string, chunk string, feed string, document string, deleted boolean, body string, content_hash string,
    position string, changed_at timestamp, batch bigint""",
    ("model", "chunk"),
    "index_knowledge",
    partition=("model",),
    statistics=("chunk", "feed", "document", "batch"),
)
"""The served state for each model, in step with the outbox. `body` is what `passages.py` describes, without vector,
position and time. Deleted ones stay until the outbox has forgotten them."""
PASSAGES_OUTBOX = "passages"
OUTBOX = TableContract(
    "outbox/{table}",
    """key string, model string, deleted boolean, urgent boolean, body string, position string, batch bigint,
    at timestamp, day date""",
    ("key",),
    "index_knowledge",
    partition=("day",),
    statistics=("batch",),
    change_feed=True,
)
"""What publishers follow: the new state of every key touched, append-only. `urgent`: its document is gone."""
IDENTIFIERS = TableContract(
    "identifiers",
    "kind string, hash string, record string, key string, batch bigint",
    ("kind", "hash", "record", "key"),
    "build_profiles",
    statistics=("hash", "batch"),
    marks_rows=True,
    sorted_by="hash",
)
"""Which records have a value: an index over `people.identifiers`, which alone counts. `hash` is keyed (HMAC)."""
PEOPLE = TableContract(
    "people",
    """record string, key string, own string, person string, identifiers array<struct<kind: string, hash: string>>,
    deleted boolean, batch bigint""",
    ("record", "key"),
    "build_profiles",
    person="key",
    statistics=("key", "record", "batch"),
    marks_rows=True,
    sorted_by="key",
)
"""Every record and the person it belongs to. `own`: the id of the person this record would be alone. Deleted ones stay
until upkeep removes them."""
ALIASES = TableContract(
    "aliases",
    "person string, now string, batch bigint, at timestamp",
    ("person",),
    "build_profiles",
    statistics=("person", "now", "batch"),
    marks_rows=True,
    sorted_by="person",
)
"""Ids that became another person's, each with the one it leads to at once; null where that one is gone too."""
IDENTITY_EVENTS = TableContract(
    "identity_events",
    """event string, kind string, person string, others array<string>, record string, key string, position string,
    why string, identifiers array<struct<kind: string, hash: string>>,
    records array<struct<record: string, key: string>>, batch bigint, at timestamp, day date""",
    ("event",),
    "build_profiles",
    person="key",
    partition=("day",),
    statistics=("person", "batch"),
)
"""What became of people: `create`, `merge`, `split`, `retire`, `quarantine`, `release`, `refuse`. `record`, `key` and
`position` are of the row whose change caused it; `identifiers` are the values it hung on. Of the same `event` one row
counts."""
QUARANTINE = TableContract(
    "quarantine",
    "kind string, hash string, records bigint, batch bigint, at timestamp",
    ("kind", "hash"),
    "build_profiles",
)
"""Values that too many records share: they link nobody."""
PROFILES = TableContract(
    "profiles",
    """person string, deleted boolean, body string, digest string, records array<struct<record: string, key: string>>,
    identifiers array<struct<kind: string, hash: string>>, due_at timestamp, position string, batch bigint""",
    ("person",),
    "build_profiles",
    person="person",
    statistics=("person", "due_at", "batch"),
    marks_rows=True,
    sorted_by="person",
)
"""The document of every person, and when it changes by the passing of time alone (`due_at`)."""
BEHAVIOUR = TableContract(
    "behaviour",
    "feed string, owner string, hour timestamp, body string, batch bigint",
    ("feed", "owner", "hour"),
    "build_profiles",
    person="owner",
    statistics=("owner", "hour", "batch"),
    marks_rows=True,
    sorted_by="owner",
)
"""What was done in each hour, in a form that adds up (`profiles/buckets.py`)."""
PLACED = TableContract(
    "placed",
    "feed string, key string, owner string, batch bigint",
    ("feed", "key"),
    "build_profiles",
    statistics=("key", "batch"),
    sorted_by="key",
)
"""Whose a related row or an event was when it was last looked at; the newest batch counts."""
TURNS = TableContract(
    "turns",
    """conversation string, turn bigint, at timestamp, revision bigint, person string, tenant string, channel string,
    language string, intent string, question string, answer string, outcome string, ended string, regenerates bigint,
    citations array<string>, invalid_citations array<string>, items string, gaps string, provider string, model string,
    fallback boolean, prompt string, input_tokens bigint, output_tokens bigint, cached_tokens bigint, cost double,
    currency string, price_as_of date, seconds double, seconds_to_first double, tries string, purposes array<string>,
    calls bigint, failed_calls bigint, passages bigint, cited bigint, answer_age double, cites_stale boolean,
    _position string, _changed_at timestamp""",
    ("conversation", "turn"),
    "track_feedback",
    person="person",
    statistics=("conversation", "turn", "at", "_position"),
    marks_rows=True,
)
"""Living turns, as docs/conversation-events.md describes them; `items`, `gaps` and `tries` are JSON. From `calls` on,
what measures count of these."""
SETTLED_BEFORE = "headrace.settled_before"
"""The property of `turns` that holds the time before which no event is taken and no minute counted any more."""
RATINGS = TableContract(
    "ratings",
    """rating_id string, conversation string, turn bigint, at timestamp, revision bigint, by string, kind string,
    rater string, value double, text string, sentiment string, valence double, text_language string, felt_of string,
    _position string, _changed_at timestamp""",
    ("rating_id",),
    "track_feedback",
    person="rater",
    statistics=("rating_id", "conversation", "at", "_position"),
    marks_rows=True,
)
"""Ratings that were not taken back, those of absent turns too. `sentiment` and `valence` are of the text; `felt_of` is
the hash of what they were found of: model, declared language and text."""
COUNTED = TableContract(
    "counted",
    """conversation string, person string, began timestamp, ended timestamp, turn_minutes array<timestamp>,
    rating_minutes array<timestamp>""",
    ("conversation",),
    "track_feedback",
    person="person",
    statistics=("conversation", "began"),
    marks_rows=True,
)
"""Where each conversation stands in `measures`: in which minutes. What changes there is found by it."""
MEASURES = TableContract(
    "measures",
    """measure string, minute timestamp, slice string, tenant string, channel string, language string, intent string,
    provider string, model string, prompt string, outcome string, ended string, currency string, kind string,
    rated_by string, sentiment string, numerator double, denominator double, n bigint, buckets map<int, bigint>,
    counted_at timestamp, day date""",
    ("measure", "minute", "slice"),
    "track_feedback",
    partition=("day",),
    statistics=("measure", "minute", "counted_at"),
    marks_rows=True,
)
"""What adds up: sums of one minute and slice. `slice`: the values of the measure's dimensions as a JSON array; each has
a column too, null where the measure is not sliced by it. `n`: rows whose denominator is not 0. `buckets`: of measures
with percentiles, how many values fell into each bucket."""
DATASETS = TableContract(
    "datasets/versions",
    """dataset string, slot timestamp, as_of timestamp, version string, kind string, formats array<string>,
    settings string, sources map<string, bigint>, rows map<string, bigint>, refused map<string, bigint>,
    moved bigint, folder string, built_at timestamp, revoked_at timestamp, revoked_why string""",
    ("dataset", "slot"),
    "curate_dataset",
    statistics=("dataset", "slot", "version"),
)
"""Which version of a dataset each slot of its schedule made. `version` is the digest of its content: slots that found
nothing new share one. `sources`: the versions of the tables it is made of; `settings`: their fingerprint; `rows` by
split, `refused` by step and reason; `moved`: rows that stand in another split than in the version before."""
DATASET_ROWS = TableContract(
    "datasets/rows",
    """dataset string, version string, example string, split string, component string, person string,
    conversation string, `group` string, beside array<struct<conversation: string, person: string>>, at timestamp""",
    ("dataset", "version", "example"),
    "curate_dataset",
    person="person",
    partition=("dataset", "version"),
    statistics=("example", "person", "conversation"),
)
"""What is in each version, without its texts. `person` is a keyed hash."""
DATASET_REFUSED = TableContract(
    "datasets/refused",
    "dataset string, version string, example string, step string, reason string, detail string",
    ("dataset", "version", "example"),
    "curate_dataset",
    partition=("dataset", "version"),
    statistics=("example", "step", "reason"),
)
"""What is in none, and why; never a text."""
SUPPRESSED = TableContract(
    "suppressed/{job}", "hash string, request string, at timestamp", ("hash",), "track_feedback", statistics=("at",)
)
"""Keyed hashes of what a job found out to be an erased person's, such as their conversations."""
ERASURES = TableContract(
    "erasures/{job}",
    "request string, place string, step string, rows bigint, detail string, at timestamp",
    ("request", "place", "step"),
    "track_feedback",
    statistics=("request", "at"),
)
"""How far a job has carried out which request: the newest row of a place and step counts, and the
most rows that one told, as a repeat finds none. `place`: a table, or
`store NAME`; `step`: `deleted` (no reader finds it), `purged` (written out of the table's newest files), `revoked`."""
CONTRACTS = (
    TOMBSTONES, VERSIONS, TRUNCATES, REACHED, ANSWERS, CHANGED_KEYS, SCHEMAS, BATCHES, CHANGES_LOG, REJECTS,
    DOCUMENTS, CHUNKS, VECTORS, PASSAGES, OUTBOX, IDENTIFIERS, PEOPLE, ALIASES, IDENTITY_EVENTS, QUARANTINE, PROFILES,
    BEHAVIOUR, PLACED, TURNS, RATINGS, COUNTED, MEASURES, DATASETS, DATASET_ROWS, DATASET_REFUSED,
    SUPPRESSED, ERASURES,
)  # fmt: skip
