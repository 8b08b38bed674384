"""AWS Glue Schema Registry as moto emulates it: what AWS's own converter wrote is read with its schemas."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest

from headrace.changes.envelope import Message
from headrace.changes.formats.avro import AvroMessages
from headrace.config_registry import GlueRegistry
from headrace.config_sources import KafkaSource
from headrace.stores import schema_registry
from terraform.emulator import moto

DATA = Path(__file__).parents[1] / "data" / "avro"


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, moto(tmp_path_factory.mktemp("glue") / "moto.log") as url:
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        yield url


@pytest.mark.parametrize("name", ["glue", "glue_zlib"])
def test_what_the_converter_of_aws_wrote_is_read_with_the_schemas_of_the_registry(name, glue):
    held = json.loads((DATA / f"{name}.json").read_text())
    aws = boto3.client("glue", region_name="eu-west-1", endpoint_url=glue)
    aws.create_registry(RegistryName=name)
    ids = {
        id: aws.create_schema(
            RegistryId={"RegistryName": name}, SchemaName=f"s{number}", DataFormat="AVRO", Compatibility="NONE",
            SchemaDefinition=schema["schema"],
        )["SchemaVersionId"]
        for number, (id, schema) in enumerate(held["schemas"].items())
    }  # fmt: skip

    def sent(part: str | None) -> bytes | None:
        raw = part and base64.b64decode(part)
        return raw and raw[:2] + UUID(ids[str(UUID(bytes=raw[2:18]))]).bytes + raw[18:]  # type: ignore[return-value]

    settings: dict[str, Any] = {"kind": "glue", "region": "eu-west-1", "endpoint": glue}
    source = {"from": "kafka", "servers": "-", "topics": ["t"], "format": "debezium", "registry": settings}
    read = AvroMessages(KafkaSource.model_validate(source), schema_registry.opened(GlueRegistry(**settings)))
    for message, line in zip(held["messages"], (DATA / "connect.jsonl").read_text().splitlines(), strict=True):
        found, wanted = read(Message(sent(message["key"]), sent(message["value"]))), json.loads(line)
        for mine, theirs in ((found.key, wanted["key"]), (found.value, wanted["value"])):
            assert (mine and json.loads(mine)["payload"]) == (theirs and json.loads(theirs)["payload"])


def test_an_unknown_schema_version_is_none_and_the_registry_can_be_tried(glue):
    client = schema_registry.asked(GlueRegistry(kind="glue", region="eu-west-1", endpoint=glue))
    assert client.schema(uuid4()) is None
    assert client.tried() == "answers"
