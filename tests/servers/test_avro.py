"""Real converters' bytes in real Kafka, their schemas in a real registry: Avro as a job meets it."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from pyspark.sql import DataFrame, SparkSession

from headrace.cli import main
from headrace.config_file import load
from headrace.pipelines import apply_changes
from headrace.tables import REJECTS

from .kafka import Kafka
from .registry import SchemaRegistry

CAPTURED = json.loads((Path(__file__).parents[1] / "data" / "avro" / "confluent.json").read_text())


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchemaRegistry]:
    server = SchemaRegistry(tmp_path_factory.mktemp("registry"))
    try:
        yield server.start()
    finally:
        server.stop()


def settings(folder: Path, kafka: Kafka, registry: str, topic: str, source: str, table: str) -> Path:
    file = folder / "headrace.yaml"
    file.write_text(
        f"lake: ./lake\nsources:\n  shop: {{from: kafka, servers: '{kafka.servers}', topics: ['{topic}'], {source}, "
        f"registry: {{kind: confluent, url: '{registry}'}}}}\ntables: {{{table}}}\n"
    )
    return file


def applied(file: Path, table: str, spark: SparkSession) -> DataFrame:
    config = load(file)
    apply_changes.run(config, once=True, stop=threading.Event())
    return spark.read.format("delta").load(f"{config.lake}/tables/{table}")


def test_captured_events_become_rows_and_what_has_no_schema_is_refused(
    kafka: Kafka, registry: SchemaRegistry, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids: dict[int, int] = {}

    def sent(part: str | None) -> bytes | None:
        """The bytes with the id that this registry gave the schema."""
        if part is None:
            return None
        raw = base64.b64decode(part)
        old = int.from_bytes(raw[1:5], "big")
        if old not in ids:
            ids[old] = registry.register(f"captured-{old}", CAPTURED["schemas"][str(old)]["schema"])
        return b"\0" + ids[old].to_bytes(4, "big") + raw[5:]

    kafka.create_topic("avro.public.bookings")
    messages = [one for one in CAPTURED["messages"] if one["topic"] == "shop.public.bookings"]
    for one in messages:
        kafka.send("avro.public.bookings", sent(one["key"]), sent(one["value"]))
    kafka.send("avro.public.bookings", b"k", b"\0\0\x0f\xff\xff" + b"x")
    kafka.flush()
    file = settings(
        tmp_path, kafka, registry.url, "avro.public.*", "format: debezium", "bookings: {source: shop, key: [id]}"
    )
    assert main(["check", "--config", str(file)]) == 0
    assert f"{registry.url}: AVRO, JSON, PROTOBUF" in capsys.readouterr().out
    rows = applied(file, "bookings", spark)
    assert dict(rows.dtypes)["price"] == "decimal(12,2)"
    assert dict(rows.dtypes)["changed"] == "timestamp"
    assert rows.count() > 0
    (refused,) = (
        spark.read.format("delta").load(f"{tmp_path}/lake/{REJECTS.path.format(job='apply_changes')}").collect()
    )
    assert (refused["reason"], bytes(refused["message"])) == ("unknown schema", b"\0\0\x0f\xff\xffx")


def test_a_schema_that_imports_another_gives_rows_with_exact_types(
    kafka: Kafka, registry: SchemaRegistry, spark: SparkSession, tmp_path: Path
) -> None:
    money = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    price: dict[str, Any] = {"type": "record", "name": "shop.Price", "fields": [{"name": "amount", "type": money}]}
    order = {
        "type": "record", "name": "shop.Order",
        "fields": [
            {"name": "id", "type": "long"}, {"name": "price", "type": "shop.Price"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        ],
    }  # fmt: skip
    registry.register("shop.Price", json.dumps(price))
    id = registry.register("orders-value", json.dumps(order), ("shop.Price", "shop.Price", 1))
    whole = json.loads(json.dumps(order).replace('"shop.Price"', json.dumps(price)))
    stream = io.BytesIO()
    value = {"id": 7, "price": {"amount": Decimal("12.50")}, "at": 1_700_000_000_123_456}
    fastavro.schemaless_writer(stream, fastavro.parse_schema(whole), value)
    kafka.create_topic("orders")
    kafka.send("orders", None, b"\0" + id.to_bytes(4, "big") + stream.getvalue())
    kafka.flush()
    file = settings(
        tmp_path, kafka, registry.url, "orders", "format: json, position: [at]", "orders: {source: shop, key: [id]}"
    )
    rows = applied(file, "orders", spark)
    assert [dict(rows.dtypes)[name] for name in value] == ["bigint", "struct<amount:decimal(9,2)>", "timestamp"]
    (row,) = rows.selectExpr("id", "price.amount", "unix_micros(at) AS at").collect()
    assert row.asDict() == {"id": 7, "amount": Decimal("12.50"), "at": 1_700_000_000_123_456}


def test_check_says_what_to_fix_where_the_registry_is_not_there_or_is_none(
    kafka: Kafka, registry: SchemaRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for url, said in (
        ("http://127.0.0.1:9", "Check registry.url, the server and the network."),
        (registry.url.replace("/apis/ccompat/v7", "/nothing"), "Apicurio's ends in /apis/ccompat/v7."),
    ):
        file = settings(tmp_path, kafka, url, "orders", "format: debezium", "orders: {source: shop, key: [id]}")
        assert main(["check", "--config", str(file)]) == 1
        assert said in capsys.readouterr().out
