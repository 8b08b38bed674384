"""Row counts from the Delta log, against delta-rs's own count."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from headrace.errors import ConfigError
from headrace.stores.delta_log import row_count
from headrace.stores.delta_reader import DeltaReader
from headrace.stores.files import LakeFiles


def table(tmp_path: Path) -> str:
    place = str(tmp_path / "t")
    for start in range(0, 50, 10):
        write_deltalake(place, pa.table({"id": range(start, start + 10)}), mode="append")
    return place


def test_appends_deletes_and_checkpoints_are_counted(tmp_path):
    place, files = table(tmp_path), LakeFiles(str(tmp_path))
    assert row_count(files, "t") == 50
    DeltaTable(place).delete("id >= 25 and id < 33")
    assert row_count(files, "t") == 42 == DeltaTable(place).to_pyarrow_table().num_rows
    DeltaTable(place).create_checkpoint()
    assert row_count(files, "t") == 42
    write_deltalake(place, pa.table({"id": [1]}), mode="append")
    for commit in (tmp_path / "t" / "_delta_log").glob("0*00.json"):
        commit.unlink()  # what log retention does to commits before the checkpoint
    assert row_count(files, "t") == 43


def test_rows_taken_out_by_a_deletion_vector_do_not_count(tmp_path):
    table(tmp_path)
    commit = tmp_path / "t" / "_delta_log" / f"{5:020d}.json"
    add = next(
        json.loads(line)["add"]
        for line in (tmp_path / "t" / "_delta_log" / f"{0:020d}.json").read_text().splitlines()
        if "add" in json.loads(line)
    )
    vector = {"storageType": "u", "pathOrInlineDv": "x", "offset": 1, "sizeInBytes": 36, "cardinality": 3}
    actions = [{"add": {**add, "deletionVector": vector}}, {"remove": {"path": add["path"], "dataChange": True}}]
    commit.write_text("\n".join(map(json.dumps, actions)))
    assert row_count(LakeFiles(str(tmp_path)), "t") == 47


def test_files_without_statistics_are_counted_by_reading(tmp_path):
    table(tmp_path)
    first = tmp_path / "t" / "_delta_log" / f"{0:020d}.json"
    actions = [json.loads(line) for line in first.read_text().splitlines()]
    for action in actions:
        action.get("add", {}).pop("stats", None)
    first.write_text("\n".join(map(json.dumps, actions)))
    assert row_count(LakeFiles(str(tmp_path)), "t") is None
    assert DeltaReader(str(tmp_path)).count("t") == 50


def test_no_table_has_no_count(tmp_path):
    assert row_count(LakeFiles(str(tmp_path)), "t") is None
    assert DeltaReader(str(tmp_path)).count("t") == 0
    assert list(tmp_path.iterdir()) == []


def test_odd_names_are_asked_for_in_backticks_and_wrong_sql_is_an_error_of_ours(tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"a.b": [1], "Select": ["x"], "é`": [2]}))
    reader = DeltaReader(str(tmp_path))
    assert reader.query("t", "SELECT `a.b`, `Select`, `é``` FROM rows WHERE `a.b` = 1") == [
        {"a.b": 1, "Select": "x", "é`": 2}
    ]
    for wrong in ("SELECT", "SELECT nope FROM rows", "SELECT * FROM other", "SELECT no_such(1) FROM rows"):
        with pytest.raises(ConfigError, match="t: expected "):
            reader.query("t", wrong)


def test_types_are_told_as_spark_tells_them(tmp_path):
    types = {
        "l": pa.int64(), "i": pa.int32(), "d": pa.decimal128(10, 2), "a": pa.list_(pa.string()),
        "s": pa.struct([("x", pa.int32())]), "m": pa.map_(pa.string(), pa.int64()), "t": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    write_deltalake(tmp_path / "t", pa.table({name: pa.array([], kind) for name, kind in types.items()}))
    assert dict(DeltaReader(str(tmp_path)).columns("t")) == {
        "l": "bigint", "i": "int", "d": "decimal(10,2)", "a": "array<string>", "s": "struct<x:int>",
        "m": "map<string,bigint>", "t": "timestamp",
    }  # fmt: skip
