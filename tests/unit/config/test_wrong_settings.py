"""Every wrong settings file beside its exact message."""

from pathlib import Path

import pytest

from headrace import config_fit, tables
from headrace.config_file import load
from headrace.config_names import RESERVED
from headrace.config_problems import WrongSettings
from headrace.errors import ConfigError

GOOD = """\
lake: ./lake
sources:
  feed:
    from: files
    path: ./in
    format: json
    position: [seq]
  shop:
    from: kafka
    servers: "127.0.0.1:9092"
    topics: ["src.public.*"]
    format: debezium
tables:
  users:
    source: feed
    key: [id]
    drop: [seq]
  bookings:
    source: shop
    key: [id]
"""

CASES = [
    # (what it is, text to replace, replacement, the report after its first line)
    (
        "two ways to sign in to Kafka",
        'topics: ["src.public.*"]\n',
        'topics: ["src.public.*"]\n    auth: {kind: msk-iam, region: eu-central-1}\n'
        "    options: {kafka.sasl.mechanism: PLAIN}\n",
        """\
  line 13: sources.shop.options
    expected  no option of security beside auth, which sets them all
    found     kafka.sasl.mechanism
    example   auth: {kind: msk-iam, region: eu-central-1}""",
    ),
    (
        "an unknown key",
        "    key: [id]\n    drop", "    kye: [id]\n    drop",
        """\
  line 16: tables.users.kye
    expected  a known key
    found     an unknown key
    example   key: [userId]
    Did you mean key?""",
    ),
    (
        "an unknown key that resembles none",
        "lake: ./lake", "lake: ./lake\nzebra: 1",
        """\
  line 2: zebra
    expected  one of the keys lake, runtime, sources, tables, derive, serve, knowledge, profiles, feedback, \
datasets, assistant, alerts, checkpoints, log, rejects, apply, metrics, web, spark
    found     an unknown key
    example   lake: ./lake""",
    ),
    (
        "a missing key",
        "lake: ./lake\n", "",
        """\
  line 1: lake
    expected  a folder, s3://bucket/folder or /Volumes/...
    found     nothing
    example   lake: ./lake""",
    ),
    (
        "no source of such a name",
        "source: feed", "source: fed",
        """\
  line 15: tables.users.source
    expected  one of the sources (feed, shop)
    found     "fed"
    example   source: feed
    Did you mean feed?""",
    ),
    (
        "a transport that does not exist",
        "from: files", "from: ftp",
        """\
  line 4: sources.feed.from
    expected  one of files, kafka, kinesis, api
    found     "ftp"
    example   from: kafka""",
    ),
    (
        "a format that does not exist",
        "format: debezium", "format: maxwell",
        """\
  line 12: sources.shop.format
    expected  one of json, debezium, dms, dynamodb, objects, snapshot
    found     "maxwell"
    example   format: debezium""",
    ),
    (
        "plain rows without a position",
        "    position: [seq]\n", "",
        """\
  line 3: sources.feed.position
    expected  the columns that order rows, or arrival
    found     format: json without it
    example   position: [updated_at]""",
    ),
    (
        "dumps ordered by arrival",
        "format: json\n    position: [seq]", "format: snapshot\n    position: arrival",
        """\
  line 7: sources.feed.position
    expected  the column that says when the dump was taken
    found     arrival
    example   position: [exported_at]""",
    ),
    (
        "an operation column where the format has its own",
        "format: debezium", "format: debezium\n    operation: {column: op}",
        """\
  line 13: sources.shop.operation
    expected  nothing, as this format says itself what happened to a row
    found     an operation column for format: debezium
    example   format: json""",
    ),
    (
        "a number where a list of names is expected",
        "key: [id]\n    drop", "key: 5\n    drop",
        """\
  line 16: tables.users.key
    expected  the columns that identify a row, as the source names them
    found     5
    example   key: [userId]""",
    ),
    (
        "a wrong position column",
        "position: [seq]", "position: [{colum: seq}]",
        """\
  line 7: sources.feed.position[0].colum
    expected  a known key
    found     an unknown key
    example   position: [{column: updated_at}]
    Did you mean column?""",
    ),
    (
        "an epoch out of range",
        "path: ./in", "path: ./in\n    epoch: 10000",
        """\
  line 6: sources.feed.epoch
    expected  a whole number from 0 to 9999
    found     10000
    example   epoch: 1""",
    ),
    (
        "a key column that is dropped",
        "drop: [seq]", "drop: [seq, id]",
        """\
  line 17: tables.users.drop
    expected  no key column
    found     id
    example   key: [id]""",
    ),
    (
        "an expression for a key column",
        "drop: [seq]", "columns: {id: upper(id)}",
        """\
  line 17: tables.users.columns.id
    expected  key columns to stay as the source sends them
    found     an expression
    example   columns: {email: sha2(email, 256)}""",
    ),
    (
        "both lists of history",
        "drop: [seq]", "history: {track: [a], ignore: [b]}",
        """\
  line 17: tables.users.history
    expected  either track or ignore
    found     both
    example   history: {track: [status, price]}""",
    ),
    (
        "a tracked column that is dropped",
        "drop: [seq]", "drop: [seq]\n    history: {track: [seq]}",
        """\
  line 18: tables.users.history.track
    expected  columns that are kept
    found     seq, which drop names too
    example   drop: []""",
    ),
    (
        "a data-quality rule that says nothing",
        "drop: [seq]", "expect: [{column: price}]",
        """\
  line 17: tables.users.expect[0]
    expected  a column with a rule (not_null, min, max, values, pattern), or check alone: a SQL condition
    found     no rule
    example   {column: price, min: 0}""",
    ),
    (
        "a limit that is neither number nor text",
        "drop: [seq]", "expect: [{column: price, min: [1]}]",
        """\
  line 17: tables.users.expect[0].min
    expected  a number or text
    found     a list of 1
    example   min: 0""",
    ),
    (
        "a type that Spark does not know",
        "drop: [seq]", "types: {price: money}",
        """\
  line 17: tables.users.types.price
    expected  a Spark type such as bigint, decimal(10,2), array<string> or timestamp from millis
    found     "money"
    example   price: decimal(10,2)""",
    ),
    (
        "a duration that is none",
        "drop: [seq]", "maintenance: {vacuum_every: soon}",
        """\
  line 17: tables.users.maintenance.vacuum_every
    expected  a duration such as 90s, 15m, 12h or 7 days
    found     "soon"
    example   vacuum_every: 1 day""",
    ),
    (
        "tombstones that are forgotten too early",
        "drop: [seq]", "maintenance: {purge_tombstones_after: 36h}",
        """\
  line 17: tables.users.maintenance.purge_tombstones_after
    expected  at least 30 days, as long as rejects.keep, or an old event would revive a deleted row
    found     36h
    example   purge_tombstones_after: 30 days""",
    ),
    (
        "two tables that read the same source table",
        "  bookings:\n",
        "  others:\n    source: shop\n    source_table: bookings\n    key: [id]\n  bookings:\n",
        """\
  line 22: tables.bookings
    expected  one table for each source table
    found     tables.others reading bookings of shop as well
    example   source_table: public.bookings""",
    ),
    (
        "a lake inside the folder that is read",
        "lake: ./lake\n", "lake: ./in/lake\n",
        """\
  line 5: sources.feed.path
    expected  a folder without the lake, or the job reads what it writes
    found     a folder the lake lies in
    example   path: ./in""",
    ),
    (
        "a table name that no folder should have",
        "  bookings:", "  ../bookings:",
        """\
  line 18: tables."../bookings"
    expected  a name of letters, digits and _, at most 100, not starting with a digit
    found     "../bookings"
    example   users: {source: feed, key: [userId]}""",
    ),
    (
        "nothing where a table is expected",
        "  bookings:\n    source: shop\n    key: [id]\n", "  bookings:\n",
        """\
  line 18: tables.bookings
    expected  a table: a mapping with source and key
    found     nothing
    example   users: {source: feed, key: [userId]}""",
    ),
    (
        "the same key twice",
        "drop: [seq]", "drop: [seq]\n    source: shop",
        """\
  line 18: tables.users.source
    expected  each key once
    found     it again, first on line 15""",
    ),
    (
        "text that is no YAML",
        "drop: [seq]", "drop: [seq",
        """\
  line 18
    expected  a YAML file
    found     expected ',' or ']', but got ':' (column 11)
    Indent with spaces, and put quotes around text that holds `: `, ` #`, or starts with * & ! % @ or `.""",
    ),
    (
        "a tab as indentation",
        "    drop: [seq]", "\tdrop: [seq]",
        """\
  line 17
    expected  a YAML file
    found     found character '\\t' that cannot start any token (column 1)
    Indent with spaces, and put quotes around text that holds `: `, ` #`, or starts with * & ! % @ or `.""",
    ),
    (
        "a variable that is not set",
        "path: ./in", "path: ${FOLDER}",
        """\
  line 5: sources.feed.path
    expected  the environment variable FOLDER
    found     no such variable
    example   export FOLDER=...
    Set it, or write ${FOLDER:-default}.""",
    ),
    (
        "a variable that is not closed",
        "path: ./in", "path: ${FOLDER",
        """\
  line 5: sources.feed.path
    expected  ${NAME} or ${NAME:-default}
    found     ${ without a name and }
    example   path: ${FOLDER}
    Write $${ where the text itself holds ${.""",
    ),
    (
        "a secret that is not set",
        "format: debezium", "format: debezium\n    options: {kafka.ssl.key.password: {secret: env:KEY_PASSWORD}}",
        """\
  line 13: sources.shop.options."kafka.ssl.key.password".secret
    expected  the environment variable KEY_PASSWORD
    found     no such variable
    example   export KEY_PASSWORD=...""",
    ),
    (
        "a secret from a place nobody knows",
        "format: debezium", "format: debezium\n    options: {kafka.ssl.key.password: {secret: vault/x}}",
        """\
  line 13: sources.shop.options."kafka.ssl.key.password".secret
    expected  env: and the name of a variable, or aws: and a name in Secrets Manager
    found     something else
    example   kafka.ssl.key.password: {secret: env:KEY_PASSWORD}""",
    ),
    (
        "a secret where its value would be written down",
        "drop: [seq]", "properties: {delta.x: {secret: env:HOME}}",
        """\
  line 17: tables.users.properties."delta.x"
    expected  no secret here, as this value is written into tables or logs
    found     a secret
    example   kafka.ssl.key.password: {secret: env:KEY_PASSWORD}
    Secrets may stand in sources.*.options, sources.*.registry.password, sources.*.registry.token, \
sources.*.headers, serve.stores.*.uri, profiles.stores.*.uri, profiles.hash_key, feedback.publish.*.password, \
feedback.hash_key, datasets.key, datasets.sets.*.evaluate.*.key, datasets.sets.*.evaluate.*.headers, \
assistant.model.key, \
assistant.model.headers, assistant.answers.fallback.*.key, \
assistant.answers.fallback.*.headers, assistant.conversations.store.uri, assistant.events.options, \
assistant.judge.model.key, assistant.judge.model.headers, alerts.outputs.*.secret, alerts.outputs.*.headers, \
web.readers.*.token.""",
    ),
    (
        "two tables on plain rows that do not say which they are of",
        "    source: shop\n", "    source: feed\n",
        """\
  line 3: sources.feed.table
    expected  the column that names each row's table, as several tables read this source
    found     no such column for users, bookings
    example   table: table_name""",
    ),
    (
        "two names that differ by case",
        "  bookings:", "  Users:",
        """\
  line 18: tables.Users
    expected  names that differ by more than case, which SQL and many file systems do not tell apart
    found     tables.users as well
    example   Users_2: ...""",
    ),
    (
        "a key column twice",
        "    key: [id]\n    drop", "    key: [id, id]\n    drop",
        """\
  line 16: tables.users.key
    expected  each key column once
    found     id twice
    example   key: [id]""",
    ),
    (
        "a key column twice in two spellings",
        "    key: [id]\n    drop", "    key: [id, ID]\n    drop",
        """\
  line 16: tables.users.key
    expected  each key column once
    found     id and ID
    example   key: [id]""",
    ),
    (
        "a key column masked in another spelling",
        "    key: [id]\n    drop", "    key: [id]\n    mask: [ID]\n    drop",
        """\
  line 17: tables.users.mask
    expected  no key column, as the log and the rejects tell rows by their key
    found     ID
    example   mask: [email]""",
    ),
    (
        "a key column dropped in another spelling",
        "    key: [id]\n    drop: [", "    key: [id]\n    drop: [Id, ",
        """\
  line 17: tables.users.drop
    expected  no key column
    found     Id
    example   key: [id]""",
    ),
    (
        "an operation with two meanings",
        "    position: [seq]", "    position: [seq]\n    operation: {column: op, delete: [D, X], upsert: [X]}",
        """\
  line 8: sources.feed.operation.upsert
    expected  values that mean one thing each
    found     X in delete as well
    example   {delete: [D], upsert: [I, U]}""",
    ),
]  # fmt: skip


def report(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> str:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(file, environ or {})
    return str(raised.value)


@pytest.mark.parametrize(("before", "after", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_file_is_refused_with_this_message(before, after, message, tmp_path):
    assert before in GOOD
    found = report(tmp_path, GOOD.replace(before, after, 1))
    first, _, rest = found.partition("\n\n")
    assert first == f"{tmp_path}/headrace.yaml has 1 problem:"
    assert rest == message


def test_a_key_of_the_other_transport_is_unknown_and_the_right_ones_are_listed(tmp_path):
    found = report(tmp_path, GOOD.replace("path: ./in", "path: ./in\n    servers: a:1"))
    assert "  line 6: sources.feed.servers\n    expected  one of the keys format, position, " in found
    listed = found.split("one of the keys ")[1].splitlines()[0].split(", ")
    assert {"from", "path", "encoding"} <= set(listed) and not {"servers", "topics", "transport"} & set(listed)


def test_all_problems_are_listed_at_once_in_the_order_of_the_file(tmp_path):
    text = GOOD.replace("format: json", "format: xml").replace("key: [id]", "kez: [id]").replace("servers", "server")
    file = tmp_path / "headrace.yaml"
    file.write_text(text + "aply: {}\n")
    with pytest.raises(WrongSettings) as raised:
        load(file, {})
    assert [problem.path[-1] for problem in raised.value.problems] == ["format", "server", "kez", "kez", "aply"]
    assert str(raised.value).startswith(f"{file} has 5 problems:")


@pytest.mark.parametrize("text", ["", "# only a remark\n", "null\n"])
def test_an_empty_file_is_told_what_belongs_there(text, tmp_path):
    assert "expected  settings: lake, sources and tables\n    found     an empty file" in report(tmp_path, text)


def test_a_missing_file_points_to_init(tmp_path):
    with pytest.raises(ConfigError, match=r"found no such file.*headrace init"):
        load(tmp_path / "nope.yaml")


def test_a_folder_and_bytes_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="found is a directory"):
        load(tmp_path)
    (tmp_path / "x.yaml").write_bytes(b"lake: \xff")
    with pytest.raises(ConfigError, match="found a byte that is not UTF-8 at 6"):
        load(tmp_path / "x.yaml")


def test_yaml_that_would_grow_without_end_is_refused(tmp_path):
    assert "nested so deeply" in report(tmp_path, "a: &a [*a]\n")
    doubling = "".join(f"k{n}: &k{n} [{f'*k{n - 1}, ' * 9 if n else 1}]\n" for n in range(9))
    assert "nested so deeply" in report(tmp_path, doubling)


REFUSED = [
    # (lines for the table `users`, the key and what was found)
    ("columns: {_position: id}", "tables.users.columns._position", "_position"),
    ("columns: {_Op: id}", "tables.users.columns._Op", "_Op"),
    ("columns: {a.b: id, A.b: id}", 'tables.users.columns."A.b"', "columns.a.b as well"),
    ("columns: {ID: upper(id)}", "tables.users.columns.ID", "an expression"),
    ("columns: {a: ''}", "tables.users.columns.a", '""'),
    ("where: ''", "tables.users.where", '""'),
    ("source_table: ''", "tables.users.source_table", '""'),
    ("expect: [{column: a, min: 1, max: b}]", "tables.users.expect[0].max", "1.0 and 'b'"),
    ("properties: {headrace.format: 9}", 'tables.users.properties."headrace.format"', "headrace.format"),
    ("properties: {delta.appendOnly: true}", 'tables.users.properties."delta.appendOnly"', "true"),
    ("maintenance: {vacuum_keep: 0s}", "tables.users.maintenance.vacuum_keep", '"0s"'),
]


@pytest.mark.parametrize(("line", "key", "found"), REFUSED)
def test_a_table_that_cannot_be_kept_is_refused_by_its_key(line, key, found, tmp_path):
    told = report(tmp_path, GOOD.replace("    key: [id]\n    drop", f"    key: [id]\n    {line}\n    drop", 1))
    first, place, _, said, *_ = [line for line in told.splitlines() if line]
    assert (first.rpartition(" has ")[2], place) == ("1 problem:", f"  line 17: {key}")
    assert said == f"    found     {found}"


@pytest.mark.parametrize(
    ("lines", "key", "found"),
    [
        ("lake: gs://bucket/lake", "lake", "the scheme gs://"),
        ("lake: ./lake\ncheckpoints: hdfs://a/b", "checkpoints", "the scheme hdfs://"),
        ("lake: ./lake\ncheckpoints: ./lake/tables/x", "checkpoints", "a folder in tables/ of the lake"),
        ("lake: s3://a/b/\ncheckpoints: s3://a/b/history", "checkpoints", "a folder in history/ of the lake"),
    ],
)
def test_places_that_cannot_hold_a_lake_or_checkpoints_are_refused(lines, key, found, tmp_path):
    told = report(tmp_path, GOOD.replace("lake: ./lake", lines, 1))
    assert f": {key}\n    expected  a folder" in told and f"    found     {found}\n" in told


@pytest.mark.parametrize("key", ["_position", "_Current"])
def test_a_key_is_no_system_column(key, tmp_path):
    told = report(tmp_path, GOOD.replace("    key: [id]\n    drop", f"    key: [{key}]\n    drop", 1))
    assert f"tables.users.key\n    expected  columns of the source\n    found     {key}, a name" in told


@pytest.mark.parametrize(
    ("option", "refused"),
    [
        ("kafka.ssl.key.password: hunter2", True),
        ("kafka.sasl.oauthbearer.client.credentials.client.secret: hunter2", True),
        ("kafka.ssl.keystore.key: hunter2", True),
        ("kafka.sasl.jaas.config: 'x.PlainLoginModule required username=a password=hunter2;'", True),
        ("kafka.sasl.jaas.config: software.amazon.msk.auth.iam.IAMLoginModule required;", False),
        ("kafka.ssl.keystore.location: /certificates/a.jks", False),
        ("kafka.ssl.key.password: '${PW}'", False),
    ],
)
def test_a_credential_in_plain_text_is_refused_and_not_shown(option, refused, tmp_path):
    text = GOOD.replace("    format: debezium", f"    options: {{{option}}}\n    format: debezium", 1)
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    if not refused:
        assert load(file, {"PW": "hunter2"}).sources
        return
    told = report(tmp_path, text)
    name = option.partition(":")[0]
    assert f'sources.shop.options."{name}"\n    expected  a secret from the environment' in told
    assert f"example   {name}: {{secret: env:NAME}}" in told and "hunter2" not in told and "1 problem" in told


def test_what_headrace_calls_its_own_is_known_to_the_settings():
    contracts = [one for one in vars(tables).values() if isinstance(one, tables.TableContract)]
    places = {*(contract.path.partition("/")[0] for contract in contracts), "tables", "history"}
    assert set(tables.SYSTEM_COLUMNS) <= RESERVED and places == config_fit.TABLE_FOLDERS


LOGIN = "username: a, password: {secret: env:PW}"


@pytest.mark.parametrize(
    ("registry", "key", "expected", "found"),
    [
        ("{kind: confluence}", "registry.kind", "one of confluent, glue", '"confluence"'),
        ("{url: 'http://r'}", "registry.kind", "one of confluent, glue", "nothing"),
        ("{kind: confluent}", "registry.url", "the URL of the registry, without a login", "nothing"),
        (
            "{kind: confluent, url: 'https://a:hunter2@r'}", "registry.url",
            "a URL without user and password", "one with a login in it, not shown",
        ),
        ("{kind: confluent, url: 'r:8081'}", "registry.url", "an http or https URL", "the scheme r"),
        ("{kind: confluent, url: 'https://[r'}", "registry.url", "an http or https URL", "one that cannot be read"),
        (
            "{kind: confluent, url: 'http://r', username: a}", "registry.password",
            "username and password together", "no password",
        ),
        (
            "{kind: confluent, url: 'http://r', password: {secret: env:PW}}", "registry.username",
            "username and password together", "no username",
        ),
        (
            "{kind: confluent, url: 'http://r', token: hunter2}", "registry.token",
            "a secret from the environment", "a credential as plain text, not shown",
        ),
        (
            "{kind: confluent, url: 'http://r', username: a, password: hunter2}", "registry.password",
            "a secret from the environment", "a credential as plain text, not shown",
        ),
        (
            f"{{kind: confluent, url: 'http://r', token: {{secret: env:PW}}, {LOGIN}}}", "registry.token",
            "either a token or username and password", "both",
        ),
        ("{kind: glue, external_id: x}", "registry.external_id", "role_arn beside it", "none"),
        ("{kind: glue, url: 'http://r'}", "registry.url", "one of the keys kind, region", "an unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_registry_is_refused_and_no_credential_is_shown(registry, key, expected, found, tmp_path):
    (tmp_path / "headrace.yaml").write_text(
        GOOD.replace("    format: debezium", f"    registry: {registry}\n    format: debezium", 1)
    )
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "headrace.yaml", {"PW": "hunter2"})
    told = str(raised.value)
    assert f"sources.shop.{key}\n    expected  {expected}" in told
    assert f"    found     {found}\n" in told
    assert "hunter2" not in told and "1 problem" in told


def test_the_registry_of_a_source_loads_with_its_secret_and_its_file(tmp_path):
    registry = f"{{kind: confluent, url: 'https://r:8081', ca_file: ./ca.pem, {LOGIN}}}"
    (tmp_path / "headrace.yaml").write_text(
        GOOD.replace("    format: debezium", f"    registry: {registry}\n    format: debezium", 1)
    )
    config = load(tmp_path / "headrace.yaml", {"PW": "hunter2"})
    found = config.sources["shop"].registry
    assert found.password.get_secret_value() == "hunter2"
    assert found.ca_file == str(tmp_path / "ca.pem")
    assert "hunter2" not in repr(config) + config.model_dump_json()


DOCUMENTS = "knowledge:\n  documents: {docs: {from: folder, path: ./docs}}\n"
SQLITE = "  indexes: {s: {store: sqlite, path: ./s.db}}\n"
TRUSTING = {
    "sources.shop.registry": GOOD.replace(
        "    format: debezium",
        f"    format: debezium\n    registry: {{kind: confluent, url: 'https://r:8081', ca: ./ca.pem, {LOGIN}}}",
        1,
    ),
    "knowledge.embed": GOOD + DOCUMENTS + SQLITE + (
        "  embed: {provider: http, url: 'https://m/v1', model: m, dimension: 3, ca: ./ca.pem}\n"
    ),
    "knowledge.indexes.s": GOOD + DOCUMENTS + (
        "  indexes: {s: {store: opensearch, hosts: [h], index: i, ca: ./ca.pem}}\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", TRUSTING)
def test_the_old_name_of_a_file_of_certificates_leads_to_the_new_one(tmp_path, place):
    (tmp_path / "headrace.yaml").write_text(TRUSTING[place])
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "headrace.yaml", {"PW": "hunter2"})
    told = str(raised.value)
    assert f"{place}.ca\n    expected  a known key\n" in told and "Did you mean ca_file?" in told
    assert "1 problem" in told
    (tmp_path / "headrace.yaml").write_text(TRUSTING[place].replace("ca: ./ca.pem", "ca_file: ./ca.pem"))
    config = load(tmp_path / "headrace.yaml", {"PW": "hunter2"})
    assert str(tmp_path / "ca.pem") in str(config.model_dump())
