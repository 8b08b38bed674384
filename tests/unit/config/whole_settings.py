"""A settings file with every kind of source, feed and index, and what each embedder cannot do without."""

TABLES = """\
lake: ./lake                       # a folder, s3://..., or /Volumes/...
sources:
  feed: {from: files, path: ./in, format: json, position: [sequenceNum], operation: {column: operation, delete: [DELETE], truncate: [TRUNCATE]}}
  shop: {from: kafka, servers: "127.0.0.1:9092", topics: ["src.public.*"], format: debezium, registry: {kind: confluent, url: "http://r:8081"}}
  clicks: {from: kinesis, streams: [clicks], region: eu-west-1, format: dynamodb, registry: {kind: glue}}
  dumps: {from: files, path: ./dumps, format: snapshot, position: [exported_at]}
  rooms: {from: api, keys_from: hotels, url: "https://api.example/rooms/{hotel_id}"}
tables:
  users:    {source: feed, key: [userId], drop: [operation, sequenceNum]}
  bookings: {source: shop, source_table: public.bookings, key: [id], history: {track: [status, price]}}
  hotels:   {source: dumps, key: [hotel_id]}
  rooms:    {source: rooms, key: [hotel_id]}
derive:
  stays:    {key: [id], sql: "SELECT id, status FROM bookings", reach: {hotels: "SELECT id FROM bookings JOIN changed USING (hotel_id)"}}
"""  # noqa: E501

KNOWLEDGE = """\
  uploads:  {from: kafka, servers: "127.0.0.1:9092", topics: [uploads], format: objects}
  articles: {from: kafka, servers: "127.0.0.1:9092", topics: [articles], format: json, position: [at]}
knowledge:
  documents:
    folder: {from: folder, path: ./notes, events: uploads, events_path: "s3://bucket/notes"}
    table:  {from: table, table: hotels, text: [name, description]}
    events: {from: events, source: articles}
  indexes:
    sqlite:     {store: sqlite, path: ./p.db}
    opensearch: {store: opensearch, hosts: ["https://127.0.0.1:9200"], index: passages, auth: basic, user: a, password: "${PW:-b}"}
    pgvector:   {store: pgvector, url: "postgresql://127.0.0.1/x"}
    kafka:      {store: kafka, servers: "127.0.0.1:9092", topic: passages}
    kinesis:    {store: kinesis, stream: passages, region: eu-west-1}
    kendra:     {store: kendra, index_id: "1"}
    opensearch_serverless_vector: {store: opensearch_serverless_vector, host: h, index: i, region: r}
"""  # noqa: E501

_SOURCES, _REST = KNOWLEDGE.split("knowledge:\n")
WHOLE = TABLES.replace("tables:\n", f"{_SOURCES}tables:\n") + f"knowledge:\n{_REST}"

ALERTS = """\
alerts:
  rules:
    threshold: {rule: threshold, measure: errors, above: 0.05}
    change:    {rule: change, measure: csat, by: 0.5}
    unusual:   {rule: unusual, measure: latency, percentile: 0.95}
    burn_rate: {rule: burn_rate, measure: errors, budget: 0.01}
  outputs:
    log:     {to: log}
    sns:     {to: sns, topic: "arn:aws:sns:eu-central-1:123456789012:headrace"}
    webhook: {to: webhook, url: "https://hooks.example/headrace"}
"""

PROFILES = """\
profiles:
  hash_key: {secret: env:HASH_KEY}
  records:
    web: {table: users, identifiers: {email: mail}}
  identifiers:
    email: {normalise: email}
    phone: {normalise: phone}
    names: {of: [given_name, family_name]}
  fields:
    name: {choose: newest}
  related:
    orders: {table: bookings, by: {web: userId}}
  consent: {table: bookings, by: {web: userId}}
  behaviour:
    views: {table: bookings, by: {web: userId}, at: viewed_at}
  stores:
    sqlite:     {store: sqlite, path: ./people.db}
    documentdb: {store: documentdb, uri: {secret: env:DOCUMENTDB_URI}}
    dynamodb:   {store: dynamodb, table: headrace-profiles}
    neptune:    {store: neptune, url: "wss://h:8182/gremlin"}
"""
"""Beside `WHOLE`; not part of it, as it needs secrets."""

SECRETS = {"HASH_KEY": "sixteen-letters-or-more", "DOCUMENTDB_URI": "mongodb://127.0.0.1"}

EMBED = {
    "static": {},
    "minilm": {},
    "bedrock": {},
    "sagemaker": {"endpoint": "e", "dimension": 8},
    "http": {"url": "http://127.0.0.1/v1", "model": "m", "dimension": 8},
    "langchain": {"path": "a:B", "model": "m", "dimension": 8},
}

CHAT = {
    "extractive": {},
    "bedrock": {"model": "m"},
    "sagemaker": {"endpoint": "e"},
    "openai": {"url": "http://127.0.0.1/v1", "model": "m"},
}

ROWS = {
    "sqlite": {"path": "./conversations.db"},
    "documentdb": {"uri": {"secret": "env:DOCUMENTDB_URI"}},
    "dynamodb": {"table": "conversations"},
}

EVENTS = {"files": {"path": "./events"}, "kafka": {"servers": "127.0.0.1:9092", "topic": "conversations"}}
