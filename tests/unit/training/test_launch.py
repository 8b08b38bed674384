"""Requests to trainers, checked by botocore against the services' own descriptions."""

import re
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber
from pydantic import TypeAdapter, ValidationError

from headrace.config_launch import BedrockLaunch, Launch, SageMakerLaunch
from headrace.errors import ConfigError, HeadraceError
from headrace.stores.training_jobs import start
from headrace.training.launch import Asked, Trained, asked, job_name

ROLE = "arn:aws:iam::123456789012:role/training"
VERSION = "0123456789abcdef" * 4
OF = Trained(
    "support_chat", VERSION, "s3://data/support/0123",
    {"train": ("train/part-00001-of-00001.jsonl",), "validation": ("validation/part-00001-of-00001.jsonl",)},
)  # fmt: skip
IMAGE = {"service": "sagemaker", "image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/trl:2"}
BASE = {
    "service": "sagemaker",
    "base_model": "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/nova/1.0",
}
NOVA = {"service": "bedrock", "base_model": "amazon.nova-lite-v1:0:300k"}
NETWORK = {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
SHAPES: dict[str, dict[str, Any]] = {
    "an image": IMAGE | NETWORK | {"kms_key": KEY, "hyperparameters": {"epochs": 3}, "train": "training"},
    "a base model": BASE | {"technique": "DPO", "accept_eula": True, "tags": {"team": "support"}},
    "with a package group": BASE | {"package_group": "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g"},
    "Nova": NOVA | NETWORK | {"kms_key": KEY, "hyperparameters": {"epochCount": "2"}},
    "a distillation": NOVA | {"kind": "DISTILLATION", "teacher": "amazon.nova-premier-v1:0"},
}


def launch(told: dict[str, Any]) -> SageMakerLaunch | BedrockLaunch:
    made: SageMakerLaunch | BedrockLaunch = TypeAdapter(Launch).validate_python(
        {"role": ROLE, "output": "s3://models/out"} | told
    )
    return made


def stubbed(found: Asked) -> tuple[Any, Stubber]:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = get_session().create_client(found.service, region_name="us-east-1", **keys)
    return client, Stubber(client)


def started(found: Asked, client: Any) -> str:
    return start(found.service, found.operation, found.name, found.arguments, "us-east-1", client)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_service_knows_the_request(shape: str) -> None:
    found = asked(launch(SHAPES[shape]), OF)
    client, stub = stubbed(found)
    arn = f"arn:aws:{found.service}:us-east-1:123456789012:training-job/{found.name}"
    if found.service == "bedrock":
        arn = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-lite-v1:0:300k/abcdefghijkl"
    key = "TrainingJobArn" if found.service == "sagemaker" else "jobArn"
    stub.add_response(found.operation, {key: arn}, found.arguments)
    with stub:
        assert started(found, client) == arn
    assert asked(launch(SHAPES[shape]), OF) == found, "the same version is asked for in the same words"


def test_the_version_is_pinned() -> None:
    image = asked(launch(SHAPES["an image"]), OF).arguments
    sources = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in image["InputDataConfig"]}
    place = "s3://data/support/0123"
    assert sources == {"training": f"{place}/train.manifest", "validation": f"{place}/validation.manifest"}
    assert {"Key": "headrace:version", "Value": VERSION} in image["Tags"]
    nova = asked(launch(NOVA), OF).arguments
    assert nova["trainingDataConfig"] == {"s3Uri": f"{place}/train/part-00001-of-00001.jsonl"}
    assert nova["validationDataConfig"]["validators"] == [{"s3Uri": f"{place}/validation/part-00001-of-00001.jsonl"}]


@pytest.mark.parametrize("dataset", ["support_chat", "_", "a" * 100])
def test_names_of_jobs_fit_both_services(dataset: str) -> None:
    name = job_name(Trained(dataset, VERSION, "s3://b", {}), 12)
    pattern = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    assert re.fullmatch(pattern, name) and name.endswith("-0123456789ab-12")


def test_a_job_that_is_there_is_left_alone() -> None:
    found = asked(launch(IMAGE), OF)
    client, stub = stubbed(found)
    stub.add_client_error(found.operation, "ResourceInUse", "it is there", http_status_code=400)
    stub.add_client_error(found.operation, "AccessDeniedException", "no", http_status_code=403)
    with stub:
        assert started(found, client) == found.name
        with pytest.raises(HeadraceError, match="AccessDenied"):
            started(found, client)
    broken = Asked(found.service, found.operation, {**found.arguments, "HyperParameters": {"epochs": 3}})
    with pytest.raises(ConfigError, match="a request that the service knows"):
        started(broken, client)


@pytest.mark.parametrize(
    "told",
    [
        {"service": "sagemaker"}, IMAGE | BASE, IMAGE | {"subnets": ["subnet-1"]},
        NOVA | {"teacher": "x"}, NOVA | {"kind": "DISTILLATION"}, NOVA | {"role": "training"},
        NOVA | {"output": "/tmp/models"},
    ],
)  # fmt: skip
def test_what_cannot_be_launched(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        launch(told)
