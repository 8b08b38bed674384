"""What `check`, `status` and `init` see of Kinesis."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace import cli
from headrace.config import Config
from headrace.errors import ConfigError, Fatal
from headrace.pipelines import check
from headrace.pipelines.lag import Lag, checkpoint_folder, lag
from kinesis_sim import HOUR, SimKinesis


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> SimKinesis:
    sim = SimKinesis(shards=2)
    sim.now = round(time.time() * 1000)
    monkeypatch.setattr("headrace.stores.kinesis.api.aws_client", lambda *_, **__: sim)
    return sim


def config(folder: Path, **more: Any) -> Config:
    source = {"from": "kinesis", "streams": ["orders"], "region": "r", "format": "dms", **more}
    settings = {
        "lake": str(folder),
        "sources": {"s": source},
        "tables": {"t": {"source": "s", "source_table": "p.t", "key": ["id"]}},
    }
    return Config.model_validate(settings)


def committed(settings: Config, shards: dict[str, str]) -> None:
    folder = Path(checkpoint_folder(settings, "s"))
    for name in ("offsets", "commits"):
        (folder / name).mkdir(parents=True)
    offset = json.dumps({"shards": shards, "from": {}, "at": 1, "created": 1})
    (folder / "offsets" / "0").write_text(f"v1\n{{}}\n{offset}")
    (folder / "commits" / "0").write_text("v1\n{}")


def test_lag_is_the_age_of_the_oldest_record_that_is_not_read(tmp_path: Path, service: SimKinesis) -> None:
    settings = config(tmp_path)
    assert lag(settings, "s") == Lag(0, "seconds")
    service.now -= HOUR
    first = service.put("a")
    service.now += HOUR - 60_000
    last = service.put("a")
    service.now += 60_000
    assert 3600 <= (lag(settings, "s").behind or 0) <= 3602
    shard = service.home[first.sequence]
    committed(settings, {name: str(first.sequence) if name == shard else "T" for name in service.shards})
    assert 60 <= (lag(settings, "s").behind or 0) <= 62
    (Path(checkpoint_folder(settings, "s")) / "offsets" / "0").unlink()
    assert lag(config(tmp_path, first_position="latest"), "s").behind == 0
    assert "platform's own" in lag(config(tmp_path, reader="glue"), "s").why
    assert last.sequence > first.sequence


def test_nothing_is_behind_where_all_is_read(tmp_path: Path, service: SimKinesis) -> None:
    row, settings = service.put("a"), config(tmp_path)
    committed(settings, {name: str(row.sequence) if service.shards[name].rows else "T" for name in service.shards})
    assert lag(settings, "s") == Lag(0, "seconds")


def test_check_reads_once_and_names_what_is_not_allowed(tmp_path: Path, service: SimKinesis) -> None:
    title = "source s: kinesis"
    (found,) = [one for one in check.check(config(tmp_path)) if one.name == title]
    assert found.ok and found.said == "sim: ACTIVE, 2 open shards, keeps 24 hours".replace("sim", "orders")
    assert service.calls == ["describe", "list", "iterator", "records"]
    service.get_records = _refused  # type: ignore[method-assign]
    (found,) = [one for one in check.check(config(tmp_path)) if one.name == title]
    assert not found.ok and "GetRecords" in found.todo


def _refused(**_: Any) -> Any:
    raise Fatal(expected="an answer", found="AccessDenied", todo="Allow GetRecords.")


def test_init_proposes_settings_that_load(
    tmp_path: Path, service: SimKinesis, capsys: pytest.CaptureFixture[str]
) -> None:
    events = json.loads((Path(__file__).parents[3] / "data" / "events" / "dms_kinesis_kafka.json").read_text("utf-8"))
    for name in ("MSG_DATA_LOAD", "MSG_DATA_INSERT", "MSG_DATA_DELETE"):
        service.put("a", json.dumps(events[name]).encode())
    assert cli.main(["init", "--from", "kinesis", "--streams", "orders", "--region", "eu-west-1"]) == 0
    proposed = yaml.safe_load(capsys.readouterr().out)
    assert proposed["sources"]["orders"] == {
        "from": "kinesis", "region": "eu-west-1", "streams": ["orders"], "format": "dms",
    }  # fmt: skip
    assert list(proposed["tables"]) == ["foo"]
    Config.model_validate(proposed)


def test_init_wants_streams(service: SimKinesis, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--from", "kinesis"]) != 0
    assert "--streams orders" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"external_id": "x"}, "external_id"),
        ({"options": {"a": "b"}}, "options"),
        ({"streams": ["a", "a"]}, "streams"),
        ({"streams": []}, "streams"),
        ({"first_position": "yesterday"}, "first_position"),
        ({"on_lost": "skip"}, "on_lost"),
        ({"awsSecretKey": "hunter2"}, "awsSecretKey"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, more: dict[str, Any], where: str) -> None:
    from headrace.config_file import load

    file = tmp_path / "headrace.yaml"
    source = {"from": "kinesis", "streams": ["orders"], "format": "dms", **more}
    table = {"source": "s", "source_table": "p.t", "key": ["id"]}
    file.write_text(yaml.safe_dump({"lake": "./lake", "sources": {"s": source}, "tables": {"t": table}}))
    with pytest.raises(ConfigError, match=f"sources.s.{where}") as caught:
        load(file)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("given", ["earliest", "trim_horizon", "latest", "2026-11-22T09:00:00Z", "2026-11-22"])
def test_first_positions(tmp_path: Path, given: str) -> None:
    found = config(tmp_path, first_position=yaml.safe_load(given)).sources["s"].first_position  # type: ignore[union-attr]
    assert found in ("trim_horizon", "latest") or found.startswith("2026-11-22")
