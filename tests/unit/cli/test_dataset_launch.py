"""`headrace dataset launch`: the request that would start a training job. Whether services know it: test_launch."""

import json
from typing import Any

import pytest

from headrace.cli import main
from headrace.commands import dataset_launch
from headrace.stores.dataset_places import DatasetPlaces
from unit.cli.conftest import SmallLake
from unit.cli.dataset_world import START, folders, printed, tell, version

NEW = "ab22ab22ab22ab22"
PLACE = f"s3://datasets/exports/support/{NEW}"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASETS_KEY", "a key for tests only")
    # A dry run must need none.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def launch(small: SmallLake, *arguments: str) -> int:
    return main(["dataset", "launch", "support", *arguments, "--config", small.settings])


def test_a_dry_run_prints_the_request_for_sagemaker(small, capsys):
    tell(small, version(NEW, 0))
    assert launch(small, "llama", "--dry-run") == 0
    found = printed(capsys)
    assert (found["service"], found["operation"]) == ("sagemaker", "create_training_job")
    asked = found["arguments"]
    assert asked["TrainingJobName"] == f"headrace-support-{NEW[:12]}-1"
    sources = [one["DataSource"]["S3DataSource"]["S3Uri"] for one in asked["InputDataConfig"]]
    assert sources == [f"{PLACE}.trl_sft/train.manifest", f"{PLACE}.trl_sft/validation.manifest"]
    assert {"Key": "headrace:version", "Value": NEW} in asked["Tags"]


def test_a_dry_run_prints_the_request_for_bedrock_and_another_attempt_is_another_job(small, capsys):
    tell(small, version(NEW, 0, folder="/data/exports"))
    at = ["--at", "s3://public", "--dry-run"]
    assert launch(small, "nova", *at, "--attempt", "2") == 0
    asked = printed(capsys)["arguments"]
    place = f"s3://public/support/{NEW}.nova"
    assert asked["trainingDataConfig"] == {"s3Uri": f"{place}/train/part-00001-of-00001.jsonl"}
    assert asked["validationDataConfig"] == {"validators": [{"s3Uri": f"{place}/validation/part-00001-of-00001.jsonl"}]}
    assert asked["jobName"] == asked["clientRequestToken"] == f"headrace-support-{NEW[:12]}-2"


def test_a_call_sends_what_the_manifest_of_the_version_names(small, capsys, monkeypatch):
    """The manifest is one that was written; S3 and the service are stood in for."""
    tell(small, version(NEW, 0))
    root = folders(small.folder / "exports", NEW, ("nova",))
    manifest = DatasetPlaces(root).manifest("support", NEW, "nova")
    monkeypatch.setattr(DatasetPlaces, "manifest", lambda *_: manifest)
    sent: list[Any] = []
    monkeypatch.setattr(dataset_launch, "start", lambda *given: sent.append(given) or "arn:aws:bedrock:job")
    assert launch(small, "nova") == 0
    assert capsys.readouterr().out == "arn:aws:bedrock:job\n"
    service, operation, name, arguments, region = sent[0]
    assert (service, operation, region) == ("bedrock", "create_model_customization_job", None)
    assert name == arguments["jobName"] and json.dumps(arguments)
    assert arguments["trainingDataConfig"]["s3Uri"] == f"{PLACE}.nova/train/part-00001-of-00001.jsonl"


@pytest.mark.parametrize(
    ("told", "arguments", "said"),
    [
        ({}, ["gpt"], "datasets.sets.support.launch: expected one of the jobs chat, llama, nova; found gpt"),
        ({}, ["chat"], "expected the format converse; found trl_sft, nova"),
        ({"folder": "/data"}, ["llama"], f"expected a version in S3; found /data/support/{NEW}.trl_sft"),
        ({"revoked_at": START}, ["llama", "--version", NEW], "found revoked at 2026-03-01 00:00"),
        ({"revoked_at": START}, ["llama"], "expected 1 versions for newest; found 0 that are not revoked"),
        ({}, ["llama", "--version", "zz"], "support: expected a version; found zz"),
    ],
)
def test_what_cannot_be_trained_on(small, capsys, told, arguments, said):
    tell(small, version(NEW, 0, **told))
    assert launch(small, *arguments, "--dry-run") == (2 if arguments == ["gpt"] else 1)
    out, err = capsys.readouterr()
    assert out == "" and said in err


def test_bedrock_takes_one_file_only(small, capsys):
    tell(small, version(NEW, 0, formats=["trl_sft", "converse"]))
    text = (small.folder / "headrace.yaml").read_text()
    changed = text.replace("format: nova,", "format: converse,").replace(
        "[trl_sft, nova]", "[trl_sft, converse], files: 2"
    )
    (small.folder / "headrace.yaml").write_text(
        changed.replace("formats: [trl_sft, converse], files: 2", "formats: [trl_sft, converse]\n      files: 2")
    )
    assert launch(small, "nova", "--dry-run") == 1
    assert "expected one file in a split, for Bedrock; found 2 files" in capsys.readouterr().err
