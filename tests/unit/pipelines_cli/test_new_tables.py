"""A table added to a running deployment gets what arrived before it was in the settings."""

import json
import threading
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.pipelines import apply_changes
from headrace.stores.files import LakeFiles

pytestmark = pytest.mark.deep

HOTELS = {"source": "shop", "source_table": "public.hotels", "key": ["id"]}
GHOSTS = {"source": "shop", "source_table": "public.ghosts", "key": ["id"]}
INNS = {"source": "shop", "source_table": "public.guest_houses", "key": ["id"]}


def event(table: str, key: int | None, lsn: int, name: str) -> str:
    source = {"connector": "postgresql", "schema": "public", "table": table, "lsn": lsn, "ts_ms": lsn}
    return json.dumps({"before": None, "after": {"id": key, "name": name}, "source": source, "op": "c"})


def run(folder: Path, tables: dict[str, dict[str, object]], **apply: str) -> None:
    source = {"from": "files", "path": str(folder / "in"), "format": "debezium"}
    body = {"lake": str(folder / "lake"), "sources": {"shop": source}, "tables": tables, "apply": apply}
    assert apply_changes.run(Config.model_validate(body), once=True, stop=threading.Event()) == 0


def names(spark: SparkSession, folder: Path, table: str) -> list[str]:
    rows = spark.read.format("delta").load(f"{folder}/lake/tables/{table}").orderBy("id").collect()
    return [row["name"] for row in rows]


@pytest.mark.parametrize("unknown", ["reject", "ignore"])
def test_earlier_messages_of_a_new_table_are_taken_in(spark: SparkSession, tmp_path: Path, unknown: str) -> None:
    (tmp_path / "in").mkdir()
    lines = [event("hotels", 1, 10, "Sea"), event("guest_houses", 1, 11, "Old"), event("guest_houses", 2, 12, "Two")]
    lines.append(event("ghosts", None, 14, "no key, so no row and no table"))
    (tmp_path / "in" / "1.jsonl").write_text("\n".join(lines) + "\n")
    run(tmp_path, {"hotels": HOTELS}, unknown_tables=unknown)
    (tmp_path / "in" / "2.jsonl").write_text(event("guest_houses", 1, 13, "New") + "\n")
    run(tmp_path, {"hotels": HOTELS, "inns": INNS, "ghosts": GHOSTS}, unknown_tables=unknown)
    assert names(spark, tmp_path, "inns") == ["New", "Two"]
    assert names(spark, tmp_path, "hotels") == ["Sea"]
    rejects = tmp_path / "lake" / "rejects" / "apply_changes"
    refused = spark.read.format("delta").load(str(rejects)).collect()
    assert {(row["table"], row["reason"]) for row in refused} == {("ghosts", "null key")}
    done = LakeFiles(str(tmp_path / "lake")).names("requests/done")
    run(tmp_path, {"hotels": HOTELS, "inns": INNS, "ghosts": GHOSTS}, unknown_tables=unknown)
    assert LakeFiles(str(tmp_path / "lake")).names("requests/done") == done != []
    assert spark.read.format("delta").load(str(rejects)).count() == len(refused)
