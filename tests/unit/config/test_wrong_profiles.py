"""Every wrong section `profiles` beside its exact message."""

from pathlib import Path

import pytest

from headrace.config_file import load
from headrace.errors import ConfigError

GOOD = """\
lake: ./lake
sources:
  shop: {from: kafka, servers: "127.0.0.1:9092", topics: [shop], format: debezium}
tables:
  users: {source: shop, key: [id]}
  orders: {source: shop, key: [shop_id, order_id]}
profiles:
  hash_key: {secret: env:HASH_KEY}
  records:
    web: {table: users, identifiers: {email: mail}}
    till: {table: orders, identifiers: {email: mail}}
  identifiers:
    email: {normalise: email}
  fields:
    name: {choose: source, order: [web]}
  related:
    orders: {table: orders, by: {web: user_id}}
  windows: [1h, 24h]
  stores:
    main: {store: sqlite, path: ./profiles.db}
"""
ENVIRON = {"HASH_KEY": "sixteen-letters-or-more", "SHORT": "hunter2"}


def report(folder: Path, text: str) -> str:
    (folder / "headrace.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(folder / "headrace.yaml", ENVIRON)
    return str(raised.value)


CASES = [
    # (what it is, text to replace, replacement, the report after its first line)
    (
        "records of a table that is not there",
        "web: {table: users", "web: {table: user",
        """\
  line 10: profiles.records.web.table
    expected  one of the tables (orders, users)
    found     "user"
    example   table: orders
    Did you mean users?""",
    ),
    (
        "rows of a table that is not there",
        "orders: {table: orders", "orders: {table: basket",
        """\
  line 17: profiles.related.orders.table
    expected  one of the tables (orders, users)
    found     "basket"
    example   table: orders""",
    ),
    (
        "records called as an identifier is",
        "    till: ", "    email: ",
        """\
  line 11: profiles.records.email
    expected  a name that no identifier has, as `by` names both
    found     email
    example   email_records: ...""",
    ),
    (
        "a kind made of one that is made itself",
        "email: {normalise: email}", "email: {normalise: email}\n    a: {of: [email, born]}\n    b: {of: [a, email]}",
        """\
  line 15: profiles.identifiers.b.of
    expected  kinds that are not made of others
    found     a
    example   of: [family_name, born]""",
    ),
    (
        "a column for a kind that is made of others",
        "email: {normalise: email}", "email: {of: [given_name, family_name]}",
        """\
  line 13: profiles.identifiers.email.of
    expected  no column of its own in records, as it is made of its parts
    found     one for email
    example   email: {normalise: text}""",
    ),
    (
        "a kind made of one other",
        "email: {normalise: email}", "email: {normalise: email}\n    a: {of: [email]}",
        """\
  line 14: profiles.identifiers.a.of
    expected  at least two kinds
    found     email
    example   of: [family_name, born]""",
    ),
    (
        "a key for hashes that is short",
        "env:HASH_KEY", "env:SHORT",
        """\
  line 8: profiles.hash_key
    expected  a secret of at least 16 characters
    found     7 of them
    example   hash_key: {secret: env:HEADRACE_HASH_KEY}""",
    ),
    (
        "a key for hashes as plain text",
        "{secret: env:HASH_KEY}", "hunter2-hunter2-hunter2",
        """\
  line 8: profiles.hash_key
    expected  a secret from the environment
    found     a credential as plain text, not shown
    example   hash_key: {secret: env:HEADRACE_HASH_KEY}""",
    ),
    (
        "no key for hashes",
        "  hash_key: {secret: env:HASH_KEY}\n", "",
        """\
  line 7: profiles.hash_key
    expected  a secret of at least 16 characters
    found     nothing
    example   hash_key: {secret: env:HEADRACE_HASH_KEY}""",
    ),
    (
        "no kind that links",
        "email: {normalise: email}", "email: {normalise: email, links: false}",
        """\
  line 12: profiles.identifiers
    expected  a kind that links; without one every record is a person
    found     none
    example   email: {normalise: email}""",
    ),
    (
        "a window of half hours",
        "windows: [1h, 24h]", "windows: [90m]",
        """\
  line 18: profiles.windows
    expected  whole hours
    found     1:30:00
    example   windows: [1h, 24h, 7d, 30d]""",
    ),
    (
        "a window of nothing",
        "windows: [1h, 24h]", "windows: [0h]",
        """\
  line 18: profiles.windows
    expected  whole hours
    found     0:00:00
    example   windows: [1h, 24h, 7d, 30d]""",
    ),
    (
        "two stores in one file",
        "main: {store: sqlite, path: ./profiles.db}",
        "main: {store: sqlite, path: ./profiles.db}\n    more: {store: sqlite, path: profiles.db}",
        """\
  line 21: profiles.stores.more.path
    expected  a place of its own
    found     the same as profiles.stores.main
    example   path: ...""",
    ),
    (
        "two stores in one table",
        "main: {store: sqlite, path: ./profiles.db}",
        "main: {store: dynamodb, table: people}\n    more: {store: dynamodb, table: people}",
        """\
  line 21: profiles.stores.more.table
    expected  a place of its own
    found     the same as profiles.stores.main
    example   table: ...""",
    ),
    (
        "two stores in one collection, the address not shown",
        "main: {store: sqlite, path: ./profiles.db}",
        "main: {store: documentdb, uri: {secret: env:SHORT}}\n    more: {store: documentdb, uri: {secret: env:SHORT}}",
        """\
  line 21: profiles.stores.more.collection
    expected  a place of its own
    found     the same as profiles.stores.main
    example   collection: ...""",
    ),
    (
        "rows whose owner is neither record nor identifier",
        "by: {web: user_id}", "by: {wep: user_id}",
        """\
  line 17: profiles.related.orders.by.wep
    expected  one of the records and identifiers (email, till, web)
    found     wep
    example   by: {email: ...}""",
    ),
    (
        "rows owned by records with a key of two columns",
        "by: {web: user_id}", "by: {till: order_id}",
        """\
  line 17: profiles.related.orders.by.till
    expected  records with a key of one column
    found     shop_id, order_id
    example   by: {email: mail}""",
    ),
    (
        "an order of records that names one that is not there",
        "order: [web]", "order: [desk]",
        """\
  line 15: profiles.fields.name.order
    expected  one of the records (till, web)
    found     desk
    example   order: till""",
    ),
    (
        "a country for what is no phone number",
        "email: {normalise: email}", "email: {normalise: email, region: DE}",
        """\
  line 13: profiles.identifiers.email.region
    expected  normalise: phone beside it
    found     email
    example   normalise: phone""",
    ),
    (
        "what two records must agree in, of a kind that links nothing",
        "email: {normalise: email}", "email: {normalise: email}\n    name: {links: false, agree: [email]}",
        """\
  line 14: profiles.identifiers.name.agree
    expected  links: true beside it
    found     links: false
    example   links: true""",
    ),
    (
        "a file that is a URL",
        "path: ./profiles.db", "path: s3://b/profiles.db",
        """\
  line 20: profiles.stores.main.path
    expected  a file on a disk of this machine
    found     a URL
    example   path: ./profiles.db""",
    ),
    (
        "an address with a password as plain text",
        "{store: sqlite, path: ./profiles.db}", '{store: documentdb, uri: "mongodb://me:hunter2@h"}',
        """\
  line 20: profiles.stores.main.uri
    expected  a secret from the environment
    found     a credential as plain text, not shown
    example   uri: {secret: env:DOCUMENTDB_URI}""",
    ),
    (
        "a store that does not exist",
        "store: sqlite", "store: redis",
        """\
  line 20: profiles.stores.main.store
    expected  one of sqlite, documentdb, dynamodb, neptune
    found     "redis"
    example   store: sqlite""",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_section_is_refused_with_this_message(before, after, message, tmp_path):
    assert before in GOOD
    found = report(tmp_path, GOOD.replace(before, after, 1))
    first, _, rest = found.partition("\n\n")
    assert first == f"{tmp_path}/headrace.yaml has 1 problem:"
    assert rest == message
    assert "hunter2" not in found


def test_profiles_without_a_wrong_line_load_and_their_key_never_prints(tmp_path):
    (tmp_path / "headrace.yaml").write_text(GOOD)
    config = load(tmp_path / "headrace.yaml", ENVIRON)
    assert config.profiles.tables() == {
        "users": ["profiles.records.web.table"],
        "orders": ["profiles.records.till.table", "profiles.related.orders.table"],
    }
    assert config.profiles.stores["main"].path == str(tmp_path / "profiles.db")
    assert "sixteen" not in repr(config) + config.model_dump_json()
