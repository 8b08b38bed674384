"""OpenTelemetry's attributes of a call to a model as properties of a turn.

Names as in open-telemetry/semantic-conventions-genai, `docs/registry/attributes/gen-ai.md`, all of status Development:
they move, and this event does not. Older names are taken too.
"""

import json
from collections.abc import Mapping
from typing import Any

ALIASES: dict[str, tuple[str, ...]] = {
    "conversation": ("gen_ai.conversation.id",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "model": ("gen_ai.request.model", "gen_ai.response.model"),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cached_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "seconds_to_first": ("gen_ai.response.time_to_first_chunk",),
    "ended": ("gen_ai.response.finish_reasons",),
    "question": ("gen_ai.input.messages",),
    "answer": ("gen_ai.output.messages",),
}
"""Property -> attributes; the first that is there counts."""
_REASONS = {
    "stop": "done", "end_turn": "done", "stop_sequence": "done", "length": "length", "max_tokens": "length",
    "content_filter": "refused", "refusal": "refused", "guardrail_intervened": "refused",
}  # fmt: skip


def from_otel(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of a turn, `outcome` included; nothing for what is not there or cannot be read.

    Who asked, the turn's number and when are the caller's to add.
    """
    made: dict[str, Any] = {}
    for name, aliases in ALIASES.items():
        given = next((attributes[alias] for alias in aliases if attributes.get(alias) is not None), None)
        value = None if given is None else _read(name, given)
        if value is not None:
            made[name] = value
    return made | {"outcome": _outcome(attributes, made)}


def _read(name: str, value: Any) -> Any:
    if name.endswith("_tokens"):
        return _whole(value)
    if name == "seconds_to_first":
        return _seconds(value)
    if name == "ended":
        reasons = _structured(value)
        return _REASONS.get(str(reasons[0])) if isinstance(reasons, list) and reasons else None
    if name in ("question", "answer"):
        return _last_text(_structured(value), "user" if name == "question" else "assistant")
    return str(value)


def _outcome(attributes: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    if attributes.get("error.type"):
        return "failed"
    if made.get("ended") == "refused":
        return "refused"
    return "answered" if made.get("answer", "?").strip() else "empty"


def _whole(value: Any) -> int | None:
    # OTLP as JSON writes 64-bit numbers as text.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _structured(value: Any) -> Any:
    """A list as it is, or from the JSON text that spans hold instead."""
    if isinstance(value, tuple):
        return list(value)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return [value]


def _last_text(messages: Any, role: str) -> str | None:
    """The text of the last message of a role."""
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, Mapping) and message.get("role") == role:
            parts = message.get("parts")
            texts = [
                part["content"]
                for part in (parts if isinstance(parts, list) else [])
                if isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("content"), str)
            ]
            if texts:
                return "\n".join(texts)
    return None
