"""Folders of files as people leave them: odd names, other encodings, broken files."""

import csv
import io
import json
import os
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.config_sources import FilesSource
from headrace.errors import Fatal
from headrace.pipelines import apply_changes
from headrace.stores import file_source

ODD = ["part[1]", "part1", "{p,q}", "p", "a*", "ab", "w?", "wx", "b\\c", "100%20 [é]", "100%20 é"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def config(folder: Path, **source: object) -> Config:
    feed = {"from": "files", "path": str(folder), "format": "json", "position": "arrival", **source}
    table = {"source": "feed", "key": ["id"]}
    return Config.model_validate(
        {"lake": str(folder.parent / "lake"), "sources": {"feed": feed}, "tables": {"t": table}}
    )


def taken(spark: SparkSession, folder: Path) -> list[dict]:
    """What a stream of the folder gives: the envelopes of all its files."""
    settings = config(folder)
    source, found = settings.sources["feed"], []
    assert isinstance(source, FilesSource)

    def take(files: DataFrame, _: int) -> None:
        messages = file_source.messages(files, source)
        if messages is not None:
            rows = decoded(messages, "feed", source, Routes(settings.tables), {})
            found.extend(row.asDict(recursive=True) for row in rows.collect())

    writer = file_source.stream(spark, source).writeStream.foreachBatch(take).trigger(availableNow=True)
    writer.option("checkpointLocation", str(folder.parent / "checkpoint")).start().awaitTermination()
    return found


def rows(found: list[dict]) -> list[dict]:
    return [json.loads(row["after"]) for row in found if row["op"] == "upsert"]


def rejects(found: list[dict]) -> list[dict]:
    return [row for row in found if row["op"] == "reject"]


def write_avro(file: Path, rows: list[dict], *fields: dict, name: str = "r") -> None:
    with file.open("wb") as content:
        fastavro.writer(content, {"type": "record", "name": name, "fields": list(fields)}, rows)


ID = {"name": "id", "type": "string"}


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "avro"])
def test_every_file_is_read_once_whatever_its_name(kind, spark, folder):
    (folder / "sub[1]").mkdir()
    for number, name in enumerate([*ODD, "sub[1]/in"]):
        file = folder / f"{name}.{kind}"
        if kind == "parquet":
            parquet.write_table(pa.table({"id": [str(number)]}), file)
        elif kind == "avro":
            write_avro(file, [{"id": str(number)}], ID)
        else:
            file.write_text(f'{{"id": "{number}"}}\n' if kind == "jsonl" else f"id\n{number}\n")
    found = taken(spark, folder)
    assert sorted(int(row["id"]) for row in rows(found)) == list(range(len(ODD) + 1))
    assert rejects(found) == []


def test_a_folder_whose_name_looks_like_a_pattern_is_read(spark, tmp_path):
    for name in ("in[1]", "in1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_text(f'{{"id": "{name}"}}\n')
    assert rows(taken(spark, tmp_path / "in[1]")) == [{"id": "in[1]"}]


def test_a_file_moved_in_late_is_read_however_old_it_is(spark, folder):
    for name, days in (("new", 0), ("late", 30)):
        file = folder / f"{name}.jsonl"
        file.write_text(f'{{"id": "{name}"}}\n')
        os.utime(file, (time.time() - days * 86_400,) * 2)
        assert rows(taken(spark, folder)) == [{"id": name}]


def test_csv_rows_in_wrong_utf8_are_refused_and_the_others_land(spark, folder):
    (folder / "latin.csv").write_bytes("id,näme\n1,ok\n".encode("latin-1"))
    (folder / "mixed.csv").write_bytes("id,name\n2,Ä\n3,".encode() + b"M\xfcller\n" + "4,日\x85\x7f\n".encode())
    (folder / "mark.csv").write_bytes('\ufeff"id","a,é"\n5,\ufffd\n6,'.encode() + b"\xe9\n")
    (folder / "[mark].csv").write_bytes('\ufeff"id","a,é"\n7,ü\n'.encode())
    found = taken(spark, folder)
    assert sorted(rows(found), key=lambda row: row["id"]) == [
        {"id": "2", "name": "Ä"}, {"id": "4", "name": "日\x85\x7f"},
        {"id": "5", "a,é": "\ufffd"}, {"id": "7", "a,é": "ü"},
    ]  # fmt: skip
    assert {row["reason"] for row in rejects(found)} == {"wrong UTF-8"}
    assert sorted(row["message"] for row in rejects(found)) == sorted(
        [b'{"id":"1","n\xe4me":"ok"}', b'{"id":"3","name":"M\xfcller"}', '{"id":"6","a,é":"'.encode() + b'\xe9"}']
    )


def test_csv_records_that_do_not_fit_the_header_are_refused_in_words_of_csv(spark, folder):
    (folder / "a.csv").write_bytes(b'id,name\n1\n2,x,y\n3,"two\nlines"\n')
    (folder / "blank.csv").write_bytes(b"\n")
    found = taken(spark, folder)
    assert rows(found) == [{"id": "3", "name": "two\nlines"}]
    assert [(row["reason"], row["message"]) for row in rejects(found)] == [("not CSV", b"1"), ("not CSV", b"2,x,y")]
    assert all("CSV record of 2 fields" in row["detail"] and "JSON" not in row["detail"] for row in rejects(found))


def test_a_csv_file_with_a_doubled_name_is_refused_line_by_line_and_the_others_land(spark, folder):
    (folder / "twice.csv").write_bytes(b"id,name,id\n1,a,2\n")
    (folder / "case.csv").write_bytes('\ufeff"Id",name,ID\n3,b,4\n'.encode())
    (folder / "[x].csv").write_bytes("ä,ä\n5,6\n".encode())
    (folder / "good.csv").write_bytes(b"id,a1,a2\n7,8,9\n")
    found = taken(spark, folder)
    assert sorted(
        (row["reason"], row["message"], row["detail"].partition("; ")[2]) for row in rejects(found)
    ) == sorted(
        ("not CSV", line.encode(), f"found {said}. Rename one, and put the file there anew")
        for said, lines in {
            "id twice": ["id,name,id", "1,a,2"],
            "ID beside Id": ['"Id",name,ID', "3,b,4"],
            "ä twice": ["ä,ä", "5,6"],
        }.items()
        for line in lines
    )
    assert rows(found) == [{"id": "7", "a1": "8", "a2": "9"}]


def test_a_parquet_file_without_columns_has_no_rows_and_the_others_land(spark, folder):
    parquet.write_table(pa.table({}), folder / "empty.parquet")
    parquet.write_table(pa.table({"id": [1]}), folder / "good.parquet")
    assert [row["op"] for row in taken(spark, folder)] == ["upsert"]


@pytest.mark.parametrize(
    "content",
    [b"PAR1garbage", b"some text that is not Parquet", b"PAR1garbagegarbage\x08\0\0\0PAR1"],
    ids=["short", "text", "footer"],
)
def test_a_file_that_is_not_parquet_is_refused_by_its_name_and_the_others_land(content, spark, folder):
    (folder / "broken[1].parquet").write_bytes(content)
    parquet.write_table(pa.table({"id": [1]}), folder / "good.parquet")
    found = taken(spark, folder)
    assert rows(found) == [{"id": "1"}]
    (refused,) = rejects(found)
    assert (refused["reason"], refused["message"]) == ("not Parquet", None)
    assert str(folder / "broken[1].parquet") in refused["detail"]


def test_a_file_damaged_further_in_is_named_and_can_be_moved_away(spark, folder, monkeypatch):
    monkeypatch.setattr(apply_changes, "spark_session", lambda *_, **__: spark)
    parquet.write_table(pa.table({"id": list(range(2000))}), folder / "bad.parquet")
    whole = (folder / "bad.parquet").read_bytes()
    (folder / "bad.parquet").write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    parquet.write_table(pa.table({"id": [1]}), folder / "good.parquet")
    with pytest.raises(Fatal, match=r"bad\.parquet.* move this file away"):
        apply_changes.run(config(folder), True, threading.Event())
    os.rename(folder / "bad.parquet", folder.parent / "bad.parquet")
    assert apply_changes.run(config(folder), True, threading.Event()) == 0
    place = str(folder.parent / "lake" / "tables" / "t")
    assert [row["id"] for row in spark.read.format("delta").load(place).collect()] == [1]


FIELDS = [
    {"name": "id", "type": "long"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
    {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
    {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "photo", "type": "bytes"},
]
LOCAL = datetime(2024, 1, 2, 3, 4, 5, 678901)
VALUES = {
    "id": 1, "price": Decimal("1.25"), "at": LOCAL.replace(tzinfo=UTC), "local": LOCAL, "day": date(2024, 1, 2),
    "tags": ["a"], "photo": b"\0\xff",
}  # fmt: skip
PLAIN = {
    "id": 1, "price": 1.25, "at": "2024-01-02T03:04:05.678901Z", "local": "2024-01-02T03:04:05.678901",
    "day": "2024-01-02", "tags": '["a"]', "photo": "AP8=",
}  # fmt: skip


def file_of(kind: str, folder: Path) -> None:
    """A row in two states; the second is the newer one."""
    older = {**VALUES, "price": Decimal("9.99")}
    if kind == "avro":
        write_avro(folder / "a.avro", [older, VALUES], *FIELDS)
    elif kind == "parquet":
        parquet.write_table(pa.Table.from_pylist([older, VALUES]), folder / "a.parquet")
    elif kind == "csv":
        text = io.StringIO()
        rows = csv.DictWriter(text, list(PLAIN))
        rows.writeheader()
        rows.writerows([{**PLAIN, "price": 9.99}, PLAIN])
        (folder / "a.csv").write_text(text.getvalue())
    else:
        lines = [json.dumps({**PLAIN, "tags": ["a"], "price": price}) for price in (9.99, 1.25)]
        (folder / "a.jsonl").write_text("\n".join(lines))


@pytest.mark.parametrize("kind", ["avro", "parquet", "csv", "jsonl"])
def test_the_same_rows_become_the_same_table_from_every_kind_of_file(kind, spark, folder):
    """Avro and Parquet tell the types themselves; the others are told."""
    told = {"price": "decimal(12,2)", "local": "timestamp_ntz", "tags": "array<string>", "photo": "binary"}
    file_of(kind, folder)
    settings = config(folder)
    if kind in ("csv", "jsonl"):
        types = {"id": "bigint", "at": "timestamp", "day": "date", **told}
        tables = {"t": settings.tables["t"].model_copy(update={"types": types})}
        settings = settings.model_copy(update={"tables": tables})
    apply_changes.run(settings, once=True, stop=threading.Event())
    table = spark.read.format("delta").load(f"{settings.lake}/tables/t").select(*VALUES)
    assert table.schema.simpleString() == (
        "struct<id:bigint,price:decimal(12,2),at:timestamp,local:timestamp_ntz,day:date,tags:array<string>,photo:binary>"
        if kind != "parquet"  # pyarrow takes the precision from the values
        else table.schema.simpleString()
    )
    (row,) = table.selectExpr("*", "unix_micros(at) AS micros").collect()
    assert row["micros"] == round(LOCAL.replace(tzinfo=UTC).timestamp()) * 1_000_000 - 321_099
    assert {**row.asDict(), "photo": bytes(row["photo"])} == {
        **VALUES, "at": row["at"], "micros": row["micros"],
    }  # fmt: skip


RECURSIVE = {"name": "next", "type": ["null", "r"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"some text that is not Avro", "other content"),
        (b"Obj\x01", "other content"),
        (b"Obj\x01\x02\x16avro.schema\x06{x}\0" + b"0123456789abcdef", "other content"),
        (RECURSIVE, "a schema that refers to itself"),
        ("long", "values that are no records"),
        (None, "records without fields"),
    ],
)
def test_a_file_that_is_not_avro_is_refused_by_its_name_and_the_others_land(content, said, spark, folder):
    broken = folder / "broken[1].avro"
    if isinstance(content, bytes):
        broken.write_bytes(content)
    elif content == "long":
        with broken.open("wb") as file:
            fastavro.writer(file, "long", [1])
    else:
        write_avro(broken, [{"next": None}], *([content] if content else []))
    write_avro(folder / "good.avro", [{"id": "1"}], ID)
    found = taken(spark, folder)
    assert rows(found) == [{"id": "1"}]
    (refused,) = rejects(found)
    assert (refused["reason"], refused["message"]) == ("not Avro", None)
    assert f"found {said} in " in refused["detail"]
    assert "broken[1].avro" in refused["detail"]


def test_an_avro_file_damaged_further_in_is_named(spark, folder):
    write_avro(folder / "bad.avro", [{"id": str(number)} for number in range(5_000)], ID)
    whole = (folder / "bad.avro").read_bytes()
    (folder / "bad.avro").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Fatal, match=r"bad\.avro.* move this file away"):
        apply_changes.run(config(folder), once=True, stop=threading.Event())
