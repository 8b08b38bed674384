"""Avro from the message to the table, the log and the rejects, through Spark and a registry that is only a stub."""

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.changes.apply import Applier
from headrace.config import Config
from headrace.errors import FromWorker, Unreachable
from headrace.lake import Lake
from headrace.pipelines import replay, requests
from headrace.pipelines.batches import Batches
from headrace.stores import schema_registry
from headrace.stores.files import LakeFiles
from headrace.tables import CHANGES_LOG, MESSAGES, REJECTS
from registry_stub import Registry, serving

DATA = Path(__file__).parents[2] / "data" / "avro"
CAPTURED = json.loads((DATA / "confluent.json").read_text())
ARRIVED = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


def rows(avro: bool, topic: str = "shop.public.") -> list[Row]:
    """The captured messages of a topic, in Avro or as the JSON converter wrote them."""
    lines = [json.loads(line) for line in (DATA / "connect.jsonl").read_text().splitlines()]
    found = []
    for place, (message, line) in enumerate(zip(CAPTURED["messages"], lines, strict=True)):
        if message["topic"].startswith(topic):
            told = message if avro else line
            key, value = (
                told[part] and (base64.b64decode(told[part]) if avro else told[part].encode())
                for part in ("key", "value")
            )
            found.append((key, value, None, message["topic"], 0, place, ARRIVED))
    return found


class World:
    """A lake fed by hand from a Kafka source with a registry."""

    def __init__(self, spark: SparkSession, folder: Path, url: str | None, **table: Any) -> None:
        shop: dict[str, Any] = {"from": "kafka", "servers": "-", "topics": ["t"], "format": "debezium"}
        if url:
            shop["registry"] = {"kind": "confluent", "url": url}
        tables = {
            "bookings": {"source": "shop", "key": ["id"], **table},
            "hotels": {"source": "shop", "key": ["hotel_id"]},
            "flights": {"source": "shop", "key": ["airline", "number", "day"]},
        }
        self.config = Config.model_validate({"lake": str(folder), "sources": {"shop": shop}, "tables": tables})
        self.spark, self.lake = spark, Lake(spark, str(folder))
        upkeep: Any = SimpleNamespace(run=lambda **_: None)
        self._batches = Batches(Applier(spark, self.config), self.config, upkeep, threading.Event())
        over = SimpleNamespace(id="q", isActive=False, exception=lambda: None, stop=lambda: None)
        self._batches.follow([("shop", over)], 0, print, 1)

    def take(self, messages: list[Row], number: int = 0) -> None:
        frame = self.spark.createDataFrame(messages, MESSAGES)
        self._batches.of("shop", self.config.sources["shop"])(frame, number)

    def replay(self, take_from: str) -> dict[str, Any]:
        files = LakeFiles(self.config.lake)
        request = requests.write(files, requests.ReplayRequest(take_from))  # type: ignore[arg-type]
        replay.carry_out(files, self.spark, self.config, self._batches)
        return requests.outcome_of(files, request) or {}

    def table(self, name: str) -> DataFrame:
        return self.spark.read.format("delta").load(f"{self.config.lake}/tables/{name}")

    def rejects(self) -> list[Any]:
        place = REJECTS.path.format(job="apply_changes")
        return self.lake.read(place).collect() if self.lake.exists(place) else []


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        for id, schema in CAPTURED["schemas"].items():
            found.says(f"/schemas/ids/{id}", (200, schema))
        yield found


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is opened in workers, where no test can reach it: it is made here, with less patience."""
    monkeypatch.setattr(schema_registry, "client_of", lambda source: impatient(source.registry))


def impatient(settings: Any) -> Any:
    def opened() -> Any:
        from headrace.stores.kinesis.backoff import Backoff
        from headrace.stores.schema_registry import Remembering, asked

        return Remembering(asked(settings, Backoff(give_up=0.3)))

    return settings and opened


def test_events_in_avro_make_the_tables_that_the_same_events_make_as_json(spark, tmp_path, registry):
    worlds = [World(spark, tmp_path / "avro", registry.url), World(spark, tmp_path / "json", None)]
    for world, avro in zip(worlds, (True, False), strict=True):
        world.take(rows(avro))
        assert world.rejects() == []
    for name in ("bookings", "hotels"):
        avro, plain = (world.table(name).drop("_position") for world in worlds)
        assert avro.schema == plain.schema
        assert avro.count() > 0
        assert sorted(map(str, avro.collect())) == sorted(map(str, plain.collect()))


def test_masked_values_are_nowhere_in_the_lake_and_the_log_is_replayed_without_the_registry(spark, tmp_path, registry):
    world = World(
        spark, tmp_path / "lake", registry.url, mask=["notes", "customer"], columns={"notes": "sha2(notes, 256)"}
    )
    messages = rows(True)
    clear = {
        value.encode()
        for message in rows(False)
        for image in (json.loads(message[1] or "{}").get("payload") or {}).values()
        if isinstance(image, dict)
        for column, value in image.items()
        if column in ("notes", "customer") and isinstance(value, str) and len(value) > 8 and "debezium" not in value
    }
    assert len(clear) > 2
    broken = [(b"k", (messages[0][1] or b"") + b"x", None, "shop.public.bookings", 0, 99, ARRIVED)]
    world.take(messages + broken)
    assert [(row["reason"], row["message"]) for row in world.rejects()] == [("not Avro", b"")]
    for kept in (CHANGES_LOG.path, REJECTS.path.format(job="apply_changes")):
        for row in world.lake.read(kept).collect():
            assert not any(value in bytes(row["message"] or b"") for value in clear)
    before = sorted(map(str, world.table("bookings").drop("_carried", "_position").collect()))
    asked = len(registry.asked)
    assert world.replay("log")["messages"] == len(messages) + 1
    assert len(registry.asked) == asked
    assert sorted(map(str, world.table("bookings").drop("_carried", "_position").collect())) == before
    assert all(bytes(row["message"] or b"{")[:1] in b"{" for row in world.lake.read(CHANGES_LOG.path).collect())


def test_a_schema_that_comes_later_lets_a_replay_read_what_was_refused(spark, tmp_path, registry):
    world = World(spark, tmp_path / "lake", registry.url)
    missing = str(int.from_bytes((rows(True)[0][1] or b"")[1:5], "big"))
    known = registry.answers.pop(f"/schemas/ids/{missing}")
    messages = rows(True)
    world.take(messages)
    refused = world.rejects()
    assert {row["reason"] for row in refused} == {"unknown schema"}
    assert all(f"id {missing} " in row["detail"] for row in refused)
    assert {bytes(row["message"]) for row in refused} <= {message[1] for message in messages}
    registry.says(f"/schemas/ids/{missing}", *known)
    outcome = world.replay("rejects")
    assert (outcome["messages"], outcome["rejected"]) == (len(refused), 0)
    assert world.rejects() == []
    whole = World(spark, tmp_path / "other", registry.url)
    whole.take(messages)
    found, wanted = (sorted(map(str, one.table("bookings").collect())) for one in (world, whole))
    assert found == wanted


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [(503, Unreachable, "Look at the registry's log"), (401, FromWorker, "Check registry.username")],
)
def test_a_registry_that_does_not_answer_fails_the_batch_and_refuses_no_message(
    status, error, said, spark, tmp_path, registry
):
    world = World(spark, tmp_path / "lake", registry.url)
    registry.answers.clear()
    for id in CAPTURED["schemas"]:
        registry.says(f"/schemas/ids/{id}", (status, {"message": "no"}))
    with pytest.raises(error, match=said):
        world.take(rows(True))
    assert world.rejects() == []
    assert not world.lake.exists(CHANGES_LOG.path)
