"""Models of Amazon Bedrock, through `ConverseStream`: one form for all of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from headrace.config_chat import BedrockChat
from headrace.errors import Retryable
from headrace.ports_chat import ChatEnd, ChatRequest, Ended, Form
from headrace.stores.aws_clients import aws_client
from headrace.stores.chat_errors import broken, of_aws
from headrace.stores.chat_request import alternating, most_tokens, plain, temperature

_REASONS: Mapping[str, Ended] = {
    "end_turn": "done",
    "stop_sequence": "done",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "refused",
    "guardrail_intervened": "refused",
}
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.-]")
_LONGEST, _MOST = 256, 16
"""Of request metadata: characters of a name or value, and pairs."""


class BedrockChatModel:
    """Answers through `ConverseStream`. As `ChatModel`; the request's metadata stands in the invocation log.

    Args:
        silence: seconds without a byte after which a call is given up.
        client: of `bedrock-runtime`; made from the settings where not given.
    """

    def __init__(self, settings: BedrockChat, *, silence: float, client: Any = None) -> None:
        self.name, self._settings = settings.model, settings
        self._client = client or aws_client(
            "bedrock-runtime", region=settings.region, role=settings.role, seconds=silence, calls=settings.parallel
        )

    def stream(self, request: ChatRequest) -> Iterator[str | ChatEnd]:
        """As in `ChatModel`."""
        try:
            stream = self._client.converse_stream(**_asked(request, self._settings))["stream"]
        except Exception as error:
            raise of_aws(error, self.name) from error
        why, usage = "", dict[str, Any]()
        try:
            for event in self._events(stream):
                if text := _text(event, request):
                    yield text
                why = event.get("messageStop", {}).get("stopReason", why)
                usage = event.get("metadata", {}).get("usage", usage)
        finally:
            stream.close()
        yield self._end("end_turn" if why == "tool_use" and request.form else why, usage)

    def close(self) -> None:
        """As in `ChatModel`."""
        self._client.close()

    def _events(self, stream: Any) -> Iterator[Mapping[str, Any]]:
        try:
            yield from stream
        except Exception as error:
            raise of_aws(error, self.name) from error

    def _end(self, why: str, usage: Mapping[str, Any]) -> ChatEnd:
        if not why:
            raise broken(self.name, "a stream that stops before its end")
        if why.startswith("malformed") or why == "tool_use":
            todo = "It is tried again, then the fallback is asked."
            raise Retryable(where=self.name, expected="an answer", found=f"the end `{why}`", todo=todo)
        tokens = usage.get("inputTokens"), usage.get("outputTokens"), usage.get("cacheReadInputTokens")
        if tokens[0] is not None and tokens[1] is not None and usage.get("totalTokens"):
            # Of some models `inputTokens` leaves out what was read from a cache; the total never does.
            tokens = max(tokens[0], usage["totalTokens"] - tokens[1]), *tokens[1:]
        return ChatEnd(_REASONS.get(why, "done"), *tokens)


def _text(event: Mapping[str, Any], request: ChatRequest) -> str:
    """What an event adds to the answer. With a form only the tool's input is one: a model may talk before it."""
    delta = event.get("contentBlockDelta", {}).get("delta", {})
    return str((delta.get("toolUse", {}).get("input") if request.form else delta.get("text")) or "")


def _tool(form: Form) -> dict[str, Any]:
    """A form as the one tool that must be called, which every model with tools takes."""
    about = {"name": form.name, "description": form.description, "inputSchema": {"json": dict(form.schema)}}
    return {"tools": [{"toolSpec": about}], "toolChoice": {"tool": {"name": form.name}}}


def _asked(request: ChatRequest, settings: BedrockChat) -> dict[str, Any]:
    messages = alternating(request.messages)
    limits: dict[str, Any] = {"maxTokens": most_tokens(request, settings)}
    if (warmth := temperature(request, settings)) is not None:
        limits["temperature"] = warmth
    asked: dict[str, Any] = {
        "modelId": settings.model,
        "messages": [{"role": one.role, "content": [{"text": plain(one.text)}]} for one in messages],
        "inferenceConfig": limits,
    }
    if request.system.strip():
        asked["system"] = [{"text": plain(request.system)}]
    if request.form:
        asked["toolConfig"] = _tool(request.form)
    if metadata := _metadata(request.metadata):
        asked["requestMetadata"] = metadata
    if guard := settings.guardrail:
        # `sync`: nothing is shown that the guardrail has not seen.
        asked["guardrailConfig"] = {
            "guardrailIdentifier": guard.id, "guardrailVersion": guard.version, "streamProcessingMode": "sync",
        }  # fmt: skip
    return asked


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    """What Bedrock takes of it: the first 16 pairs, cut, with `_` for letters it refuses."""
    pairs = [(_NOT_ALLOWED.sub("_", name)[:_LONGEST], _NOT_ALLOWED.sub("_", value)[:_LONGEST]) for name, value in
             sorted(given.items())]  # fmt: skip
    return dict([pair for pair in pairs if pair[0]][:_MOST])
