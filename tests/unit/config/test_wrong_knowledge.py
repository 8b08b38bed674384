"""Every wrong section `knowledge` beside its exact message."""

from pathlib import Path

import pytest

from headrace.config_file import load
from headrace.errors import ConfigError

GOOD = """\
lake: ./lake
sources:
  feed: {from: files, path: ./in, format: json, position: [seq]}
  shop: {from: kafka, servers: "127.0.0.1:9092", topics: [shop], format: debezium}
  uploads: {from: kafka, servers: "127.0.0.1:9092", topics: [uploads], format: objects}
tables:
  users: {source: shop, key: [id]}
knowledge:
  documents:
    notes: {from: folder, path: ./notes, events: uploads, events_path: "s3://b/notes"}
    people: {from: table, table: users, text: [about]}
    articles: {from: events, source: feed}
  indexes:
    main: {store: sqlite, path: ./passages.db}
    search: {store: opensearch, hosts: [a, b], index: passages}
  embed: {provider: static}
"""

CASES = [
    # (what it is, text to replace, replacement, the report after its first line)
    (
        "a kind of feed that does not exist",
        "from: folder", "from: mailbox",
        """\
  line 10: knowledge.documents.notes.from
    expected  one of folder, table, events
    found     "mailbox"
    example   from: folder""",
    ),
    (
        "a feed without from, told by its keys",
        "from: table, ", "",
        """\
  line 11: knowledge.documents.people.from
    expected  one of folder, table, events
    found     nothing
    example   from: table""",
    ),
    (
        "a password beside a token of Aurora's",
        "main: {store: sqlite, path: ./passages.db}",
        'main: {store: pgvector, url: "postgresql://a:${PW:-b}@h/x", auth: iam, ca_file: ./ca.pem}',
        """\
  line 14: knowledge.indexes.main.url
    expected  no password with auth: iam, which signs a token instead
    found     one
    example   url: postgresql://headrace@shop.cluster-c1.eu-central-1.rds.amazonaws.com:5432/shop""",
    ),
    (
        "an embedder that does not exist",
        "provider: static", "provider: bedrok",
        """\
  line 16: knowledge.embed.provider
    expected  one of static, minilm, bedrock, sagemaker, http, langchain
    found     "bedrok"
    example   provider: static""",
    ),
    (
        "an embedder without provider, with keys the static one does not have",
        "provider: static", "url: http://127.0.0.1/v1, model: m, dimension: 8",
        """\
  line 16: knowledge.embed.provider
    expected  one of static, minilm, bedrock, sagemaker, http, langchain
    found     nothing
    example   provider: http""",
    ),
    (
        "a key misspelt below an embedder without provider",
        "provider: static", "dimenson: 64",
        """\
  line 16: knowledge.embed.dimenson
    expected  a known key
    found     an unknown key
    example   dimension: 256
    Did you mean dimension?""",
    ),
    (
        "a number of dimensions the model does not make",
        "provider: static", "dimension: 100",
        """\
  line 16: knowledge.embed.dimension
    expected  a whole number above 0: 64, 128 or 256 for static, 384 for minilm, else what the model makes
    found     100
    example   dimension: 256""",
    ),
    (
        "text where settings are expected",
        "{provider: static}", "static",
        """\
  line 16: knowledge.embed
    expected  how passages become vectors
    found     "static"
    example   embed: {provider: static, dimension: 256}""",
    ),
    (
        "a store that does not exist",
        "store: sqlite", "store: elastic",
        """\
  line 14: knowledge.indexes.main.store
    expected  one of sqlite, opensearch, pgvector, kafka, kinesis, opensearch_serverless_vector, kendra
    found     "elastic"
    example   store: sqlite""",
    ),
    (
        "an index without store, told by its keys",
        "store: opensearch, ", "",
        """\
  line 15: knowledge.indexes.search.store
    expected  one of sqlite, opensearch, pgvector, kafka, kinesis, opensearch_serverless_vector, kendra
    found     nothing
    example   store: opensearch""",
    ),
    (
        "a key of another store",
        "path: ./passages.db", "path: ./passages.db, shards: 3",
        """\
  line 14: knowledge.indexes.main.shards
    expected  one of the keys rows_per_write, bytes_per_write, writers, attempts, store, path
    found     an unknown key
    example   main: {store: sqlite, path: ./passages.db}
    shards is a key of store: opensearch.""",
    ),
    (
        "a misspelt key of an index",
        "hosts:", "host_s:",
        """\
  line 15: knowledge.indexes.search.host_s
    expected  a known key
    found     an unknown key
    example   hosts: ["https://127.0.0.1:9200"]
    Did you mean hosts?""",
    ),
    (
        "an unknown key below a setting of an embedder",
        "provider: static", "budget: {tokenz: 5}",
        """\
  line 16: knowledge.embed.budget.tokenz
    expected  a known key
    found     an unknown key
    example   tokens: 1000000
    Did you mean tokens?""",
    ),
    (
        "no table of such a name",
        "table: users", "table: user",
        """\
  line 11: knowledge.documents.people.table
    expected  one of the tables (users)
    found     "user"
    example   table: users
    Did you mean users?""",
    ),
    (
        "no source of such a name",
        "source: feed}", "source: fed}",
        """\
  line 12: knowledge.documents.articles.source
    expected  one of the sources of format: json (feed)
    found     "fed"
    example   source: feed
    Did you mean feed?""",
    ),
    (
        "events from a source that tells of tables",
        "source: feed}", "source: shop}",
        """\
  line 12: knowledge.documents.articles.source
    expected  one of the sources of format: json (feed)
    found     shop, of format: debezium
    example   source: feed""",
    ),
    (
        "changes of a folder from a source that tells of rows",
        "events: uploads", "events: feed",
        """\
  line 10: knowledge.documents.notes.events
    expected  one of the sources of format: objects (uploads)
    found     feed, of format: json
    example   events: uploads""",
    ),
    (
        "changes of a folder on disk that do not say where the bucket's events speak of",
        ', events_path: "s3://b/notes"', "",
        """\
  line 10: knowledge.documents.notes.events_path
    expected  the bucket and folder that the events speak of, as path is a folder on disk
    found     nothing
    example   events_path: s3://bucket/notes""",
    ),
    (
        "changes of a folder where no source tells of any",
        "format: objects", "format: dms",
        """\
  line 10: knowledge.documents.notes.events
    expected  one of the sources of format: objects (there are none)
    found     uploads, of format: dms
    example   uploads: {from: kafka, servers: "127.0.0.1:9092", topics: [s3], format: objects}""",
    ),
    (
        "a language that is no code",
        "source: feed}", "source: feed, language: DE}",
        """\
  line 12: knowledge.documents.articles.language
    expected  a language code of two lower-case letters
    found     "DE"
    example   language: de""",
    ),
    (
        "a feed name that no table should have",
        "people:", "our-people:",
        """\
  line 11: knowledge.documents.our-people
    expected  a name of letters, digits and _, at most 100, not starting with a digit
    found     "our-people"
    example   notes: {from: folder, path: ./notes}""",
    ),
    (
        "an index name that no folder should have",
        "main:", "../main:",
        """\
  line 14: knowledge.indexes."../main"
    expected  a name of letters, digits and _, at most 100, not starting with a digit
    found     "../main"
    example   main: {store: sqlite, path: ./passages.db}""",
    ),
    (
        "rows without columns to read",
        "text: [about]", "text: []",
        """\
  line 11: knowledge.documents.people.text
    expected  the columns that make the text (from: table), or the field that holds it (from: events)
    found     a list of 0
    example   text: body""",
    ),
    (
        "no path to the file of an index",
        "path: ./passages.db", 'path: ""',
        """\
  line 14: knowledge.indexes.main.path
    expected  a file on a disk of this machine
    found     ""
    example   path: ./passages.db""",
    ),
    (
        "an embedded index in a bucket",
        "path: ./passages.db", "path: s3://bucket/passages.db",
        """\
  line 14: knowledge.indexes.main.path
    expected  a file on a disk of this machine
    found     a URL
    example   path: ./passages.db""",
    ),
    (
        "two embedded indexes in one file",
        "    search:", "    copy: {store: sqlite, path: notes/../passages.db}\n    search:",
        """\
  line 15: knowledge.indexes.copy.path
    expected  a place of its own for each index
    found     the same as knowledge.indexes.main
    example   path: ./passages_2.db""",
    ),
    (
        "two indexes of one name in one cluster",
        "    search:", "    copy: {store: opensearch, hosts: b, index: passages}\n    search:",
        """\
  line 16: knowledge.indexes.search.index
    expected  a place of its own for each index
    found     the same as knowledge.indexes.copy
    example   index: passages_2""",
    ),
    (
        "two writers of one file",
        "path: ./passages.db", "path: ./passages.db, writers: 4",
        """\
  line 14: knowledge.indexes.main.writers
    expected  a whole number from 1 to 64; only 1 for sqlite and kendra
    found     4
    example   writers: 1""",
    ),
    (
        "basic without a login",
        "index: passages}", "index: passages, auth: basic}",
        """\
  line 15: knowledge.indexes.search.user
    expected  user and password with auth: basic
    found     no user and no password
    example   user: headrace""",
    ),
    (
        "a login that nothing uses",
        "index: passages}", "index: passages, user: me, password: '${PW:-x}'}",
        """\
  line 15: knowledge.indexes.search.auth
    expected  auth: basic with user and password
    found     user or password, which auth: none does not use
    example   auth: basic""",
    ),
    (
        "money without a price",
        "provider: static", "budget: {money: 5}",
        """\
  line 16: knowledge.embed.budget.price_per_million_tokens
    expected  what a million tokens cost, to know what money buys
    found     money without it
    example   price_per_million_tokens: 0.02""",
    ),
    (
        "a call that may take no time",
        "provider: static", "timeout: 0s",
        """\
  line 16: knowledge.embed.timeout
    expected  a duration such as 90s, 15m, 12h or 7 days, above 0
    found     "0s"
    example   timeout: 30s""",
    ),
    (
        "a secret where its value would be written down",
        "path: ./notes", "path: {secret: env:HOME}",
        """\
  line 10: knowledge.documents.notes.path
    expected  no secret here, as this value is written into tables or logs
    found     a secret
    example   password: {secret: env:OPENSEARCH_PASSWORD}
    Secrets may stand in knowledge.indexes.*.password, knowledge.indexes.*.url, knowledge.indexes.*.options, \
knowledge.embed.key, knowledge.embed.headers, knowledge.embed.arguments, knowledge.models.*.key, \
knowledge.models.*.headers, knowledge.models.*.arguments.""",
    ),
    (
        "a second model called as the first",
        "  indexes:", "  models: {embed: {provider: minilm}}\n  indexes:",
        """\
  line 13: knowledge.models.embed
    expected  another name
    found     the name of the model under knowledge.embed
    example   better: {provider: minilm}""",
    ),
    (
        "a secret from a place nobody knows",
        "store: sqlite, path: ./passages.db", "store: pgvector, url: {secret: vault/x}",
        """\
  line 14: knowledge.indexes.main.url.secret
    expected  env: and the name of a variable, or aws: and a name in Secrets Manager
    found     something else
    example   url: {secret: env:PGVECTOR_URL}""",
    ),
]  # fmt: skip


def report(tmp_path: Path, text: str) -> str:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(file, {})
    return str(raised.value).removeprefix(str(file))


@pytest.mark.parametrize(("before", "after", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_section_is_refused_with_this_message(before, after, message, tmp_path):
    assert before in GOOD
    assert report(tmp_path, GOOD.replace(before, after, 1)) == f" has 1 problem:\n\n{message}"


NO_TABLES = """\
  line {line}: tables
    expected  tables by name, or knowledge
    found     nothing
    example   tables: {{users: {{source: feed, key: [userId]}}}}"""


@pytest.mark.parametrize("text", ["lake: x\n", "lake: x\nknowledge:\n", "lake: x\nsources: {}\n"])
def test_settings_with_nothing_to_do_are_refused(text, tmp_path):
    assert report(tmp_path, text) == f" has 1 problem:\n\n{NO_TABLES.format(line=1)}"


def test_settings_with_nothing_to_do_are_told_so_beside_what_else_is_wrong(tmp_path):
    found = report(tmp_path, "lake: [x]\ntables: {}\n")
    assert found.startswith(" has 2 problems:") and NO_TABLES.format(line=2) in found


def test_tables_without_sources_are_told_about_the_sources_once(tmp_path):
    found = report(tmp_path, "lake: x\ntables: {a: {source: s, key: id}, b: {source: s, key: id}}\n")
    assert found.startswith(" has 1 problem:\n\n  line 1: sources\n    expected  sources by name\n")


def test_a_misspelt_section_is_not_told_as_missing_too(tmp_path):
    found = report(tmp_path, "lake: x\ntabels: {a: {source: s, key: id}}\n")
    assert found.startswith(" has 1 problem:") and found.endswith("Did you mean tables?")


def test_all_that_does_not_fit_is_listed_at_once(tmp_path):
    text = GOOD.replace("events: uploads", "events: shop").replace("table: users", "table: nobody")
    text = text.replace("    search:", "    copy: {store: sqlite, path: passages.db}\n    search:")
    found = report(tmp_path, text)
    for place in ("documents.notes.events", "documents.people.table", "indexes.copy.path"):
        assert f": knowledge.{place}\n" in found
