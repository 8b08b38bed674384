"""What ToAvro printed, with the schemas its messages name, as a fixture: see README.md."""

import base64
import json
import sys
import urllib.request
from typing import Any
from uuid import UUID


def main(out: str, registry: str) -> None:
    """Read ToAvro's lines from standard input; write `out`, and `connect.jsonl` beside it for Confluent's."""
    events = [json.loads(line[2:]) for line in sys.stdin if line.startswith("> ")]
    raw = [base64.b64decode(event[part]) for event in events for part in ("key", "value") if event.get(part)]
    glue = raw[0][:1] == b"\3"
    ids = sorted({str(UUID(bytes=one[2:18])) if glue else str(int.from_bytes(one[1:5], "big")) for one in raw})
    schemas = {id: of_glue(registry, id) if glue else of_confluent(registry, id) for id in ids}
    messages = [{part: event[part] for part in ("topic", "key", "value")} for event in events]
    with open(out, "w") as file:
        file.write(json.dumps({"schemas": schemas, "messages": messages}, indent=1) + "\n")
    if not glue:
        with open("connect.jsonl", "w") as file:
            for event in events:
                file.write(json.dumps({part: event.get(f"{part}_json") for part in ("key", "value")}) + "\n")


def of_confluent(registry: str, id: str) -> Any:
    with urllib.request.urlopen(f"{registry}/schemas/ids/{id}") as answer:
        return json.load(answer)


def of_glue(registry: str, id: str) -> Any:
    import boto3

    client = boto3.client("glue", endpoint_url=registry, region_name="eu-west-1")
    found = client.get_schema_version(SchemaVersionId=id)
    return {"schema": found["SchemaDefinition"], "schemaType": found["DataFormat"]}


if __name__ == "__main__":
    main(*sys.argv[1:])
