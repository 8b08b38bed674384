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
    """One table. `path` is relative to the lake; `{table}` stands for an ordered table's name."""

    path: str
    schema: str
    key: tuple[str, ...]
    owner: str
    person: str | None = None
    partition: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()

    @property
    def properties(self) -> dict[str, str]:
        """Delta properties: statistics where readers filter, and a checkpoint of the log every 50 commits.

        A commit every few seconds with Delta's default of 10 spends more on checkpoints than on rows.
        """
        columns = self.statistics or self.key
        return {"delta.checkpointInterval": "50", "delta.dataSkippingStatsColumns": ",".join(columns)}


MESSAGES = """message_key binary, message binary, headers array<struct<key: string, value: binary>>, stream string,
    partition int, offset bigint, arrived_at timestamp"""
"""Raw messages as every transport hands them to the decoders; not a table."""

TYPES_HEADER = "headrace.types"
"""Header with the column types of the Parquet file a message was read from, as a JSON object."""

REFUSED_HEADER = "headrace.refused"
"""Header of what a transport could not read: `reason` and `detail` of its reject, as a JSON object."""

TABLES = "tables/{table}"
"""Ordered tables have the source's columns, then `_position string, _changed_at timestamp` and, where a table has
partial events, `_carried map<string, string>`: the position of each value older than its row."""

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
CHANGED_KEYS = TableContract(
    "changed_keys",
    "table string, key string, position string, batch string, at timestamp",
    ("table", "key"),
    "apply_changes",
    statistics=("table", "at"),
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
CONTRACTS = (TOMBSTONES, VERSIONS, TRUNCATES, CHANGED_KEYS, SCHEMAS, BATCHES, CHANGES_LOG, REJECTS)
