"""A SageMaker endpoint against botocore's own event stream parser and a server of this machine. AWS was not asked."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.session import get_session

from headrace.config_chat import SageMakerChat
from headrace.errors import Fatal, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd
from headrace.stores.aws_clients import aws_client
from headrace.stores.chat_sagemaker import SageMakerChatModel
from unit.chat.aws_stream import event, exception, refused, streamed
from unit.chat.openai_stream import chunk, sse
from unit.chat.requests import read, request
from unit.embedders.model_server import ModelServer, Reply

ANSWER = sse(chunk("Sixty "), chunk("Euró [p1]."), chunk("", "stop"), {"choices": [], "usage": {"prompt_tokens": 9}})


@pytest.fixture(scope="module")
def client(served: ModelServer) -> Iterator[Any]:
    url = served.url.removesuffix("/v1")
    one = aws_client("sagemaker-runtime", region="eu-central-1", role=None, seconds=0.5, calls=1, endpoint=url)
    yield one
    one.close()


@pytest.fixture
def made(client: Any) -> Callable[..., SageMakerChatModel]:
    def model(**more: object) -> SageMakerChatModel:
        settings = SageMakerChat.model_validate({"provider": "sagemaker", "endpoint": "assistant", **more})
        return SageMakerChatModel(settings, silence=1, client=client)

    return model


def parts(content: bytes, size: int) -> Reply:
    """The container's bytes, so many in a part, whatever they cut."""
    cut = [event("PayloadPart", content[at : at + size]) for at in range(0, len(content), size)]
    return streamed(*cut, X_Amzn_SageMaker_Content_Type="text/event-stream")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_parts_may_cut_a_line_or_a_letter(server, made, size):
    server.answer = lambda call: parts(ANSWER, size)
    assert read(made()) == ("Sixty Euró [p1].", ChatEnd("done", 9, None, None))


def test_the_request_is_openais(server, made):
    server.answer = lambda call: parts(ANSWER, 100)
    read(made(model="tgi", max_tokens=7))
    (call,) = server.calls
    assert call.path == "/endpoints/assistant/invocations-response-stream"
    asked = [{"role": "system", "content": "Cite as [p1]."}, {"role": "user", "content": "What does a visa cost?"}]
    limits = {"max_tokens": 7, "stream": True, "stream_options": {"include_usage": True}}
    assert call.body == {"model": "tgi", "messages": asked, **limits}
    assert made().name == "assistant"
    read(made(count_tokens=False))
    assert "stream_options" not in server.calls[1].body


def test_a_container_that_writes_bare_json_lines_is_understood(server, made):
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in (chunk("a"), chunk("b", "length")))
    server.answer = lambda call: parts(lines, 5)
    assert read(made()) == ("ab", ChatEnd("length"))


def test_a_container_that_does_not_stream_answers_in_one_piece(server, made):
    whole = {"choices": [{"message": {"content": "Sixty."}, "finish_reason": "stop"}]}
    body = event("PayloadPart", json.dumps(whole, indent=1).encode())
    server.answer = lambda call: streamed(body, X_Amzn_SageMaker_Content_Type="application/json")
    assert read(made()) == ("Sixty.", ChatEnd("done"))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refused("ModelError", "m", 424, {"OriginalStatusCode": 429, "OriginalMessage": "slow"}), Throttled),
        (refused("ModelError", "m", 424, {"OriginalStatusCode": 422, "OriginalMessage": "too long"}), Unacceptable),
        (refused("ModelError", "m", 424, {"OriginalStatusCode": 404, "OriginalMessage": "no route"}), Fatal),
        (refused("ModelError", "m", 424, {"OriginalStatusCode": 500, "OriginalMessage": "oom"}), Unreachable),
        (refused("ServiceUnavailable", "busy", 503), Throttled),
        (refused("ValidationError", "Endpoint assistant of account 1 not found.", 400), Fatal),
        (refused("AccessDeniedException", "no", 403), Fatal),
        (refused("InternalFailure", "oh", 500), Retryable),
        (Reply(wait=30), Unreachable),
    ],
)
def test_every_error_before_the_stream_means_one_thing_to_us(server, made, reply, kind):
    server.answer = lambda call: reply
    with pytest.raises(kind, match="assistant: expected") as caught:
        read(made())
    assert "rejects" not in caught.value.todo


def test_an_error_the_service_documents_is_none_we_do_not_know():
    operation = get_session().get_service_model("sagemaker-runtime").operation_model("InvokeEndpointWithResponseStream")
    known = {"InternalFailure", "ServiceUnavailable", "ValidationError", "ModelError", "ModelStreamError",
             "InternalStreamFailure"}  # fmt: skip
    assert {shape.name for shape in operation.error_shapes} <= known


@pytest.mark.parametrize("kind", ["ModelStreamError", "InternalStreamFailure"])
def test_an_error_within_the_stream_comes_after_what_was_said(server, made, kind):
    first = event("PayloadPart", sse(chunk("Sixty ")).removesuffix(b"data: [DONE]\n\n"))
    server.answer = lambda call: streamed(first, exception(kind, {"Message": "killed", "ErrorCode": "x"}))
    stream = made().stream(request())
    assert next(stream) == "Sixty "
    with pytest.raises(Retryable, match="killed"):
        next(stream)
