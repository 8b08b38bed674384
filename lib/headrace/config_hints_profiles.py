"""What every key below `profiles` expects, with an example: merged into `HINTS`, where `profiles.` comes before."""

_DURATION = "a duration such as 90s, 15m, 12h or 7 days"
_COUNT = "a whole number above 0"
_SWITCH = "true or false"
_COLUMN = "the name of a column"
_COLUMN_OR_SQL = "a column, or SQL over the row"
_TABLE = "the name of a table of tables"
_BY = "records or identifiers by name, each with its column"
_BY_LINE = "by: {web: userId}"
_PURPOSE = "what people must have agreed to before a prompt shows it"
_RECORD = "web: {table: users, identifiers: {email: mail}}"
_STORE = "main: {store: sqlite, path: ./profiles.db}"

_RECORDS = {
    "": ("records about people by name, at least one", f"records: {{{_RECORD}}}"),
    "*": ("records about people: a table and identifiers", _RECORD),
    "*.table": (_TABLE, "table: users"),
    "*.since": ("the column that says when the record began", "since: joined_at"),
    "*.identifiers": ("by kind, a column or SQL over the row", "identifiers: {email: mail}"),
    "*.identifiers.*": (_COLUMN_OR_SQL, "email: mail"),
    "*.fields": ("by the profile's field, a column or SQL over the row", "fields: {name: full_name}"),
    "*.fields.*": (_COLUMN_OR_SQL, "name: full_name"),
}

_IDENTIFIERS = {
    "": ("kinds of identifiers by name", "identifiers: {email: {normalise: email}}"),
    "*": ("how a kind of identifier links records", "email: {normalise: email}"),
    "*.normalise": ("one of email, phone, name, sound, text, digits, date, exact", "normalise: email"),
    "*.region": ("a country code of two capital letters", "region: DE"),
    "*.of": ("at least two other kinds", "of: [family_name, born]"),
    "*.links": (_SWITCH, "links: false"),
    "*.unique": (_SWITCH, "unique: true"),
    "*.priority": ("a whole number from 0 to 1000", "priority: 60"),
    "*.agree": ("kinds in which records must agree", "agree: [given_name]"),
    "*.unless": ("kinds in which records may not differ", "unless: [born]"),
    "*.hub": ("a whole number above 1", "hub: 20"),
    "*.limit": (_COUNT, "limit: 5"),
    "*.deny": ("values that say nothing", "deny: [info@example.com]"),
}

_FIELDS = {
    "": ("fields by name", "fields: {name: {choose: newest}}"),
    "*": ("how a field's value is chosen", "name: {choose: newest}"),
    "*.choose": ("one of newest, source, longest, most_frequent", "choose: newest"),
    "*.order": ("records, most trusted first", "order: [web]"),
    "*.purpose": (_PURPOSE, "purpose: offers"),
}

_RELATED = {
    "": ("rows that belong to people, by name", "related: {orders: {table: users, by: {web: userId}}}"),
    "*": ("rows that belong to people: a table and by", "orders: {table: users, by: {web: userId}}"),
    "*.table": (_TABLE, "table: users"),
    "*.by": (_BY, _BY_LINE),
    "*.by.*": (_COLUMN, "web: userId"),
    "*.columns": ("columns that a profile shows", "columns: [booking_id, status]"),
    "*.sort": ("columns, with - before those that go down", "sort: [-booked_at]"),
    "*.most": ("a whole number from 1 to 500", "most: 20"),
    "*.where": ("a SQL condition", "where: status <> 'CANCELLED'"),
    "*.purpose": (_PURPOSE, "purpose: offers"),
}

_CONSENT = {
    "": ("rows that say what people agreed to: a table and by", "consent: {table: users, by: {web: userId}}"),
    "table": (_TABLE, "table: users"),
    "by": (_BY, _BY_LINE),
    "by.*": (_COLUMN, "web: userId"),
    "purpose": (_COLUMN, "purpose: purpose"),
    "granted": (_COLUMN, "granted: granted"),
    "basis": (_COLUMN, "basis: lawful_basis"),
    "at": (_COLUMN, "at: given_at"),
    "until": (_COLUMN, "until: expires_at"),
    "default": ("purposes that need no statement", "default: [contract]"),
}

_BEHAVIOUR = {
    "": ("what people did, by name", "behaviour: {views: {table: users, by: {web: userId}, at: viewed_at}}"),
    "*": ("rows of what people did: a table, by and at", "views: {table: users, by: {web: userId}, at: viewed_at}"),
    "*.table": (_TABLE, "table: users"),
    "*.by": (_BY, _BY_LINE),
    "*.by.*": (_COLUMN, "web: userId"),
    "*.at": ("the column with the time", "at: viewed_at"),
    "*.sums": ("numbers to add up, by name", "sums: {spent: amount}"),
    "*.sums.*": (_COLUMN_OR_SQL, "spent: amount"),
    "*.top": ("values to count, by name", "top: {cities: city}"),
    "*.top.*": (_COLUMN_OR_SQL, "cities: city"),
    "*.last": ("columns of the newest event", "last: [page]"),
    "*.most": ("a whole number from 1 to 50", "most: 5"),
    "*.session_gap": ("a duration above 0, such as 30m", "session_gap: 30m"),
    "*.keep": ("a duration above 0, such as 30 days", "keep: 30 days"),
    "*.purpose": (_PURPOSE, "purpose: offers"),
}

_STORES = {
    "": ("stores of profiles by name, at least one", f"stores: {{{_STORE}}}"),
    "*": ("a store of profiles: a mapping with store", _STORE),
    "*.store": ("one of sqlite, documentdb, dynamodb, neptune", "store: sqlite"),
    "*.rows_per_write": (_COUNT, "rows_per_write: 200"),
    "*.writers": ("a whole number from 1 to 64; 1 for sqlite", "writers: 1"),
    "*.attempts": (_COUNT, "attempts: 8"),
    "*.keep_deleted": ("a duration above 0, such as 30 days", "keep_deleted: 30 days"),
    "*.path": ("a file on a disk of this machine", "path: ./profiles.db"),
    "*.uri": ("a secret: where the server is, with user and password", "uri: {secret: env:DOCUMENTDB_URI}"),
    "*.database": ("the name of a database", "database: headrace"),
    "*.collection": ("the name of a collection", "collection: profiles"),
    "*.tls": (_SWITCH, "tls: true"),
    "*.ca_file": ("a file with the certificates to trust", "ca_file: ./global-bundle.pem"),
    "*.timeout": ("a duration above 0, such as 10s", "timeout: 10s"),
    "*.table": ("the name of a DynamoDB table", "table: headrace-profiles"),
    "*.region": ("the name of an AWS region; the environment's where not given", "region: eu-central-1"),
    "*.endpoint": ("the URL of a VPC endpoint or an emulator", 'endpoint: "http://127.0.0.1:8000"'),
    "*.role_arn": ("the ARN of a role", 'role_arn: "arn:aws:iam::123456789012:role/writer"'),
    "*.external_id": ("the external id that the role asks for", 'external_id: "7f3a"'),
    "*.create": (_SWITCH, "create: true"),
    "*.url": ("the address of a Gremlin server", "url: wss://graph.example.com:8182/gremlin"),
    "*.auth": ("password or iam; for neptune none or aws", "auth: iam"),
}

_ITSELF = {
    "": (
        "records about people, and the stores that hold their profiles",
        f"profiles: {{records: {{{_RECORD}}}, stores: {{{_STORE}}}, hash_key: {{secret: env:HEADRACE_HASH_KEY}}}}",
    ),
    "rules": ("standard, or nothing", "rules: standard"),
    "hash_key": ("a secret of at least 16 characters", "hash_key: {secret: env:HEADRACE_HASH_KEY}"),
    "hub": ("a whole number above 1", "hub: 50"),
    "largest": ("a whole number from 2 to 5000", "largest: 500"),
    "driver_links": (_COUNT, "driver_links: 1000000"),
    "windows": ("durations of whole hours", "windows: [1h, 24h, 7 days, 30 days]"),
    "windows.*": (_DURATION, "windows: [1h, 24h]"),
    "max_bytes": (f"{_COUNT}: bytes", "max_bytes: 65536"),
    "max_field_bytes": (f"{_COUNT}: bytes", "max_field_bytes: 4096"),
    "trigger": (_DURATION, "trigger: 2s"),
    "keep_outbox": (_DURATION, "keep_outbox: 7 days"),
}

_SECTIONS = {
    "": _ITSELF, "records": _RECORDS, "identifiers": _IDENTIFIERS, "fields": _FIELDS, "related": _RELATED,
    "consent": _CONSENT, "behaviour": _BEHAVIOUR, "stores": _STORES,
}  # fmt: skip

PROFILES: dict[str, tuple[str, str]] = {
    ".".join(part for part in ("profiles", section, key) if part): hint
    for section, hints in _SECTIONS.items()
    for key, hint in hints.items()
}
"""Place -> what is expected, and a line of YAML that is right there."""
