"""The demo's changes through an emulated Kinesis into Delta on an emulated S3: the same comparison as `make demo`."""

import json
import random
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import boto3
import pytest

from glue_like import start
from headrace.config_file import load
from headrace.pipelines import demo
from headrace.travel.agency import Agency
from headrace.travel.channel import deliver
from servers.kinesis import KinesisServer
from terraform.aws import environment, s3a
from terraform.emulator import moto

pytestmark = pytest.mark.soak

SOURCE = "shop: {from: files, path: ./in, format: debezium}"


def test_the_demo_through_kinesis_and_s3_ends_as_make_demo_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    agency = Agency(demo.SEED, began=datetime.now(UTC) - timedelta(hours=2), steps=demo.STEPS)
    waves = deliver(agency.database.log, random.Random(demo.SEED))
    lines = [one.line for wave in waves for file in wave for one in file]
    kinesis = KinesisServer(tmp_path / "kinesis", "lite").start()
    try:
        with moto(tmp_path / "moto.log") as url:
            environ = environment(url, kinesis)
            for name, value in environ.items():
                monkeypatch.setenv(name, value)
            boto3.client("s3").create_bucket(
                Bucket="travel", CreateBucketConfiguration={"LocationConstraint": environ["AWS_REGION"]}
            )
            kinesis.create("shop", shards=2)
            # Debezium sends no tombstones to Kinesis: a record there has no key beside its value.
            records = [
                (json.dumps(line["key"])[:256] or "-", json.dumps(line["value"]).encode())
                for line in lines
                if line["value"] is not None
            ]
            assert kinesis.put("shop", records) == len(records) > 2_500
            settings = files("headrace.travel").joinpath("headrace.yaml").read_text("utf-8")
            shop = settings.partition("# What search finds")[0].splitlines(keepends=True)
            # Without the two other systems and the assistant, which send files.
            tables = "".join(line for line in shop if not line.strip().startswith(("call", "device", "talks")))
            assert SOURCE in tables
            stream = f"shop: {{from: kinesis, streams: [shop], region: {environ['AWS_REGION']}, format: debezium}}"
            file = tmp_path / "headrace.yaml"
            file.write_text(tables.replace(SOURCE, stream).replace("lake: ./lake", "lake: s3://travel/lake"))
            run = start(
                "apply_changes", ["--config", str(file), "--JOB_RUN_ID", "demo", "--once", "true"], tmp_path / "spark",
                spark=s3a(environ), s3=True, environ=environ,
            )  # fmt: skip
            assert run.wait(500) == 0, (tmp_path / "spark" / "apply_changes.log").read_text()[-4000:]
            equal = demo._judge(load(file), agency)
    finally:
        kinesis.stop()
    printed = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{printed}")
    assert equal and "5 tables equal the source: yes" in printed
