"""Whatever happens to documents, in any order and with any failure, the index ends as if built from scratch."""

import json
import os
import sqlite3
from pathlib import Path

from pyspark.sql import SparkSession

from document_storm import Truth, as_truth, storm, truth
from headrace.config_knowledge import SqliteIndex
from headrace.stores.sqlite_index import SqliteVectorIndex

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
DOCUMENTS, BATCHES = (400, 20) if SOAK else (60, 5)


def published(path: Path) -> Truth:
    """What the index holds, read by SQL alone."""
    connection = sqlite3.connect(path)
    (number,) = connection.execute("select number from generations").fetchone()
    rows = connection.execute(f"select key, body from passages_{number} where not deleted").fetchall()
    connection.close()
    return dict(as_truth(key, json.loads(body)) for key, body in rows)


def test_the_index_ends_as_if_built_from_scratch(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "search.db"
    _, events = storm(spark, tmp_path, lambda: SqliteVectorIndex(SqliteIndex(path=str(path)), "g1"), DOCUMENTS, BATCHES)
    assert published(path) == truth(events)
