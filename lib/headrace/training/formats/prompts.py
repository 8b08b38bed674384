"""Where the system text, the context and the turns of an example go: the same for every chat format."""

from itertools import count
from typing import Any

from headrace.training.example import Example


def system_text(example: Example) -> str | None:
    """The system text, with the context at its end; None where there is neither.

    No chat format has a place for a context. The assistant reads it in the system text, so the model learns it there.
    """
    parts = [example.system or "", delimited(example.context) if example.context else ""]
    return "\n\n".join(part for part in parts if part) or None


def delimited(context: str) -> str:
    """The context between two lines, the second of which is not in it."""
    endings = (f"END CONTEXT{number}" for number in ("", *map(str, range(2, 10))))
    ending = next((one for one in endings if one not in context), None)
    if ending is None:
        ending = next(one for one in (f"END CONTEXT{number}" for number in count(10)) if one not in context)
    return f"{ending.replace('END', 'BEGIN', 1)}\n{context}\n{ending}"


def chat(example: Example, *answer: str) -> list[dict[str, Any]]:
    """The system text, the turns and an answer, each as `{role, content}`."""
    system = system_text(example)
    said = [("system", system)] if system else []
    said += [(one.role, one.content) for one in example.messages]
    said += [("assistant", one) for one in answer]
    return [{"role": role, "content": content} for role, content in said]


def blocks(text: str) -> list[dict[str, str]]:
    """A text as Bedrock's Converse writes it."""
    return [{"text": text}]


def converse(example: Example, *last: dict[str, Any]) -> dict[str, Any]:
    """Bedrock's Converse: `system` where there is one, and `messages` with what comes last."""
    system = system_text(example)
    messages: list[dict[str, Any]] = [{"role": one.role, "content": blocks(one.content)} for one in example.messages]
    return {**({"system": blocks(system)} if system else {}), "messages": [*messages, *last]}


def answer(text: str | None) -> dict[str, Any]:
    """An assistant's message in Converse."""
    return {"role": "assistant", "content": blocks(text or "")}
