"""Bedrock against botocore's stubs, in the shapes its documentation shows. No real service was asked."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber

from headrace.config_knowledge import BedrockEmbed
from headrace.errors import ConfigError, Fatal, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.bedrock import BedrockEmbedder
from headrace.stores.embedders import check

TITAN, COHERE_3, COHERE_4 = "amazon.titan-embed-text-v2:0", "cohere.embed-english-v3", "cohere.embed-v4:0"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = aws_client("bedrock-runtime", region="eu-central-1", role=None, seconds=1, calls=1)
    with Stubber(client) as stubber:
        stubber.ours = client  # type: ignore[attr-defined]
        yield stubber
    client.close()


def made(stub: Any, model: str = TITAN, dimension: int = 256, **more: object) -> BedrockEmbedder:
    settings = BedrockEmbed.model_validate({"provider": "bedrock", "model": model, "dimension": dimension, **more})
    return BedrockEmbedder(settings, client=stub.ours)


def expect(stub: Stubber, model: str, body: dict[str, Any], answer: Any) -> None:
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    asked = {
        "modelId": model,
        "contentType": "application/json",
        "accept": "application/json",
        "body": json.dumps(body, ensure_ascii=False).encode(),
    }
    response = {"contentType": "application/json", "body": StreamingBody(io.BytesIO(content), len(content))}
    stub.add_response("invoke_model", response, asked)


def test_titan_gets_one_text_with_its_dimension(stub):
    one = made(stub)
    expect(
        stub,
        TITAN,
        {"inputText": "Zimmer für zwei", "dimensions": 256, "normalize": True},
        {"embedding": [2.0] + [0.0] * 255, "embeddingsByType": {"float": []}, "inputTextTokenCount": 4},
    )
    assert one.embed(["Zimmer für zwei"])[0, :2].tolist() == [1.0, 0.0]
    assert one.batch == 1 and one.parallel == 8
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(("purpose", "sent"), [("document", "search_document"), ("query", "search_query")])
def test_cohere_v3_gets_all_texts_and_the_purpose(stub, purpose, sent):
    one = made(stub, COHERE_3, 1024)
    body = {"texts": ["a", "b"], "input_type": sent, "truncate": "END", "embedding_types": ["float"]}
    rows = np.eye(1024)[:2].tolist()
    expect(stub, COHERE_3, body, {"embeddings": {"float": rows}, "response_type": "embeddings_by_type"})
    assert one.embed(["a", "b"], purpose).argmax(axis=1).tolist() == [0, 1]
    assert one.batch == 96


def test_cohere_v4_gets_the_dimension_and_its_own_word_for_cutting(stub):
    body = {
        "texts": ["a"], "input_type": "search_document", "truncate": "RIGHT", "embedding_types": ["float"],
        "output_dimension": 512,
    }  # fmt: skip
    expect(stub, "eu." + COHERE_4, body, {"embeddings": {"float": [[1.0] * 512]}})
    assert made(stub, "eu." + COHERE_4, 512).embed(["a"]).shape == (1, 512)


def test_coheres_older_answer_is_understood(stub):
    body = {"texts": ["a"], "input_type": "search_document", "truncate": "END", "embedding_types": ["float"]}
    expect(stub, COHERE_3, body, {"embeddings": [[1.0] * 1024], "response_type": "embeddings_floats"})
    assert made(stub, COHERE_3, 1024).embed(["a"]).shape == (1, 1024)


@pytest.mark.parametrize("answer", [b"", b"[]", b"<html>", {}, {"embedding": None}, {"embedding": "x"}])
def test_an_answer_that_makes_no_sense_is_worth_another_try(stub, answer):
    expect(stub, TITAN, {"inputText": "a", "dimensions": 256, "normalize": True}, answer)
    with pytest.raises(Retryable):
        made(stub).embed(["a"])


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        ("ThrottlingException", 429, "Too many requests", Throttled),
        ("ServiceUnavailableException", 503, "Too many connections", Throttled),
        ("ModelNotReadyException", 429, "not ready", Throttled),
        ("ServiceQuotaExceededException", 400, "quota", Throttled),
        ("InternalServerException", 500, "oh", Retryable),
        ("ModelTimeoutException", 408, "slow", Retryable),
        ("ModelErrorException", 424, "oh", Retryable),
        ("ValidationException", 400, "Too many input tokens. Max input tokens: 8192", Unacceptable),
        ("ValidationException", 400, "The provided model identifier is invalid.", Fatal),
        ("ValidationException", 400, "Invocation with on-demand throughput isn't supported", Fatal),
        ("AccessDeniedException", 403, "You don't have access to the model", Fatal),
        ("ResourceNotFoundException", 404, "no such model", Fatal),
        ("UnrecognizedClientException", 403, "The security token is invalid", Fatal),
        ("ExpiredTokenException", 403, "expired", Fatal),
    ],
)
def test_every_error_of_the_service_means_one_thing_to_us(stub, code, status, message, kind):
    stub.add_client_error("invoke_model", code, message, status)
    with pytest.raises(kind, match=code) as caught:
        made(stub).embed(["a"])
    assert caught.value.where == TITAN and caught.value.todo
    assert kind is not Retryable or not isinstance(caught.value, Throttled)


def test_an_error_the_service_documents_is_none_we_do_not_know(stub):
    shapes = stub.ours.meta.service_model.operation_model("InvokeModel").error_shapes
    known = {"ThrottlingException", "ServiceUnavailableException", "ModelNotReadyException", "ModelErrorException",
             "ServiceQuotaExceededException", "InternalServerException", "ModelTimeoutException",
             "ValidationException", "AccessDeniedException", "ResourceNotFoundException"}  # fmt: skip
    assert {shape.name for shape in shapes} <= known


def test_a_retry_after_of_the_service_is_kept(stub):
    meta = {"HTTPHeaders": {"retry-after": "3"}}
    stub.add_client_error("invoke_model", "ThrottlingException", "slow", 429, response_meta=meta)
    with pytest.raises(Throttled) as caught:
        made(stub).embed(["a"])
    assert caught.value.retry_after == 3.0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), Unreachable),
        (ReadTimeoutError(endpoint_url="https://x"), Unreachable),
        (ConnectTimeoutError(endpoint_url="https://x"), Unreachable),
        (NoCredentialsError(), Fatal),
        (RuntimeError("?"), Retryable),
    ],
)
def test_errors_on_the_way_mean_one_thing_to_us(error, kind):
    assert type(translated(error, "m")) is kind


def test_our_client_calls_once_and_leaves_trying_again_to_us(stub):
    assert stub.ours.meta.config.retries == {"total_max_attempts": 1, "mode": "standard"}
    assert (stub.ours.meta.config.connect_timeout, stub.ours.meta.config.read_timeout) == (1, 1)


def test_without_a_region_the_setting_is_named(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="region: expected an AWS region"):
        aws_client("bedrock-runtime", region=None, role=None, seconds=1, calls=1)


def test_a_role_is_taken_at_the_first_call_and_its_refusal_is_fatal(monkeypatch, stub):
    asked: list[str] = []

    def refuse(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        asked.append(f"{operation} {arguments.get('RoleArn')}")
        raise self.exceptions.ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    client = aws_client("bedrock-runtime", region="eu-central-1", role="arn:aws:iam::1:role/r", seconds=1, calls=1)
    assert asked == []
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", _only_sts(refuse))
    with pytest.raises(Fatal, match="AccessDenied"):
        BedrockEmbedder(BedrockEmbed(provider="bedrock"), client=client).embed(["a"])
    assert asked == ["AssumeRole arn:aws:iam::1:role/r"]
    client.close()


def _only_sts(replacement: Any) -> Any:
    from botocore.client import BaseClient

    real = BaseClient._make_api_call

    def call(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        chosen = replacement if self.meta.service_model.service_name == "sts" else real
        return chosen(self, operation, arguments)

    return call


@pytest.mark.parametrize(
    ("model", "dimension", "says"),
    [
        ("amazon.titan-embed-text-v1", 1536, "embed.model: expected amazon.titan-embed-text-v2:0"),
        ("anthropic.claude-v2", 1024, "embed.model"),
        (TITAN, 384, "embed.dimension: expected 256 or 512 or 1024; found 384"),
        (COHERE_3, 512, "embed.dimension: expected 1024"),
        (COHERE_4, 300, "embed.dimension: expected 256 or 512 or 1024 or 1536"),
    ],
)
def test_a_model_or_dimension_there_is_none_of_is_a_wrong_setting(stub, model, dimension, says):
    with pytest.raises(ConfigError, match=says):
        made(stub, model, dimension)


def test_a_model_has_one_fingerprint_in_all_regions_and_profiles(stub):
    names = [
        COHERE_4,
        "eu." + COHERE_4,
        "global." + COHERE_4,
        "arn:aws:bedrock:us-east-1:1:inference-profile/us." + COHERE_4,
    ]
    assert len({made(stub, name, 512).fingerprint for name in names}) == 1
    others = [(COHERE_4, 256), (COHERE_3, 1024), ("cohere.embed-multilingual-v3", 1024), (TITAN, 512)]
    assert len({made(stub, *other).fingerprint for other in [*others, (COHERE_4, 512)]}) == 5


def test_a_batch_in_the_settings_counts_where_the_model_takes_that_many(stub):
    assert [made(stub, COHERE_3, 1024, batch=size).batch for size in (10, 500)] == [10, 96]
    assert made(stub, batch=10).batch == 1


def test_a_check_finds_a_model_that_refuses_every_text(stub):
    stub.add_client_error("invoke_model", "ValidationException", "extraneous key [dimensions] is not permitted", 400)
    with pytest.raises(ConfigError, match=r"expected amazon\.titan.* to embed a plain sentence; found Validation"):
        check(made(stub))
