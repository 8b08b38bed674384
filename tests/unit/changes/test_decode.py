"""Messages become envelopes."""

import json
from datetime import UTC, datetime

import pytest

from headrace.changes.decode import decoded
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.tables import MESSAGES


@pytest.mark.parametrize(("replayed", "sent"), [(False, None), (True, ["id", "note"])])
def test_a_masked_column_is_known_by_any_spelling(spark, replayed, sent):
    source = {"from": "files", "path": "unused", "format": "json", "position": ["at"]}
    tables = {"users": {"source": "feed", "key": ["id"], "mask": ["EMAIL", "At"]}}
    config = Config.model_validate({"lake": "/lake", "sources": {"feed": source}, "tables": tables})
    row = json.dumps({"id": 1, "at": 1, "email": "a@b.example", "note": "x"}).encode()
    messages = spark.createDataFrame([(None, row, None, "a.json", 0, 0, datetime(2026, 1, 1, tzinfo=UTC))], MESSAGES)
    found = decoded(messages, "feed", config.sources["feed"], Routes(config.tables), {}, replayed=replayed).first()
    assert json.loads(bytes(found["message"])) == {"id": 1, "at": None, "email": None, "note": "x"}
    assert found["sent"] == sent
