"""What docs/recovery.md rests on: deltalake restores a table of a lake; a full load of DMS needs a higher epoch."""

import json
import tarfile
from pathlib import Path

import pytest
from deltalake import DeltaTable

from headrace import config_file
from headrace.changes.envelope import Change, Message
from headrace.changes.formats.dms import Dms
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.pipelines.status import status
from headrace.pipelines.tables_view import LakeView, current_rows

PACKED = Path(__file__).parents[1] / "data" / "lakes" / "format-1.tar.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tarfile.open(PACKED) as old:
        old.extractall(tmp_path, filter="data")
    return tmp_path / "old"


def names(folder: Path) -> dict[int, str]:
    view = LakeView(config_file.load(folder / "headrace.yaml"))
    return {row["id"]: row["name"] for row in current_rows(view, "users")}


def test_a_table_goes_back_to_an_older_version(folder: Path) -> None:
    newest = names(folder)
    assert len(newest) == 2
    table = DeltaTable(str(folder / "lake" / "tables" / "users"))
    table.restore(next(one["version"] for one in table.history() if one["operation"] == "WRITE"))
    older = names(folder)
    assert len(older) == 3 and newest.items() - older.items(), "the changes since are missing until they are replayed"
    assert table.metadata().configuration["headrace.format"] == "1"
    assert status(config_file.load(folder / "headrace.yaml")).tables["users"].rows == 3


def test_rows_that_a_reload_did_not_send_are_found_by_their_epoch(folder: Path) -> None:
    view = LakeView(config_file.load(folder / "headrace.yaml"))
    assert len(current_rows(view, "users", where="_position < '0001-'")) == 2
    assert current_rows(view, "users", where="_position >= '0001-'") == []


def dms_position(operation: str, epoch: int = 0, **metadata: object) -> str:
    source = {"from": "kinesis", "streams": ["s"], "region": "eu-west-1", "format": "dms", "epoch": epoch}
    settings = {"lake": "/lake", "sources": {"shop": source}, "tables": {"users": {"source": "shop", "key": ["id"]}}}
    config = Config.model_validate(settings)
    about = {"record-type": "data", "operation": operation, "schema-name": "public", "table-name": "users", **metadata}
    message = Message(None, json.dumps({"data": {"id": 1}, "metadata": about}).encode())
    (change,) = Dms(config.sources["shop"], Routes(config.tables))(message)
    assert isinstance(change, Change)
    return change.position


def test_a_full_load_of_dms_lies_below_every_change_and_above_with_a_higher_epoch() -> None:
    place = {"transaction-id": 5, "transaction-record-id": 1}
    update = dms_position("update", **{"commit-timestamp": "2026-11-01T00:00:00Z"}, **place)
    assert dms_position("load") < update < dms_position("load", epoch=1)
