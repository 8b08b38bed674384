"""What every key of the settings expects, with an example: the words of error messages and of the docs.

Paths are written with dots; `*` stands for a name the user chose, or for an item of a list.
"""

from typing import NamedTuple

from headrace.config_hints_alerts import ALERTS
from headrace.config_hints_api import API
from headrace.config_hints_assistant import ASSISTANT
from headrace.config_hints_context import CONTEXT, SERVE, SERVED
from headrace.config_hints_conversations import CONVERSATIONS, EVENTS
from headrace.config_hints_datasets import DATASETS
from headrace.config_hints_feedback import FEEDBACK, LIKE_INDEXES
from headrace.config_hints_knowledge import KNOWLEDGE, MSK_IAM
from headrace.config_hints_profiles import PROFILES
from headrace.config_hints_web import WEB


class Hint(NamedTuple):
    """What is expected at a path, in words, and one line of YAML that is right there."""

    expected: str
    example: str


_DURATION = "a duration such as 90s, 15m, 12h or 7 days"
_TABLE = "users: {source: feed, key: [userId]}"
_SOURCE = "feed: {from: files, path: ./in, format: debezium}"
_REGISTRY = '{kind: confluent, url: "https://registry:8081"}'
_FORMATS = "one of json, debezium, dms, dynamodb, objects, snapshot"
_DERIVE = "stays: {key: [booking_id], sql: 'SELECT booking_id, status FROM bookings'}"
_REACH = "bookings: SELECT customer_id FROM bookings JOIN changed USING (booking_id)"
_RULE = "{column: price, min: 0, on_fail: reject}"

HINTS: dict[str, Hint] = {
    "": Hint("a mapping with lake, sources and tables, or lake and knowledge", "lake: ./lake"),
    "lake": Hint("a folder, s3://bucket/folder or /Volumes/...", "lake: ./lake"),
    "checkpoints": Hint("a folder, s3://bucket/folder or /Volumes/...", "checkpoints: ./checkpoints"),
    "sources": Hint("sources by name", f"sources: {{{_SOURCE}}}"),
    "sources.*": Hint("a source: a mapping with from and format", _SOURCE),
    "sources.*.from": Hint("one of files, kafka, kinesis, api", "from: kafka"),
    "sources.*.format": Hint(_FORMATS, "format: debezium"),
    "sources.*.position": Hint("the columns that order rows, or arrival", "position: [updated_at]"),
    "sources.*.position.*": Hint("a column, or {column, type}", "position: [{column: updated_at, type: timestamp}]"),
    "sources.*.position.*.column": Hint("the name of a column", "position: [{column: updated_at}]"),
    "sources.*.position.*.type": Hint("one of auto, number, timestamp, text", "type: timestamp"),
    "sources.*.operation": Hint(
        "the operation column and its values", "operation: {column: operation, delete: [DELETE], truncate: [TRUNCATE]}"
    ),
    "sources.*.operation.column": Hint("the name of a column", "column: operation"),
    "sources.*.operation.delete": Hint("values that mean delete", "delete: [DELETE, D]"),
    "sources.*.operation.truncate": Hint("values that mean truncate", "truncate: [TRUNCATE]"),
    "sources.*.operation.upsert": Hint("values that mean insert or update", "upsert: [INSERT, UPDATE]"),
    "sources.*.table": Hint("the column that names the table", "table: table_name"),
    "sources.*.changed_at": Hint("the column that says when a row changed", "changed_at: updated_at"),
    "sources.*.epoch": Hint("a whole number from 0 to 9999", "epoch: 1"),
    "sources.*.omitted": Hint("null or keep: what a missing column means", "omitted: keep"),
    "sources.*.unavailable": Hint("Debezium's placeholder text", 'unavailable: "__debezium_unavailable_value"'),
    "sources.*.partial_snapshots": Hint("true or false", "partial_snapshots: true"),
    "sources.*.delete_mode": Hint("one of rewrite, tombstone", "delete_mode: rewrite"),
    "sources.*.before_prefix": Hint("the prefix of before-image columns", "before_prefix: BI_"),
    "sources.*.max_message_bytes": Hint("a number of bytes above 0", "max_message_bytes: 16777216"),
    "sources.*.path": Hint("a folder of files", "path: ./in"),
    "sources.*.encoding": Hint("one of auto, json, csv, parquet, avro", "encoding: json"),
    "sources.*.max_files_per_batch": Hint("a whole number above 0", "max_files_per_batch: 1000"),
    "sources.*.servers": Hint("host:port of Kafka brokers, separated by commas", 'servers: "127.0.0.1:9092"'),
    "sources.*.topics": Hint("topics, or patterns with *", 'topics: ["src.public.*"]'),
    "sources.*.max_offsets_per_batch": Hint("a whole number above 0", "max_offsets_per_batch: 200000"),
    "sources.*.first_position": Hint(
        "one of earliest, latest; for Kinesis trim_horizon, latest or an ISO 8601 time", "first_position: latest"
    ),
    **{f"sources.*.{key}": Hint(*hint) for key, hint in MSK_IAM.items()},
    "sources.*.options": Hint("options of the source in Spark", "options: {kafka.security.protocol: SASL_SSL}"),
    "sources.*.options.*": Hint("text, or a secret", "kafka.ssl.key.password: {secret: env:KEY_PASSWORD}"),
    "sources.*.registry": Hint("where the schemas of Avro messages are", f"registry: {_REGISTRY}"),
    "sources.*.registry.kind": Hint("one of confluent, glue", "kind: confluent"),
    "sources.*.registry.url": Hint("the URL of the registry, without a login", 'url: "https://registry:8081"'),
    "sources.*.registry.username": Hint(
        "the name of a login", "username: headrace\npassword: {secret: env:REGISTRY_PASSWORD}"
    ),
    "sources.*.registry.password": Hint(
        "a secret from the environment", "password: {secret: env:REGISTRY_PASSWORD}\nusername: headrace"
    ),
    "sources.*.registry.token": Hint("a secret from the environment", "token: {secret: env:REGISTRY_TOKEN}"),
    "sources.*.registry.ca_file": Hint("a file of certificates (PEM)", "ca_file: ./registry-ca.pem"),
    "sources.*.registry.region": Hint("an AWS region", "region: eu-west-1"),
    "sources.*.registry.endpoint": Hint(
        "the URL of a VPC endpoint or an emulator", 'endpoint: "http://127.0.0.1:5000"'
    ),
    "sources.*.registry.role_arn": Hint("the ARN of a role", 'role_arn: "arn:aws:iam::123456789012:role/reader"'),
    "sources.*.registry.external_id": Hint(
        "the external id that the role asks for",
        'external_id: "7f3a"\nrole_arn: "arn:aws:iam::123456789012:role/reader"',
    ),
    "sources.*.streams": Hint("Kinesis streams, by name or ARN", "streams: [orders]"),
    "sources.*.region": Hint("an AWS region", "region: eu-west-1"),
    "sources.*.endpoint": Hint("the URL of a VPC endpoint or an emulator", 'endpoint: "http://127.0.0.1:4567"'),
    "sources.*.role_arn": Hint("the ARN of a role", 'role_arn: "arn:aws:iam::123456789012:role/reader"'),
    "sources.*.external_id": Hint(
        "the external id that the role asks for",
        'external_id: "7f3a"\nrole_arn: "arn:aws:iam::123456789012:role/reader"',
    ),
    "sources.*.reader": Hint("one of headrace, glue, databricks, aws-kinesis", "reader: headrace"),
    "sources.*.on_lost": Hint("one of fail, continue", "on_lost: fail"),
    "sources.*.max_records_per_batch": Hint("a whole number above 0", "max_records_per_batch: 200000"),
    "sources.*.max_bytes_per_batch": Hint("a whole number above 0", "max_bytes_per_batch: 536870912"),
    "sources.*.max_seconds_per_batch": Hint("a whole number above 0", "max_seconds_per_batch: 3600"),
    **{f"sources.*.{key}": Hint(*hint) for key, hint in API.items()},
    "tables": Hint("tables by name", f"tables: {{{_TABLE}}}"),
    "tables.*": Hint("a table: a mapping with source and key", _TABLE),
    "tables.*.source": Hint("the name of a source", "source: feed"),
    "tables.*.source_table": Hint("the table's name at the source", "source_table: public.bookings"),
    "tables.*.key": Hint("the columns that identify a row, as the source names them", "key: [userId]"),
    "tables.*.drop": Hint("columns not kept", "drop: [operation, sequenceNum]"),
    "tables.*.types": Hint("types by column", "types: {price: 'decimal(10,2)', born: date}"),
    "tables.*.types.*": Hint("a type of Spark SQL", "price: decimal(10,2)"),
    "tables.*.columns": Hint("SQL by column", "columns: {email: 'sha2(email, 256)'}"),
    "tables.*.columns.*": Hint("a SQL expression", "email: sha2(email, 256)"),
    "tables.*.where": Hint("a SQL condition", "where: country = 'DE'"),
    "tables.*.expect": Hint("a list of data-quality rules", f"expect: [{_RULE}]"),
    "tables.*.expect.*": Hint("a data-quality rule", _RULE),
    "tables.*.expect.*.column": Hint("the name of a column", "column: price"),
    "tables.*.expect.*.not_null": Hint("true or false", "not_null: true"),
    "tables.*.expect.*.min": Hint("a number or text", "min: 0"),
    "tables.*.expect.*.max": Hint("a number or text", "max: 5000"),
    "tables.*.expect.*.values": Hint("a list of accepted values", "values: [NEW, PAID]"),
    "tables.*.expect.*.values.*": Hint("text, a number, true or false", "values: [NEW, PAID]"),
    "tables.*.expect.*.pattern": Hint("a regular expression", "pattern: '^[A-Z]{2}$'"),
    "tables.*.expect.*.check": Hint("a SQL condition", "check: checkout > checkin"),
    "tables.*.expect.*.on_fail": Hint("one of warn, reject, stop", "on_fail: reject"),
    "tables.*.history": Hint("true, or the tracked columns", "history: {track: [status, price]}"),
    "tables.*.history.track": Hint("columns whose change opens a new interval", "track: [status, price]"),
    "tables.*.history.ignore": Hint("columns whose change opens no interval", "ignore: [last_seen]"),
    "tables.*.mask": Hint("columns kept out of changes_log and rejects", "mask: [email]"),
    "tables.*.max_row_bytes": Hint("a number of bytes above 0", "max_row_bytes: 8388608"),
    "tables.*.properties": Hint("Delta table properties", "properties: {delta.logRetentionDuration: interval 30 days}"),
    "tables.*.properties.*": Hint("text", "delta.logRetentionDuration: interval 30 days"),
    "tables.*.maintenance": Hint("when a table is tidied up", "maintenance: {vacuum_every: 1 day}"),
    "tables.*.maintenance.compact_at_files": Hint("a whole number above 1", "compact_at_files: 64"),
    "tables.*.maintenance.vacuum_every": Hint(_DURATION, "vacuum_every: 1 day"),
    "tables.*.maintenance.vacuum_keep": Hint("a duration above 0, such as 12h or 7 days", "vacuum_keep: 7 days"),
    "tables.*.maintenance.purge_tombstones_after": Hint(_DURATION, "purge_tombstones_after: 30 days"),
    "derive": Hint("derived tables by name", f"derive: {{{_DERIVE}}}"),
    "derive.*": Hint("a derived table: a mapping with key and sql", _DERIVE),
    "derive.*.key": Hint("the columns of the result that identify a row", "key: [booking_id]"),
    "derive.*.sql": Hint("one query over tables of the settings", "sql: SELECT booking_id, status FROM bookings"),
    "derive.*.reach": Hint("by table, a query for the keys that a changed row reaches", f"reach: {{{_REACH}}}"),
    "derive.*.reach.*": Hint("a query over changed, the keys that changed", _REACH),
    "derive.*.maintenance": Hint("when a table is tidied up", "maintenance: {vacuum_every: 1 day}"),
    "derive.*.maintenance.compact_at_files": Hint("a whole number above 1", "compact_at_files: 64"),
    "derive.*.maintenance.vacuum_every": Hint(_DURATION, "vacuum_every: 1 day"),
    "derive.*.maintenance.vacuum_keep": Hint("a duration above 0, such as 12h or 7 days", "vacuum_keep: 7 days"),
    "derive.*.maintenance.purge_tombstones_after": Hint(_DURATION, "purge_tombstones_after: 30 days"),
    "log": Hint("settings of changes_log", "log: {keep: 14 days}"),
    "log.enabled": Hint("true or false", "enabled: true"),
    "log.keep": Hint(_DURATION, "keep: 14 days"),
    "rejects": Hint("settings of rejects", "rejects: {keep: 30 days}"),
    "rejects.keep": Hint(_DURATION, "keep: 30 days"),
    "apply": Hint("how batches are applied", "apply: {trigger: 2s}"),
    "apply.trigger": Hint(_DURATION, "trigger: 2s"),
    "apply.parallel_tables": Hint("a whole number from 1 to 16", "parallel_tables: 2"),
    "apply.unknown_tables": Hint("one of reject, ignore", "unknown_tables: reject"),
    "apply.max_stale_share": Hint("a number above 0, up to 1", "max_stale_share: 0.9"),
    "apply.stale_check_rows": Hint("a whole number above 0", "stale_check_rows: 100"),
    "apply.allow_stale": Hint("true or false", "allow_stale: true"),
    "apply.replay_horizon": Hint(_DURATION, "replay_horizon: 7 days"),
    "runtime": Hint("one of local, glue, databricks", "runtime: glue"),
    "metrics": Hint("where measures are sent", "metrics: {cloudwatch: {}}"),
    "metrics.name": Hint("a name of letters, digits and . : / # - _", "name: prod"),
    "metrics.every": Hint("a duration above 0, such as 60s", "every: 60s"),
    "metrics.stuck_after": Hint("a duration above 0, such as 15m", "stuck_after: 15m"),
    "metrics.measures": Hint("names of measures", "measures: [errors, thumbs_up]"),
    "metrics.window": Hint("a duration of whole minutes, such as 15m", "window: 15m"),
    "metrics.cloudwatch": Hint("settings of Amazon CloudWatch; {} for all as it is", "cloudwatch: {}"),
    "metrics.cloudwatch.namespace": Hint("a namespace that does not begin with AWS/", "namespace: Headrace"),
    "metrics.cloudwatch.region": Hint("an AWS region", "region: eu-central-1"),
    "metrics.cloudwatch.role": Hint("the ARN of a role to take", "role: arn:aws:iam::123456789012:role/metrics"),
    "metrics.prometheus": Hint("where Prometheus reads; {} for all as it is", "prometheus: {port: 9464}"),
    "metrics.prometheus.host": Hint("an address of this machine", "host: 0.0.0.0"),
    "metrics.prometheus.port": Hint("a port from 1 to 65535", "port: 9464"),
    "spark": Hint("Spark settings", "spark: {spark.driver.memory: 4g}"),
    "spark.*": Hint("text", "spark.driver.memory: 4g"),
    **{
        place: Hint(*words)
        for place, words in (KNOWLEDGE | PROFILES | FEEDBACK | DATASETS | ASSISTANT | ALERTS).items()
    },
    **{f"serve.{key}".rstrip("."): Hint(*words) for key, words in SERVE.items()},
    **{f"{of}.*.serve.{key}".rstrip("."): Hint(*words) for of in ("tables", "derive") for key, words in SERVED.items()},
    **{f"assistant.context.{key}".rstrip("."): Hint(*words) for key, words in CONTEXT.items()},
    **{f"feedback.publish.*.{key}": Hint(*KNOWLEDGE[f"knowledge.indexes.*.{key}"]) for key in LIKE_INDEXES},
    **{f"assistant.conversations.{key}".rstrip("."): Hint(*words) for key, words in CONVERSATIONS.items()},
    **{f"assistant.events.{key}".rstrip("."): Hint(*words) for key, words in (EVENTS | MSK_IAM).items()},
    **{f"web.{key}".rstrip("."): Hint(*words) for key, words in WEB.items()},
}
