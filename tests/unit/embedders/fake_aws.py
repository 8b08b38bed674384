"""Clients that answer as the documentation of Bedrock and SageMaker says, without AWS."""

import io
import json
from typing import Any

from unit.embedders.model_server import DIMENSION, vector_of


class FakeBedrock:
    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def invoke_model(self, *, modelId: str, contentType: str, accept: str, body: bytes) -> dict[str, Any]:
        asked = json.loads(body)
        self.calls.append(asked)
        if "titan" in modelId:
            numbers = vector_of(asked["inputText"], asked["dimensions"])
            answer: dict[str, Any] = {"embedding": numbers, "inputTextTokenCount": 3}
        else:
            dimension = asked.get("output_dimension", 1024)
            numbers_of = [vector_of(asked["input_type"] + text, dimension) for text in asked["texts"]]
            answer = {"embeddings": {"float": numbers_of}, "response_type": "embeddings_by_type", "id": "1"}
        return {"body": io.BytesIO(json.dumps(answer).encode()), "contentType": "application/json"}

    def close(self) -> None:
        pass


class FakeSageMaker:
    def invoke_endpoint(self, *, EndpointName: str, ContentType: str, Accept: str, Body: bytes) -> dict[str, Any]:
        numbers = [vector_of(text, DIMENSION) for text in json.loads(Body)["inputs"]]
        return {"Body": io.BytesIO(json.dumps(numbers).encode())}

    def close(self) -> None:
        pass
