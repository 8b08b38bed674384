"""What every key below `knowledge` expects, with an example: merged into `HINTS`, where `knowledge.` comes before."""

_DURATION = "a duration such as 90s, 15m, 12h or 7 days"
_COUNT = "a whole number above 0"
_SWITCH = "true or false"
_COLUMN = "the name of a column"
_FIELD = "the name of a field of the event"
_REGION = "the name of an AWS region; the environment's where not given"
_ROLE = "the ARN of a role to take on"
_REGION_LINE = "region: eu-central-1"
_ROLE_LINE = "role: arn:aws:iam::123456789012:role/headrace"
_FEED = "notes: {from: folder, path: ./notes}"
_INDEX = "main: {store: sqlite, path: ./passages.db}"

_DOCUMENTS = {
    "": ("feeds of documents by name, at least one", f"documents: {{{_FEED}}}"),
    "*": ("a feed of documents: a mapping with from", _FEED),
    "*.from": ("one of folder, table, events", "from: folder"),
    "*.audience": ("groups that may read its documents; everybody where not given", "audience: [staff]"),
    "*.tenant": ("the tenant all its documents belong to", "tenant: acme"),
    "*.tags": ("tags of all its documents", "tags: [handbook]"),
    "*.language": ("a language code of two lower-case letters", "language: de"),
    "*.path": ("a folder, or s3://bucket/folder", "path: ./notes"),
    "*.events": ("the name of a source of format: objects", "events: uploads"),
    "*.events_path": ("what the events call the folder: s3://bucket/folder", "events_path: s3://bucket/notes"),
    "*.every": (_DURATION, "every: 2s"),
    "*.include": ("patterns with * on the path below the folder", 'include: ["*.md"]'),
    "*.exclude": ("patterns with * on the path below the folder", 'exclude: ["drafts/*"]'),
    "*.table": ("the name of a table of tables", "table: users"),
    "*.text": ("the columns that make the text (from: table), or the field that holds it (from: events)", "text: body"),
    "*.title": ("the column or field with the title", "title: headline"),
    "*.url": ("the column or field with the address", "url: link"),
    "*.language_column": (_COLUMN, "language_column: lang"),
    "*.tags_column": (_COLUMN, "tags_column: labels"),
    "*.audience_column": (_COLUMN, "audience_column: readers"),
    "*.tenant_column": (_COLUMN, "tenant_column: customer"),
    "*.metadata": ("columns or fields that travel with every passage", "metadata: [category]"),
    "*.source": ("the name of a source of format: json", "source: articles"),
    "*.id": ("the field that identifies a document", "id: article_id"),
    "*.media_type": ("the media type of the text", "media_type: text/html"),
    "*.renamed_from": ("the field with the id the document had before", "renamed_from: old_id"),
    "*.language_field": (_FIELD, "language_field: lang"),
    "*.tags_field": (_FIELD, "tags_field: labels"),
    "*.audience_field": (_FIELD, "audience_field: readers"),
    "*.tenant_field": (_FIELD, "tenant_field: customer"),
}

_EMBED = {
    "": ("how passages become vectors", "embed: {provider: static, dimension: 256}"),
    "provider": ("one of static, minilm, bedrock, sagemaker, http, langchain", "provider: static"),
    "dimension": (f"{_COUNT}: 64, 128 or 256 for static, 384 for minilm, else what the model makes", "dimension: 256"),
    "batch": (_COUNT, "batch: 32"),
    "requests_per_minute": (_COUNT, "requests_per_minute: 600"),
    "tokens_per_minute": (_COUNT, "tokens_per_minute: 300000"),
    "parallel": ("a whole number from 1 to 64", "parallel: 8"),
    "timeout": (f"{_DURATION}, above 0", "timeout: 30s"),
    "seconds_per_batch": ("a number of seconds above 0", "seconds_per_batch: 20"),
    "attempts": (_COUNT, "attempts: 8"),
    "retry_after": (_DURATION, "retry_after: 5s"),
    "budget": ("what one day may cost", "budget: {tokens: 1000000}"),
    "budget.texts": (_COUNT, "texts: 100000"),
    "budget.tokens": (_COUNT, "tokens: 1000000"),
    "budget.money": ("an amount above 0, with price_per_million_tokens", "{money: 5, price_per_million_tokens: 0.02}"),
    "budget.price_per_million_tokens": ("an amount, 0 or more", "price_per_million_tokens: 0.02"),
    "model": ("the name of a model of the provider", "model: intfloat/multilingual-e5-small"),
    "region": (_REGION, _REGION_LINE),
    "role": (_ROLE, _ROLE_LINE),
    "endpoint": ("the name of a SageMaker endpoint", "endpoint: embeddings"),
    "url": ("the address of a server, up to and with /v1", "url: http://127.0.0.1:8080/v1"),
    "key": ("a secret: the API key", "key: {secret: env:EMBED_KEY}"),
    "send_dimension": (_SWITCH, "send_dimension: true"),
    "ca_file": ("a file of certificates (PEM) to trust", "ca_file: /etc/ssl/our-ca.pem"),
    "query_prefix": ("text the model wants before a query", 'query_prefix: "query: "'),
    "document_prefix": ("text the model wants before a passage", 'document_prefix: "passage: "'),
    "headers": ("headers of every request, by name", "headers: {X-Team: search}"),
    "headers.*": ("text, or a secret", "X-Api-Key: {secret: env:EMBED_KEY}"),
    "path": ("module:name of a LangChain class", "path: langchain_openai:OpenAIEmbeddings"),
    "arguments": ("arguments of the class, by name", "arguments: {model: text-embedding-3-small}"),
    "arguments.*": ("text, or a secret", "api_key: {secret: env:EMBED_KEY}"),
}

_MSK = "auth: {kind: msk-iam, region: eu-central-1}"
_MSK_ROLE = f'{_MSK[:-1]}, role_arn: "arn:aws:iam::123456789012:role/reader"'

MSK_IAM = {
    "auth": ("how to sign in to Amazon MSK: a mapping with kind and region", _MSK),
    "auth.kind": ("msk-iam", _MSK),
    "auth.region": ("the AWS region of the cluster", _MSK),
    "auth.role_arn": ("the ARN of a role", f"{_MSK_ROLE}}}"),
    "auth.external_id": ("the external id that the role asks for", f'{_MSK_ROLE}, external_id: "7f3a"}}'),
    "auth.session_name": ("a name of 2 to 64 letters, digits and _+=,.@-", f"{_MSK_ROLE}, session_name: headrace}}"),
    "auth.service_credential": (
        "the name of a Databricks service credential",
        f"{_MSK[:-1]}, service_credential: msk}}",
    ),
}

_INDEXES = {
    **{f"*.{key}": hint for key, hint in MSK_IAM.items()},
    "": ("indexes by name, at least one", f"indexes: {{{_INDEX}}}"),
    "*": ("an index: a mapping with store", _INDEX),
    "*.store": (
        "one of sqlite, opensearch, pgvector, kafka, kinesis, opensearch_serverless_vector, kendra",
        "store: sqlite",
    ),
    "*.rows_per_write": (_COUNT, "rows_per_write: 500"),
    "*.bytes_per_write": (f"{_COUNT}: bytes", "bytes_per_write: 5000000"),
    "*.writers": ("a whole number from 1 to 64; only 1 for sqlite and kendra", "writers: 1"),
    "*.attempts": (_COUNT, "attempts: 8"),
    "*.path": ("a file on a disk of this machine", "path: ./passages.db"),
    "*.hosts": ("URLs of the cluster, at least one", 'hosts: ["https://127.0.0.1:9200"]'),
    "*.index": ("a name of lower-case letters, digits, _, - and ., not starting with _, - or .", "index: passages"),
    "*.auth": ("one of none, basic, aws; for pgvector password or iam; for kafka {kind, region}", "auth: basic"),
    "*.user": ("the name of a user", "user: headrace"),
    "*.password": ("a secret: the user's password", "password: {secret: env:OPENSEARCH_PASSWORD}"),
    "*.region": (_REGION, _REGION_LINE),
    "*.role": (_ROLE, _ROLE_LINE),
    "*.serverless": (_SWITCH, "serverless: true"),
    "*.ca_file": ("a file of certificates (PEM) to trust", "ca_file: ./global-bundle.pem"),
    "*.verify": (_SWITCH, "verify: true"),
    "*.engine": ("one of lucene, faiss", "engine: lucene"),
    "*.shards": (_COUNT, "shards: 1"),
    "*.replicas": ("a whole number, 0 or more", "replicas: 1"),
    "*.refresh": (_DURATION, "refresh: 1s"),
    "*.timeout": (f"{_DURATION}, above 0", "timeout: 30s"),
    "*.url": ("a secret: the address of the database, with user and password", "url: {secret: env:PGVECTOR_URL}"),
    "*.table": ("a name of lower-case letters, digits and _, at most 41, not starting with a digit", "table: passages"),
    "*.hnsw": (_SWITCH, "hnsw: true"),
    "*.servers": ("host:port of Kafka brokers, separated by commas", 'servers: "127.0.0.1:9092"'),
    "*.topic": ("the name of a topic", "topic: passages"),
    "*.stream": ("a Kinesis stream, by name or ARN", "stream: passages"),
    "*.endpoint": ("the URL of a VPC endpoint or an emulator", 'endpoint: "http://127.0.0.1:4567"'),
    "*.role_arn": ("the ARN of a role", 'role_arn: "arn:aws:iam::123456789012:role/writer"'),
    "*.external_id": ("the external id that the role asks for", 'external_id: "7f3a"'),
    "*.options": ("options of Kafka's producer", "options: {compression.type: zstd}"),
    "*.options.*": ("text, or a secret", "sasl.password: {secret: env:KAFKA_PASSWORD}"),
    "*.host": ("the address of the collection", "host: https://abc.eu-central-1.aoss.amazonaws.com"),
    "*.index_id": ("the id of a Kendra index", "index_id: 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"),
    "*.data_source_id": ("the id of a Kendra data source", "data_source_id: 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"),
}

_PARSE = {
    "": ("limits of a document", "parse: {max_pages: 500}"),
    "max_bytes": (f"{_COUNT}: bytes", "max_bytes: 50000000"),
    "max_unpacked": (_COUNT, "max_unpacked: 100"),
    "max_pages": (_COUNT, "max_pages: 2000"),
    "max_characters": (_COUNT, "max_characters: 5000000"),
    "max_depth": (_COUNT, "max_depth: 200"),
    "seconds": ("a number of seconds above 0", "seconds: 60"),
}

_CHUNK = {
    "": ("how documents are cut", "chunk: {tokens: 200}"),
    "tokens": ("a whole number from 16 to 8192", "tokens: 200"),
    "heading": (_SWITCH, "heading: true"),
}

_ITSELF = {
    "": ("documents and the indexes that hold them", f"knowledge: {{documents: {{{_FEED}}}, indexes: {{{_INDEX}}}}}"),
    "trigger": (_DURATION, "trigger: 2s"),
    "keep_outbox": (_DURATION, "keep_outbox: 7 days"),
}

_SECTIONS = {"": _ITSELF, "documents": _DOCUMENTS, "parse": _PARSE, "chunk": _CHUNK, "embed": _EMBED}
_MODELS = {f"*.{key}" if key else "*": hint for key, hint in _EMBED.items()}
_MODELS |= {
    "": ("more models by name, to change to", "models: {better: {provider: minilm}}"),
    "*": ("how passages become vectors: a mapping as knowledge.embed", "better: {provider: minilm}"),
}
_SECTIONS |= {"indexes": _INDEXES, "models": _MODELS}

KNOWLEDGE: dict[str, tuple[str, str]] = {
    ".".join(part for part in ("knowledge", section, key) if part): hint
    for section, hints in _SECTIONS.items()
    for key, hint in hints.items()
}
"""Place -> what is expected, and a line of YAML that is right there."""
