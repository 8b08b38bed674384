"""`apply_changes` where the settings name no tables."""

import threading

import pytest

from headrace.config import Config
from headrace.errors import ConfigError
from headrace.pipelines import apply_changes


def test_apply_changes_without_tables_says_so_before_it_starts_spark(tmp_path):
    feeds, indexes = {"notes": {"from": "folder", "path": "."}}, {"main": {"store": "sqlite", "path": "x"}}
    knowledge = {"documents": feeds, "indexes": indexes}
    config = Config.model_validate({"lake": str(tmp_path / "lake"), "knowledge": knowledge})
    with pytest.raises(ConfigError, match=r"tables: expected tables to apply changes to; found none\. Add tables, or"):
        apply_changes.run(config, True, threading.Event())
    assert not (tmp_path / "lake").exists()
