"""What `init` proposes for records of every format, and that its proposals load."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.cli import main
from headrace.config_file import load
from headrace.pipelines.init import render
from headrace.pipelines.proposal import propose
from headrace.pipelines.samples import Sample

DEBEZIUM = {
    "before": None, "after": {"order_id": 7, "total": "1.50"}, "op": "c",
    "source": {"connector": "postgresql", "schema": "public", "table": "orders", "lsn": 5, "ts_ms": 1},
}  # fmt: skip
DYNAMODB = {
    "eventName": "INSERT", "tableName": "carts", "eventID": "e",
    "dynamodb": {
        "ApproximateCreationDateTime": 1720740233012995, "ApproximateCreationDateTimePrecision": "MICROSECOND",
        "Keys": {"who": {"S": "u"}, "at": {"N": "1"}},
        "NewImage": {"at": {"N": "1"}, "note": {"S": "x"}, "who": {"S": "u"}},
    },
}  # fmt: skip
OBJECTS = {
    "detail-type": "Object Created", "source": "aws.s3", "time": "2026-01-01T00:00:00Z",
    "detail": {"bucket": {"name": "b"}, "object": {"key": "k", "size": 5, "sequencer": "617f08299329d189"}},
}  # fmt: skip
DMS = {
    "data": {"id": 1, "name": "Ada"},
    "metadata": {"record-type": "data", "operation": "insert", "schema-name": "public", "table-name": "people",
                 "timestamp": "2026-01-01T00:00:00.000000Z", "commit-timestamp": "2026-01-01T00:00:00.000000Z",
                 "transaction-id": 1, "transaction-record-id": 1},
}  # fmt: skip


def feed(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def init(tmp_path: Path, folder: str = "in"):
    out = tmp_path / "headrace.yaml"
    assert main(["init", "--from", "files", "--path", str(tmp_path / folder), "--out", str(out)]) == 0
    return load(out)


@pytest.mark.parametrize(
    ("record", "format", "table", "source_table", "key"),
    [
        (DEBEZIUM, "debezium", "orders", "public.orders", ("order_id",)),
        (DYNAMODB, "dynamodb", "carts", None, ("who", "at")),
        (OBJECTS, "objects", "in", None, ("bucket", "key")),
        (DMS, "dms", "people", "public.people", ("id",)),
    ],
)
def test_each_event_format_is_recognised_with_its_tables_and_keys(tmp_path, record, format, table, source_table, key):
    feed(tmp_path / "in" / "a.jsonl", record, record)
    config = init(tmp_path)
    assert config.sources["in"].format == format
    assert config.sources["in"].path == str(tmp_path / "in")
    assert {name: (one.source_table, one.key) for name, one in config.tables.items()} == {table: (source_table, key)}


def test_plain_rows_get_their_key_position_and_operation(tmp_path):
    feed(
        tmp_path / "in" / "a.jsonl",
        {"userId": 1, "name": "Ada", "born": "1815-12-10", "operation": "INSERT", "sequenceNum": 1},
        {"userId": 2, "name": "Bo", "born": "1990-01-31", "operation": "INSERT", "sequenceNum": 2},
        {"userId": 1, "name": "Ada L", "born": "1815-12-10", "operation": "UPDATE", "sequenceNum": 4},
    )
    config = init(tmp_path)
    source, table = config.sources["in"], config.tables["in"]
    assert (source.format, [column.column for column in source.position]) == ("json", ["sequenceNum"])
    assert (source.operation.column, source.operation.delete) == ("operation", ("DELETE",))
    assert (table.key, table.drop, table.types) == (("userId",), ("operation",), {"born": "date"})


def test_values_that_mean_delete_and_truncate_are_taken_as_they_are_written(tmp_path):
    feed(
        tmp_path / "in" / "a.jsonl",
        *[{"id": n, "op": op, "ts": n} for n, op in enumerate(["i", "u", "d", "i", "u", "u", "i", "i", "i", "i"])],
        {"op": "truncate", "ts": 11},
    )
    operation = init(tmp_path).sources["in"].operation
    assert (operation.delete, operation.truncate) == (("d",), ("truncate",))


def test_a_feed_of_several_tables_is_routed_by_its_table_column(tmp_path):
    feed(
        tmp_path / "in" / "a.jsonl",
        {"table_name": "users", "user_id": 1, "version": 1}, {"table_name": "public.seats", "seat_id": 9, "version": 2},
    )  # fmt: skip
    config = init(tmp_path)
    assert config.sources["in"].table == "table_name"
    assert {name: (t.source_table, t.key) for name, t in config.tables.items()} == {
        "users": (None, ("user_id",)), "seats": ("public.seats", ("seat_id",)),
    }  # fmt: skip


def test_dumps_are_recognised_and_csv_columns_get_types(tmp_path):
    (tmp_path / "dumps").mkdir()
    for day in (1, 2):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["hotel_id", "name", "stars", "price", "exported_at"])
        writer.writerows([[n, f"H{n}", n % 5, f"{n}.50", f"2026-01-0{day}T00:00:00"] for n in range(4)])
        (tmp_path / "dumps" / f"{day}.csv").write_text(text.getvalue())
    config = init(tmp_path, "dumps")
    source, table = config.sources["dumps"], config.tables["dumps"]
    assert (source.format, source.position[0].column, table.key) == ("snapshot", "exported_at", ("hotel_id",))
    assert table.types == {"stars": "bigint", "price": "decimal(18,2)"}


def test_parquet_and_avro_files_and_compressed_lines_are_read_too(tmp_path):
    import gzip

    import fastavro

    (tmp_path / "in").mkdir()
    parquet.write_table(pa.table({"order_id": [1, 2], "updated_at": [5, 6]}), tmp_path / "in" / "a.parquet")
    fields = [{"name": name, "type": "long"} for name in ("order_id", "updated_at")]
    with (tmp_path / "in" / "c.avro").open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, [{"order_id": 4, "updated_at": 8}])
    line = json.dumps({"order_id": 3, "updated_at": 7}).encode() + b"\n"
    (tmp_path / "in" / "b.jsonl.gz").write_bytes(gzip.compress(line))
    config = init(tmp_path)
    assert (config.tables["in"].key, config.sources["in"].position[0].column) == (("order_id",), "updated_at")


def test_folders_of_plain_rows_become_a_source_each(tmp_path):
    feed(tmp_path / "in" / "users" / "a.jsonl", {"id": 1, "seq": 1}, {"id": 2, "seq": 2})
    feed(tmp_path / "in" / "seats" / "a.jsonl", {"seat_key": "1A", "lsn": 1}, {"seat_key": "1B", "lsn": 2})
    config = init(tmp_path)
    assert {name: (t.source, t.key) for name, t in config.tables.items()} == {
        "users": ("users", ("id",)), "seats": ("seats", ("seat_key",)),
    }  # fmt: skip
    assert config.sources["seats"].path == str(tmp_path / "in" / "seats")


def test_rows_without_any_order_fall_back_to_arrival_and_say_so(tmp_path, capsys):
    feed(tmp_path / "in" / "a.jsonl", {"id": 1, "name": "Ada"})
    assert main(["init", "--from", "files", "--path", str(tmp_path / "in")]) == 0
    out = capsys.readouterr().out
    assert "position: arrival  # no column looks like an order, so the order of arrival decides: please check" in out


def test_the_message_key_decides_where_there_is_one():
    record = {**DEBEZIUM, "after": {"id": 1, "tenant": "a", "code": "x"}}
    samples = [Sample("t", b'{"schema": {}, "payload": {"tenant": "a", "code": "x"}}', json.dumps(record).encode())]
    assert propose(samples, name="t").tables[0].settings["key"] == ["tenant", "code"]


def test_init_never_overwrites_a_file(tmp_path, capsys):
    feed(tmp_path / "in" / "a.jsonl", DEBEZIUM)
    (tmp_path / "mine.yaml").write_text("precious")
    arguments = ["init", "--from", "files", "--path", str(tmp_path / "in"), "--out", str(tmp_path / "mine.yaml")]
    assert main(arguments) == 2
    assert "expected no such file yet; found a file" in capsys.readouterr().err
    assert (tmp_path / "mine.yaml").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "files"], "--path: expected a folder of files; found nothing"),
        (["--from", "files", "--path", "nowhere"], "nowhere: expected a folder of files; found no such folder"),
        (["--from", "kafka"], "--servers: expected host:port of the brokers; found nothing"),
        (["--from", "kafka", "--servers", "h:1"], "--topics: expected topics, or patterns with *; found nothing"),
    ],
)
def test_init_says_what_it_misses(arguments, message, capsys):
    assert main(["init", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_empty_folder_is_told(tmp_path, capsys):
    assert main(["init", "--from", "files", "--path", str(tmp_path)]) == 2
    assert "expected files; found an empty folder" in capsys.readouterr().err


names = st.text(min_size=1, max_size=12)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), names)
rows = st.lists(st.dictionaries(names, scalars, min_size=1, max_size=5), min_size=1, max_size=6)


@given(rows=rows, name=names, table=names)
def test_whatever_the_records_hold_the_proposal_loads(rows, name, table, tmp_path_factory):
    for record in (*rows, {**DEBEZIUM, "after": rows[0], "source": {**DEBEZIUM["source"], "table": table}}):
        samples = [Sample("s", None, json.dumps(one).encode()) for one in [record, *rows]]
        proposal = propose(samples, name=name)
        file = tmp_path_factory.getbasetemp() / "proposed.yaml"
        file.write_text(render({"feed": ({"from": "files", "path": "./in"}, proposal)}, "a test"), encoding="utf-8")
        config = load(file)
        assert [list(one.key) for one in config.tables.values()] == [one.settings["key"] for one in proposal.tables]


def test_init_passes_over_links_to_nothing_and_says_so(tmp_path, capsys):
    feed(tmp_path / "in" / "a.jsonl", {"id": 1, "seq": 1})
    (tmp_path / "in" / "gone.jsonl").symlink_to(tmp_path / "nowhere.jsonl")
    assert set(init(tmp_path).tables) == {"in"}
    assert f"passed over {tmp_path}/in/gone.jsonl, a link to nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.parquet", b"PAR1garbage"), ("a.jsonl.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"), ("a.csv", b"id\n\xfc\n"),
     ("a.avro", b"Obj\x01garbage")],
)  # fmt: skip
def test_init_names_the_file_it_cannot_read(name, content, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    assert main(["init", "--from", "files", "--path", str(tmp_path / "in")]) == 1
    err = capsys.readouterr().err
    assert f"headrace: {tmp_path}/in/{name}: expected a readable file" in err and "Move it elsewhere" in err
