"""What every key below `assistant.conversations` and `assistant.events` expects, with an example."""

_DURATION = "a duration such as 90s, 15m, 12h or 7 days, above 0"
_COUNT = "a whole number above 0"
_SWITCH = "true or false"
_STORE = "store: {store: sqlite, path: ./conversations.db}"
_EVENTS = "events: {to: files, path: ./events}"

CONVERSATIONS: dict[str, tuple[str, str]] = {
    "": ("what is remembered of conversations: a mapping with store", f"conversations: {{{_STORE}}}"),
    "keep": (_DURATION, "keep: 30 days"),
    "store": ("a store: a mapping with store", _STORE),
    "store.store": ("one of sqlite, documentdb, dynamodb", "store: sqlite"),
    "store.rows_per_write": (_COUNT, "rows_per_write: 200"),
    "store.writers": ("a whole number from 1 to 64; 1 for sqlite", "writers: 1"),
    "store.attempts": (_COUNT, "attempts: 8"),
    "store.keep_deleted": (_DURATION, "keep_deleted: 30 days"),
    "store.path": ("a file on a disk of this machine", "path: ./conversations.db"),
    "store.uri": ("a secret: where the server is, with user and password", "uri: {secret: env:DOCUMENTDB_URI}"),
    "store.database": ("the name of a database", "database: headrace"),
    "store.collection": ("the name of a collection", "collection: conversations"),
    "store.tls": (_SWITCH, "tls: true"),
    "store.ca_file": ("a file with the certificates to trust", "ca_file: ./global-bundle.pem"),
    "store.timeout": (_DURATION, "timeout: 10s"),
    "store.table": ("the name of a DynamoDB table", "table: headrace-conversations"),
    "store.region": ("the name of an AWS region; the environment's where not given", "region: eu-central-1"),
    "store.endpoint": ("the URL of a VPC endpoint or an emulator", 'endpoint: "http://127.0.0.1:8000"'),
    "store.role_arn": ("the ARN of a role", 'role_arn: "arn:aws:iam::123456789012:role/writer"'),
    "store.external_id": ("the external id that the role asks for", 'external_id: "7f3a"'),
    "store.create": (_SWITCH, "create: true"),
    "store.auth": ("password or iam", "auth: iam"),
}
"""Below `assistant.conversations`."""

EVENTS: dict[str, tuple[str, str]] = {
    "": ("the stream that turns and ratings go out on: a mapping with to", _EVENTS),
    "to": ("one of files, kafka", "to: files"),
    "path": ("a folder on a disk of this machine", "path: ./events"),
    "servers": ("host:port of Kafka brokers, separated by commas", 'servers: "127.0.0.1:9092"'),
    "topic": ("the name of a topic", "topic: conversations"),
    "options": ("options of Spark's Kafka source", "options: {kafka.security.protocol: SSL}"),
    "options.*": ("text, a number, true or false, or a secret", "kafka.security.protocol: SSL"),
    "timeout": (_DURATION, "timeout: 10s"),
    "texts": (_SWITCH, "texts: false"),
    "flush": (_DURATION, "flush: 2s"),
    "queue": (_COUNT, "queue: 10000"),
    "wait": (_DURATION, "wait: 0.1s"),
    "spool": ("a folder on a disk of this machine", "spool: ./spool"),
    "spool_bytes": (f"{_COUNT}: bytes", "spool_bytes: 67108864"),
}
"""Below `assistant.events`, beside how to sign in to Amazon MSK."""
