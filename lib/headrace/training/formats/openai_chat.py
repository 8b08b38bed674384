"""OpenAI's chat format, which SageMaker AI model customization and many others take (SFT)."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import chat_rules, prompts, rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.limits import Limits


def _write(example: Example) -> dict[str, Any]:
    return {"messages": prompts.chat(example, example.completion or "")}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", ("messages",))
    if "messages" in found:
        said = yield from chat_rules.messages(found["messages"], "$.messages", "assistant", least=2)
        yield from chat_rules.whole(said, limits)


FORMAT = Format("openai_chat", "SageMaker AI model customization or OpenAI, SFT", ("sft",), _write, _check)
