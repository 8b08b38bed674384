"""A request in the forms that services want."""

from collections.abc import Sequence
from typing import Any

from headrace.config_chat import ModelChat
from headrace.ports_chat import ChatMessage, ChatRequest


def alternating(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages as every service takes them: a user's first, then turn by turn, none of them empty.

    Turns of one role in a row become one; what the assistant said before the first question is left out.
    """
    found: list[ChatMessage] = []
    for one in messages:
        if not one.text.strip() or (one.role == "assistant" and not found):
            continue
        if found and found[-1].role == one.role:
            found[-1] = ChatMessage(one.role, f"{found[-1].text}\n\n{one.text}")
        else:
            found.append(one)
    return found


def plain(text: str) -> str:
    """The text as valid Unicode: half a surrogate pair, which no encoder takes, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def most_tokens(request: ChatRequest, settings: ModelChat) -> int:
    """The longest answer: the shorter of what is asked for and what the settings allow."""
    return min(request.max_tokens, settings.max_tokens)


def temperature(request: ChatRequest, settings: ModelChat) -> float | None:
    """The request's, else the settings', else None."""
    return settings.temperature if request.temperature is None else request.temperature


def openai_body(request: ChatRequest, settings: ModelChat, model: str | None) -> dict[str, Any]:
    """The request in OpenAI's messages form, without its limit of length."""
    messages = [{"role": "system", "content": plain(request.system)}] if request.system.strip() else []
    messages += [{"role": one.role, "content": plain(one.text)} for one in alternating(request.messages)]
    body: dict[str, Any] = {"messages": messages}
    if model is not None:
        body["model"] = model
    if (warmth := temperature(request, settings)) is not None:
        body["temperature"] = warmth
    if form := request.form:
        about = {"name": form.name, "description": form.description, "strict": True, "schema": form.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": about}
    return body
