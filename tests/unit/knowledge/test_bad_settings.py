"""A wrong setting of knowledge ends the job at its start, within seconds, and the error says what to do."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.errors import HeadraceError
from headrace.pipelines import index_knowledge

SOON = 60.0
"""Attempts go on for minutes; the machine may be busy."""
NOBODY = "http://127.0.0.1:9"

PGVECTOR = {"store": "pgvector", "url": "postgresql://127.0.0.1:9/x"}
LANGCHAIN = {"provider": "langchain", "path": "no_such_module:Model", "model": "m", "dimension": 8}
FAKE = "unit.embedders.fake_langchain:FakeEmbeddings"

CASES: list[tuple[str, dict[str, Any], str]] = [
    (
        "an index that does not answer",
        {"indexes": {"s": {"store": "opensearch", "hosts": NOBODY, "index": "p"}}},
        "127.0.0.1:9",
    ),
    ("a database that does not answer", {"indexes": {"s": PGVECTOR}}, "127.0.0.1"),
    (
        "a model server that does not answer",
        {"embed": {"provider": "http", "url": f"{NOBODY}/v1", "model": "m", "dimension": 8}},
        "127.0.0.1:9",
    ),
    ("a class that is not there", {"embed": LANGCHAIN}, "no_such_module"),
    (
        "a model of another dimension",
        {"embed": {**LANGCHAIN, "path": FAKE, "dimension": 999, "arguments": {"model": "m"}}},
        "999",
    ),
]


@pytest.mark.parametrize(("wrong", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_cannot_work_is_told_at_the_start(
    wrong: dict[str, Any], said: str, spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    knowledge = {
        "documents": {"pages": {"from": "folder", "path": str(tmp_path / "pages")}},
        "indexes": {"s": {"store": "sqlite", "path": str(tmp_path / "s.db")}},
    }
    config = Config.model_validate({"lake": str(tmp_path / "lake"), "knowledge": knowledge | wrong})
    began = time.monotonic()
    with pytest.raises(HeadraceError) as raised:
        index_knowledge.run(config, once=True, stop=threading.Event())
    assert time.monotonic() - began < SOON
    assert said in str(raised.value)
    assert raised.value.todo
