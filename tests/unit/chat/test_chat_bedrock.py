"""Converse against botocore's own event stream parser and a server on this machine. No real Bedrock was asked."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.session import get_session

from headrace.config_chat import BedrockChat
from headrace.errors import Fatal, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd, ChatMessage, Form
from headrace.stores.aws_clients import aws_client
from headrace.stores.chat_bedrock import BedrockChatModel
from unit.chat.aws_stream import event, exception, refused, streamed
from unit.chat.conftest import SECRET
from unit.chat.requests import read, request
from unit.embedders.model_server import ModelServer, Reply

MODEL = "eu.amazon.nova-lite-v1:0"
USAGE = {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15}


@pytest.fixture(scope="module")
def client(served: ModelServer) -> Iterator[Any]:
    url = served.url.removesuffix("/v1")
    one = aws_client("bedrock-runtime", region="eu-central-1", role=None, seconds=0.5, calls=1, endpoint=url)
    yield one
    one.close()


@pytest.fixture
def made(client: Any) -> Callable[..., BedrockChatModel]:
    def model(**more: object) -> BedrockChatModel:
        settings = BedrockChat.model_validate({"provider": "bedrock", "model": MODEL, **more})
        return BedrockChatModel(settings, silence=1, client=client)

    return model


def text(*pieces: str) -> list[bytes]:
    deltas = [event("contentBlockDelta", {"delta": {"text": one}, "contentBlockIndex": 0}) for one in pieces]
    return [event("messageStart", {"role": "assistant"}), *deltas, event("contentBlockStop", {"contentBlockIndex": 0})]


def stop(reason: str, usage: dict[str, int] | None = None) -> list[bytes]:
    last = event("metadata", {"usage": usage or USAGE, "metrics": {"latencyMs": 7}})
    return [event("messageStop", {"stopReason": reason}), last]


def test_pieces_come_one_by_one_and_then_the_end_with_its_tokens(server, made):
    server.answer = lambda call: streamed(*text("Sixty ", "euro [p1]", "."), *stop("end_turn"))
    assert list(made().stream(request())) == ["Sixty ", "euro [p1]", ".", ChatEnd("done", 12, 3, None)]


def test_the_request_is_what_converse_wants(server, made):
    server.answer = lambda call: streamed(*text("ok"), *stop("end_turn"))
    turns = [
        ChatMessage("assistant", "Hello!"), ChatMessage("user", "Hi"), ChatMessage("user", "I mean it"),
        ChatMessage("assistant", "Yes?"), ChatMessage("assistant", " "), ChatMessage("user", "Visa \ud83d?"),
    ]  # fmt: skip
    about = {"conversation": "c-1", "turn": "2", "note": "täg!" + "x" * 300, "": "none"}
    model = made(max_tokens=50, temperature=0.5, guardrail={"id": "g1", "version": "2"})
    read(model, request(messages=turns, max_tokens=90, metadata=about))
    (call,) = server.calls
    assert call.path == f"/model/{MODEL.replace(':', '%3A')}/converse-stream"
    assert call.body == {
        "system": [{"text": "Cite as [p1]."}],
        "messages": [
            {"role": "user", "content": [{"text": "Hi\n\nI mean it"}]},
            {"role": "assistant", "content": [{"text": "Yes?"}]},
            {"role": "user", "content": [{"text": "Visa ??"}]},
        ],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.5},
        "requestMetadata": {"conversation": "c-1", "turn": "2", "note": "t_g_" + "x" * 252},
        "guardrailConfig": {"guardrailIdentifier": "g1", "guardrailVersion": "2", "streamProcessingMode": "sync"},
    }


def test_a_request_may_be_shorter_and_colder_than_the_settings(server, made):
    server.answer = lambda call: streamed(*text("ok"), *stop("end_turn"))
    read(made(max_tokens=50, temperature=0.5), request(max_tokens=10, temperature=0.0, system=""))
    assert server.calls[0].body["inferenceConfig"] == {"maxTokens": 10, "temperature": 0.0}
    assert {"system", "requestMetadata", "guardrailConfig"} & set(server.calls[0].body) == set()


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        ("end_turn", "done"), ("stop_sequence", "done"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("guardrail_intervened", "refused"),
        ("content_filtered", "refused"), ("a_reason_of_tomorrow", "done"),
    ],
)  # fmt: skip
def test_every_reason_to_stop_means_one_thing_to_us(server, made, reason, ended):
    server.answer = lambda call: streamed(*text("x"), *stop(reason))
    assert read(made())[1].reason == ended


@pytest.mark.parametrize("reason", ["tool_use", "malformed_model_output", "malformed_tool_use"])
def test_an_end_that_is_no_answer_is_worth_another_try(server, made, reason):
    server.answer = lambda call: streamed(*text(), *stop(reason))
    with pytest.raises(Retryable, match=reason):
        read(made())


def test_no_reason_of_the_service_is_unknown_to_us():
    shape = get_session().get_service_model("bedrock-runtime").shape_for("StopReason")
    known = {"end_turn", "stop_sequence", "max_tokens", "model_context_window_exceeded", "guardrail_intervened",
             "content_filtered", "tool_use", "malformed_model_output", "malformed_tool_use"}  # fmt: skip
    assert set(shape.enum) <= known


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"inputTokens": 4, "outputTokens": 3, "totalTokens": 107, "cacheReadInputTokens": 100}, (104, 3, 100)),
        ({"inputTokens": 104, "outputTokens": 3, "totalTokens": 107, "cacheReadInputTokens": 100}, (104, 3, 100)),
        ({"inputTokens": 4, "outputTokens": 3, "totalTokens": 7}, (4, 3, None)),
    ],
)
def test_cached_tokens_count_as_input_whether_or_not_the_model_counts_them_so(server, made, usage, tokens):
    server.answer = lambda call: streamed(*text("x"), *stop("end_turn", usage))
    end = read(made())[1]
    assert (end.input_tokens, end.output_tokens, end.cached_tokens) == tokens


@pytest.mark.parametrize(
    ("code", "status", "said", "kind"),
    [
        ("ThrottlingException", 429, "Too many requests", Throttled),
        ("ServiceUnavailableException", 503, "busy", Throttled),
        ("ModelNotReadyException", 429, "not ready", Throttled),
        ("InternalServerException", 500, "oh", Retryable),
        ("ModelTimeoutException", 408, "slow", Retryable),
        ("ModelErrorException", 424, "oh", Retryable),
        ("ValidationException", 400, "Input is too long for requested model.", Unacceptable),
        ("ValidationException", 400, "The provided model identifier is invalid.", Fatal),
        ("AccessDeniedException", 403, "You don't have access to the model", Fatal),
        ("ResourceNotFoundException", 404, "no such model", Fatal),
    ],
)
def test_every_error_before_the_stream_means_one_thing_to_us(server, made, code, status, said, kind):
    server.answer = lambda call: refused(code, said, status)
    with pytest.raises(kind, match=code) as caught:
        read(made())
    assert caught.value.where == MODEL and "rejects" not in caught.value.todo
    assert "an answer" in str(caught.value)
    assert kind is not Retryable or not isinstance(caught.value, Throttled)


def test_an_error_the_service_documents_is_none_we_do_not_know():
    shapes = get_session().get_service_model("bedrock-runtime").operation_model("ConverseStream").error_shapes
    known = {"ThrottlingException", "ServiceUnavailableException", "ModelNotReadyException", "InternalServerException",
             "ModelTimeoutException", "ModelErrorException", "ValidationException", "AccessDeniedException",
             "ResourceNotFoundException"}  # fmt: skip
    assert {shape.name for shape in shapes} <= known


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttlingException", Throttled), ("serviceUnavailableException", Throttled),
        ("internalServerException", Retryable), ("modelStreamErrorException", Retryable),
        ("validationException", Unacceptable),
    ],
)  # fmt: skip
def test_an_error_within_the_stream_comes_after_what_was_said(server, made, kind, error):
    server.answer = lambda call: streamed(*text("Sixty "), exception(kind, {"message": "no more"}))
    stream = made().stream(request())
    assert next(stream) == "Sixty "
    with pytest.raises(error, match="no more"):
        next(stream)


@pytest.mark.parametrize(
    "reply",
    [
        streamed(*text("Sixty ")), streamed(*text("Sixty "), cut=True),
        streamed(*text("Sixty "), text("euro")[1][:20], cut=True),
    ],
    ids=["ends", "hangs up", "hangs up within an event"],
)  # fmt: skip
def test_a_stream_that_breaks_is_not_taken_for_an_answer(server, made, reply):
    server.answer = lambda call: reply
    stream = made().stream(request())
    assert next(stream) == "Sixty "
    with pytest.raises(Retryable):
        list(stream)


def test_a_service_that_says_nothing_is_left(server, made):
    server.answer = lambda call: Reply(wait=30)
    with pytest.raises(Unreachable):
        read(made())


def test_no_key_shows_in_what_is_told(server, made):
    server.answer = lambda call: refused("AccessDeniedException", "no", 403)
    with pytest.raises(Fatal) as caught:
        read(made())
    assert server.calls[0].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA-TEST/")
    assert SECRET not in str(caught.value) and "AKIA-TEST" not in str(caught.value)


FORM = Form("verdict", "What was found.", {"type": "object", "properties": {"category": {"type": "string"}}})


def test_a_form_is_a_tool_that_must_be_called_and_its_input_is_the_answer(server, made):
    start = {"start": {"toolUse": {"toolUseId": "t", "name": "verdict"}}, "contentBlockIndex": 1}
    parts = [{"delta": {"toolUse": {"input": one}}, "contentBlockIndex": 1} for one in ('{"cate', 'gory": "good"}')]
    called = [event("contentBlockStart", start), *(event("contentBlockDelta", one) for one in parts)]
    server.answer = lambda call: streamed(*text("Let me see."), *called, *stop("tool_use"))
    assert read(made(), request(form=FORM)) == ('{"category": "good"}', ChatEnd("done", 12, 3, None))
    assert server.calls[0].body["toolConfig"] == {
        "tools": [{"toolSpec": {
            "name": "verdict", "description": "What was found.", "inputSchema": {"json": dict(FORM.schema)},
        }}],
        "toolChoice": {"tool": {"name": "verdict"}},
    }  # fmt: skip
