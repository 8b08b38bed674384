"""SageMaker against botocore's stubs, in the shapes its documentation shows. No real service was asked."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from headrace.config_knowledge import SageMakerEmbed
from headrace.errors import Fatal, Retryable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.aws_clients import aws_client
from headrace.stores.sagemaker import SageMakerEmbedder


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SageMakerEmbedder, Stubber]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = aws_client("sagemaker-runtime", region="eu-central-1", role=None, seconds=1, calls=1)
    settings = SageMakerEmbed(provider="sagemaker", endpoint="tei", dimension=4)
    with Stubber(client) as stub:
        yield SageMakerEmbedder(settings, client=client), stub
    client.close()


def answer(stub: Stubber, content: bytes, texts: list[str]) -> None:
    body = json.dumps({"inputs": texts, "truncate": True, "normalize": True}).encode()
    asked = {"EndpointName": "tei", "ContentType": "application/json", "Accept": "application/json", "Body": body}
    stub.add_response("invoke_endpoint", {"Body": StreamingBody(io.BytesIO(content), len(content))}, asked)


def test_the_texts_go_in_one_request_as_the_server_takes_them(case):
    one, stub = case
    answer(stub, json.dumps(np.eye(4)[:2].tolist()).encode(), ["a", "b"])
    assert one.embed(["a", "b"]).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert one.batch == 32
    stub.assert_no_pending_responses()


def test_prefixes_go_before_the_text_and_change_the_fingerprint_only_where_there_are_any(case):
    plain, stub = case
    settings = SageMakerEmbed(provider="sagemaker", endpoint="tei", dimension=4, query_prefix="query: ")
    one = SageMakerEmbedder(settings, client=plain._client)
    answer(stub, json.dumps(np.eye(4)[:1].tolist()).encode(), ["query: a"])
    one.embed(["a"], "query")
    answer(stub, json.dumps(np.eye(4)[:1].tolist()).encode(), ["a"])
    one.embed(["a"])
    assert plain.fingerprint == "618229fcbaa1826355e271e1cb3aa7ad", "lakes hold vectors with it"
    assert one.fingerprint != plain.fingerprint


@pytest.mark.parametrize("content", [b"", b"{}", b"[[1,2,3,4]]", b'{"error": "x"}', b"[1,2]"])
def test_an_answer_that_makes_no_sense_is_worth_another_try(case, content):
    one, stub = case
    answer(stub, content, ["a", "b"])
    with pytest.raises(Retryable):
        one.embed(["a", "b"])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, Throttled), (503, Throttled), (424, Retryable), (500, Retryable), (0, Retryable),
        (413, Unacceptable), (422, Unacceptable), (400, Unacceptable), (404, Fatal),
    ],
)  # fmt: skip
def test_what_the_model_behind_the_endpoint_says_counts(case, status, kind):
    one, stub = case
    details = {"OriginalStatusCode": status, "OriginalMessage": '{"error":"Model is overloaded"}', "LogStreamArn": "x"}
    stub.add_client_error("invoke_endpoint", "ModelError", "Received error", 424, modeled_fields=details)
    with pytest.raises(kind, match=f"found {status} from the model: .*overloaded") as caught:
        one.embed(["a"])
    assert kind is not Retryable or not isinstance(caught.value, Throttled)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ThrottlingException", "Rate exceeded", Throttled),
        ("ServiceUnavailable", "busy", Throttled),
        ("ModelNotReadyException", "loading", Throttled),
        ("InternalDependencyException", "oh", Retryable),
        ("InternalFailure", "oh", Retryable),
        ("ValidationError", "Endpoint tei of account 1 not found.", Fatal),
        ("ValidationError", "1 validation error detected: body too long", Unacceptable),
        ("AccessDeniedException", "not authorized", Fatal),
    ],
)
def test_every_error_of_the_service_means_one_thing_to_us(case, code, message, kind):
    one, stub = case
    stub.add_client_error("invoke_endpoint", code, message, 400)
    with pytest.raises(kind, match=code):
        one.embed(["a"])


def test_an_error_the_service_documents_is_none_we_do_not_know(case):
    _, stub = case
    shapes = stub.client.meta.service_model.operation_model("InvokeEndpoint").error_shapes
    known = {"InternalFailure", "ServiceUnavailable", "ValidationError", "ModelError", "InternalDependencyException",
             "ModelNotReadyException"}  # fmt: skip
    assert {shape.name for shape in shapes} <= known


def test_an_error_without_details_is_worth_another_try(case):
    one, _ = case

    def fail(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ModelError"}}, "InvokeEndpoint")

    one._client = type("Client", (), {"invoke_endpoint": staticmethod(fail)})()
    with pytest.raises(Retryable, match="found 0 from the model"):
        one.embed(["a"])
