"""What a line of a dataset asks, and what a good answer to it is, whatever its format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.ports_chat import ChatMessage

_CHATS = ("messages", "dialog", "conversations")
_ANSWERS = ("completion", "chosen")


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt with the answer that people liked.

    Attributes:
        messages: the last one is the user's.
        reference: the answer.
    """

    system: str
    messages: tuple[ChatMessage, ...]
    reference: str


def question_of(line: Mapping[str, Any]) -> Question | None:
    """What the JSON object of a line asks; None for one without a question or without an answer that was good.

    Takes lines of every format of `formats` but those of plain texts.
    """
    if line.get("label") is False:
        return None
    if "instruction" in line:
        parts = [str(line["instruction"]), str(line.get("context") or "")]
        return _question([("user", "\n\n".join(part for part in parts if part))], str(line.get("response") or ""))
    said = _said(line.get("prompt"))
    answer = next((text for name in _ANSWERS for _, text in _said(line.get(name))[-1:]), "")
    if not said:
        system = " ".join(_text(one) for one in _listed(line.get("system")))
        said = [("system", system)] if system else []
        said += next((_said(line[name]) for name in _CHATS if name in line), [])
        if said and said[-1][0] == "assistant":
            answer = said.pop()[1]
    return _question(said, answer)


def _question(said: Sequence[tuple[str, str]], answer: str) -> Question | None:
    system = "\n\n".join(text for role, text in said if role == "system")
    messages = tuple(
        ChatMessage("assistant" if role == "assistant" else "user", text) for role, text in said if role != "system"
    )
    if not messages or messages[-1].role != "user" or not answer.strip():
        return None
    return Question(system, messages, answer)


def _said(value: Any) -> list[tuple[str, str]]:
    return [(str(one.get("role")), _message(one)) for one in _listed(value) if isinstance(one, Mapping)]


def _message(one: Mapping[str, Any]) -> str:
    """Its text; of two candidates that of the better one."""
    for candidate in _listed(one.get("candidates")):
        if candidate.get("preferenceLabel") == "preferred":
            return _message(candidate)
    content = one.get("content")
    return content if isinstance(content, str) else "\n".join(_text(each) for each in _listed(content))


def _text(block: Any) -> str:
    return str(block.get("text") or "") if isinstance(block, Mapping) else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
