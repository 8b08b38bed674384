"""`apply_changes` from Kinesis: DMS, DynamoDB and plain rows, drained by `--once` and followed for good."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.config_file import load
from headrace.pipelines.check import check
from headrace.pipelines.lag import lag

from .chain import read
from .driver import Driver
from .kinesis import ENVIRONMENT, KinesisServer

SAMPLES = Path(__file__).parents[1] / "data" / "events"
ROWS = 900
BATCH = 200


def sample(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{file}.json").read_text("utf-8"))
    return found


def row(number: int, value: str, operation: str = "U") -> tuple[str, bytes]:
    event = {"id": number, "value": value, "operation": operation}
    return str(number), json.dumps(event).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KinesisServer]:
    emulator = KinesisServer(tmp_path_factory.mktemp("kinesis"), "local")
    patched = pytest.MonkeyPatch()
    for name, value in ENVIRONMENT.items():
        patched.setenv(name, value)
    try:
        yield emulator.start()
    finally:
        emulator.stop()
        patched.undo()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory, server: KinesisServer) -> Driver:
    """What was there before is drained; then rows follow while the job runs, through a split."""
    place = {"from": "kinesis", "endpoint": server.url, "region": "eu-west-1"}
    sources = {
        "rows": {
            **place, "streams": ["rows"], "format": "json", "position": "arrival", "max_records_per_batch": BATCH,
            "operation": {"column": "operation", "delete": ["D"]},
        },
        "aws": {**place, "streams": ["dms", "dms_more"], "format": "dms"},
        "devices": {**place, "streams": ["devices"], "format": "dynamodb"},
    }  # fmt: skip
    tables = {
        "rows": {"source": "rows", "key": ["id"], "drop": ["operation"]},
        "foo": {"source": "aws", "source_table": "public.foo", "key": ["id"]},
        "device": {"source": "devices", "source_table": "table-testdrive", "key": ["device", "timestamp"]},
    }
    driver = Driver(tmp_path_factory.mktemp("changes"), sources, tables, apply={"unknown_tables": "ignore"})
    for stream in ("rows", "dms", "dms_more", "devices"):
        server.create(stream, 2 if stream == "rows" else 1)
    server.put("rows", (row(number % 300, f"v{number}") for number in range(ROWS)))
    dms = sample("dms_kinesis_kafka")
    told = [(str(number), json.dumps(one).encode()) for number, one in enumerate(dms.values())]
    server.put("dms", told[:6])
    server.put("dms_more", told[6:])
    events = sample("dynamodb_kds")["captured_insert_modify_remove"]
    server.put("devices", (("qux", json.dumps(event).encode()) for event in events))
    driver.once()
    return driver


def values(driver: Driver) -> dict[int, str]:
    return {one["id"]: one["value"] for one in read(driver.lake / "tables" / "rows", "id", "value")}


def test_once_drains_every_batch_there_is(driver: Driver) -> None:
    assert values(driver) == {number: f"v{600 + number}" for number in range(300)}
    batches = read(driver.lake / "batches", "source", "batch", "sent")
    of_rows = {one["batch"]: one["sent"] for one in batches if one["source"] == "rows"}
    # The emulator takes in far more a second than a shard can, so a batch holds more than was asked for.
    assert len(of_rows) > 1 and sum(of_rows.values()) == ROWS


def test_captured_events_of_dms_and_dynamodb_become_rows(driver: Driver) -> None:
    assert {one["id"]: one["name"] for one in read(driver.lake / "tables" / "foo", "id", "name")} == {42: "John"}
    devices = read(driver.lake / "tables" / "device", "device", "timestamp")
    living = {}
    for event in sample("dynamodb_kds")["captured_insert_modify_remove"]:
        living[event["dynamodb"]["Keys"]["device"]["S"]] = event["eventName"] != "REMOVE"
    assert {one["device"] for one in devices} == {device for device, lives in living.items() if lives}


def test_the_log_tells_each_record_apart_and_keeps_its_whole_number(driver: Driver) -> None:
    log = [one for one in read(driver.lake / "changes_log", "source", "origin", "headers") if one["source"] == "rows"]
    places = {tuple(one["origin"][part] for part in ("stream", "partition", "offset")) for one in log}
    assert len(places) == ROWS and {place[0] for place in places} == {"rows"}
    by_shard: dict[int, list[tuple[int, int]]] = {}
    for one in log:
        (header,) = one["headers"]
        assert header["key"] == "headrace.sequence"
        number = int(header["value"])
        by_shard.setdefault(one["origin"]["partition"], []).append((number, one["origin"]["offset"] >> 23))
    assert all(found == sorted(found, key=lambda one: one[1]) for found in map(sorted, by_shard.values()))


def test_check_tries_each_stream_and_status_shows_no_lag(driver: Driver, server: KinesisServer) -> None:
    config = load(driver.config)
    said = {one.name: one for one in check(config)}
    assert "ACTIVE, 2 open shards, keeps 24 hours" in said["source rows: kinesis"].said
    assert all(said[f"source {name}: kinesis"].ok for name in ("rows", "aws", "devices"))
    assert lag(config, "rows").behind == 0 and lag(config, "rows").unit == "seconds"
    server.put("devices", [("x", b"{}")])
    assert (lag(config, "devices").behind or 0) >= 1
    gone = config.sources["rows"].model_copy(update={"streams": ("nowhere",)})
    wrong = config.model_copy(update={"sources": {"rows": gone}, "tables": {"rows": config.tables["rows"]}})
    (finding,) = [one for one in check(wrong) if one.name == "source rows: kinesis"]
    assert not finding.ok and "ResourceNotFound" in finding.said and "name, the region" in finding.todo


@pytest.mark.soak
def test_a_running_job_follows_through_a_split_and_after_a_kill(driver: Driver, server: KinesisServer) -> None:
    driver.start()
    server.put("rows", [row(1, "newer"), row(2, "", "D")])
    driver.process.wait_ready(lambda: values(driver).get(1) == "newer", 180)
    server.split("rows", 0)
    server.put("rows", (row(number, "split") for number in range(1000, 1040)))
    driver.kill9()
    server.put("rows", (row(number, "killed") for number in range(2000, 2040)))
    driver.start()
    driver.process.wait_ready(lambda: len(values(driver)) == 300 - 1 + 80, 180)
    assert driver.stop() == 0
    assert 2 not in values(driver)
