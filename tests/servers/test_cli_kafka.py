"""`check`, `init` and the lag in `status` against a real broker, without Spark."""

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.cli import main
from headrace.config_file import load
from headrace.pipelines.lag import checkpoint_folder

from .kafka import Kafka


def event(table: str, row: dict[str, Any], lsn: int) -> bytes:
    source = {"connector": "postgresql", "schema": "public", "table": table, "lsn": lsn, "ts_ms": 1}
    return json.dumps({"before": None, "after": row, "source": source, "op": "c"}).encode()


@pytest.fixture(scope="module")
def topics(kafka: Kafka) -> Kafka:
    """Two Debezium topics, one of plain rows."""
    kafka.create_topic("cli.public.users", partitions=2)
    kafka.create_topic("cli.public.seats")
    kafka.create_topic("clicks")
    for number in range(30):
        key = json.dumps({"id": number}).encode()
        kafka.send("cli.public.users", key, event("users", {"id": number, "name": "x"}, number))
        kafka.send("clicks", None, json.dumps({"click_id": f"c{number}", "seq": number, "page": "/"}).encode())
    seat = {"flight": "LH400", "seat": 3, "note": "x"}
    key = {"schema": None, "payload": {"flight": "LH400", "seat": 3}}
    kafka.send("cli.public.seats", json.dumps(key).encode(), event("seats", seat, 99))
    kafka.flush()
    return kafka


def test_init_proposes_tables_and_keys_from_live_topics(topics: Kafka, tmp_path: Path) -> None:
    out = tmp_path / "headrace.yaml"
    arguments = ["--from", "kafka", "--servers", topics.servers, "--topics", "cli.public.*", "--out", str(out)]
    assert main(["init", *arguments]) == 0
    config = load(out)
    assert {name: (source.format, source.topics) for name, source in config.sources.items()} == {
        "cli": ("debezium", ("cli.public.*",))
    }
    assert {name: (table.source_table, table.key) for name, table in config.tables.items()} == {
        "users": ("public.users", ("id",)),
        "seats": ("public.seats", ("flight", "seat")),
    }


def test_init_gives_topics_of_plain_rows_a_source_each(topics: Kafka, tmp_path: Path) -> None:
    out = tmp_path / "headrace.yaml"
    arguments = ["--from", "kafka", "--servers", topics.servers, "--topics", "cl*", "--out", str(out)]
    assert main(["init", *arguments]) == 0
    config = load(out)
    assert config.sources["clicks"].topics == ("clicks",)
    assert config.sources["clicks"].position[0].column == "seq"
    assert config.tables["clicks"].key == ("click_id",)
    assert set(config.sources["cli"].topics) == {"cli.public.users", "cli.public.seats"}


def test_init_names_the_topics_there_are_when_none_matches(topics: Kafka, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--from", "kafka", "--servers", topics.servers, "--topics", "nope.*"]) == 2
    error = capsys.readouterr().err
    assert "expected topics matching nope.*; found none; the cluster has " in error and "clicks" in error


def test_check_and_lag_ask_the_broker(topics: Kafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(
        f"lake: ./lake\nsources: {{shop: {{from: kafka, servers: '{topics.servers}', topics: ['cli.public.*'], "
        "format: debezium}}\ntables: {users: {source: shop, key: [id]}}\n"
    )
    assert main(["check", "--config", str(file)]) == 0
    assert "2 topics match (cli.public.seats, cli.public.users)" in capsys.readouterr().out
    assert lag(file, capsys) == {"behind": 31, "unit": "messages", "why": ""}
    folder = Path(checkpoint_folder(load(file), "shop"))
    (folder / "offsets").mkdir(parents=True)
    (folder / "commits").mkdir()
    (folder / "offsets" / "0").write_text('v1\n{}\n{"cli.public.seats":{"0":1}}')
    (folder / "commits" / "0").write_text("v1\n{}")
    assert lag(file, capsys) == {"behind": 30, "unit": "messages", "why": ""}


def lag(file: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["status", "--json", "--config", str(file)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["sources"]["shop"]["lag"]
    return found
