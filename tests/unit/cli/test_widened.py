"""A table whose type was widened: delta-rs cannot read it, Spark can."""

import json
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from headrace.cli import main

SETTINGS = (
    "lake: .\nsources: {feed: {from: files, path: ./in, format: debezium}}\ntables: {t: {source: feed, key: [id]}}\n"
)


def test_table_trace_and_status_read_it_all_the_same(spark: SparkSession, tmp_path: Path, capsys):
    place = f"delta.`{tmp_path}/tables/t`"
    spark.sql(
        f"CREATE TABLE {place} (id int, n int, _position string, _changed_at timestamp) USING delta "
        "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.enableTypeWidening' = 'true')"
    )
    spark.sql(f"INSERT INTO {place} VALUES (1, 1, 'p1', timestamp'2026-03-01 08:00:00Z'), (2, 2, 'p2', null)")
    spark.sql(f"ALTER TABLE {place} ALTER COLUMN n TYPE bigint")
    spark.sql(f"INSERT INTO {place} VALUES (3, 5000000000, 'p3', null)")
    spark.sql(f"DELETE FROM {place} WHERE id = 2")
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    config = ["--config", str(tmp_path / "headrace.yaml")]
    assert main(["table", "t", "--json", "--where", "n > 0", *config]) == 0
    out, err = capsys.readouterr()
    rows = sorted((json.loads(line) for line in out.splitlines()), key=lambda row: row["id"])
    moment = datetime(2026, 3, 1, 8, tzinfo=UTC).isoformat()
    assert rows == [
        {"id": 1, "n": 1, "_position": "p1", "_changed_at": moment},
        {"id": 3, "n": 5_000_000_000, "_position": "p3", "_changed_at": None},
    ]
    assert "read through Spark" in err
    assert main(["trace", "t", "3", "--json", *config]) == 0
    assert json.loads(capsys.readouterr().out)["row"]["n"] == 5_000_000_000
    assert main(["status", "--json", *config]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["tables"]["t"]["rows"], err) == (2, "")


def test_mapped_columns_and_deletion_vectors_are_read_without_spark(spark: SparkSession, tmp_path: Path, capsys):
    place = f"delta.`{tmp_path}/tables/t`"
    spark.sql(
        f"CREATE TABLE {place} (id int, `a.b c` string, _position string) USING delta "
        "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.columnMapping.mode' = 'name')"
    )
    spark.sql(f"INSERT INTO {place} VALUES (1, 'x', 'p1'), (2, 'y', 'p2'), (3, 'z', 'p3')")
    spark.sql(f"DELETE FROM {place} WHERE id = 2")
    spark.sql(f"UPDATE {place} SET `a.b c` = 'new' WHERE id = 3")
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    config = ["--config", str(tmp_path / "headrace.yaml")]
    assert main(["table", "t", "--json", "--where", "`a.b c` <> 'q'", *config]) == 0
    out, err = capsys.readouterr()
    rows = sorted((json.loads(line)["id"], json.loads(line)["a.b c"]) for line in out.splitlines())
    assert (rows, err) == ([(1, "x"), (3, "new")], "")
    assert main(["status", "--json", *config]) == 0
    assert json.loads(capsys.readouterr().out)["tables"]["t"]["rows"] == 2
