"""SageMaker JumpStart, fine-tuning on conversations (`chat_dataset`)."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import chat_rules, prompts, rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.limits import Limits

_NAMES = ("messages", "dialog", "conversations")


def _write(example: Example) -> dict[str, Any]:
    return {"messages": prompts.chat(example, example.completion or "")}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    # JumpStart takes any of the three names, and one of them only.
    name = next((one for one in _NAMES if isinstance(value, dict) and one in value), _NAMES[0])
    found = yield from rules.fields(value, "$", (name,))
    if name in found:
        said = yield from chat_rules.messages(found[name], f"$.{name}", "assistant", least=2)
        yield from chat_rules.whole(said, limits)


FORMAT = Format("jumpstart_chat", "SageMaker JumpStart, chat", ("sft",), _write, _check)
